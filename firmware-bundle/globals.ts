// Which names a piece of JavaScript takes from outside: the check behind "no global, no eval".
// It knows the scopes of the language, so a local `fetch` is nobody's business and a probe behind
// `typeof` is one. It reads syntax only: it never runs the code, and does not look at properties
// (but for `Math.random`).

import type { AnyNode, Pattern } from 'acorn';

/**
 * What the language itself gives and every device has. Missing on purpose, though part of
 * ECMAScript: `Date`, `eval`, `Function`, `globalThis` and whatever compiles text or tells the
 * time.
 */
export const INTRINSICS: ReadonlySet<string> = new Set(
  `undefined NaN Infinity isNaN isFinite parseInt parseFloat encodeURIComponent decodeURIComponent
   Array ArrayBuffer BigInt Boolean DataView Float32Array Float64Array
   Int8Array Int16Array Int32Array JSON Map Math Number Object Promise RegExp Set String Symbol
   Uint8Array Uint8ClampedArray Uint16Array Uint32Array WeakMap WeakSet
   Error RangeError SyntaxError TypeError`.split(/\s+/),
);

interface FreeName {
  readonly name: string;
  /** Of its first use: an offset into the code. */
  readonly at: number;
  /** It is given another value somewhere, beside where it is declared. */
  readonly isWritten: boolean;
}

/**
 * Names that a script, a module or a piece of one uses and does not declare, in order, each once;
 * `import()` of anything but a file beside it, `import.meta` and `Math.random` count as such names.
 */
export function freeNames(program: AnyNode): FreeName[] {
  const uses: Use[] = [];
  visit(program, new Scope(null, true), uses);
  const free = new Map<string, FreeName>();
  for (const { name, at, scope, isWritten } of uses) {
    if (scope.declares(name)) continue;
    const first = free.get(name) ?? { name, at, isWritten };
    free.set(name, { ...first, isWritten: first.isWritten || isWritten });
  }
  return [...free.values()];
}

/** Every node of a piece of code, from the outside to the inside. */
export function* nodesOf(first: AnyNode): Generator<AnyNode> {
  const open = [first];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    yield node;
    open.push(...childrenOf(node).reverse());
  }
}

interface Use extends FreeName {
  readonly scope: Scope;
}

class Scope {
  private readonly names = new Set<string>();
  private readonly parent: Scope | null;
  /** Where `var` of this block goes. */
  readonly home: Scope;

  constructor(parent: Scope | null, isFunction: boolean) {
    this.parent = parent;
    this.home = isFunction || !parent ? this : parent.home;
  }

  declare(...names: string[]): void {
    for (const name of names) this.names.add(name);
  }

  declares(name: string): boolean {
    return this.names.has(name) || (this.parent?.declares(name) ?? false);
  }
}

/** Declares and collects in one walk; uses are resolved afterwards, so hoisting needs no care. */
function visit(node: AnyNode, scope: Scope, uses: Use[]): void {
  const name = usedName(node);
  if (name !== null) uses.push({ name, at: node.start, scope, isWritten: false });
  for (const written of writtenNames(node)) {
    uses.push({ name: written, at: node.start, scope, isWritten: true });
  }
  const inner = enter(node, scope);
  for (const child of childrenOf(node)) visit(child, inner, uses);
}

/** The nodes right below, without those that are just text. */
function childrenOf(node: AnyNode): AnyNode[] {
  const found: AnyNode[] = [];
  const members = node as unknown as { readonly [key: string]: unknown };
  // Most of what a node has is plain: a walk over a whole program looks at millions of members.
  for (const key in members) {
    const value = members[key];
    if (typeof value !== 'object' || value === null || isJustText(node, key)) continue;
    if (!Array.isArray(value)) {
      if (isNode(value)) found.push(value);
    } else for (const one of value) if (isNode(one)) found.push(one);
  }
  return found;
}

/** The variables that a node gives a value to, without declaring them. */
function writtenNames(node: AnyNode): string[] {
  if (node.type === 'AssignmentExpression') return namesOf(node.left);
  if (node.type === 'UpdateExpression') return namesOf(node.argument as Pattern);
  const isLoop = node.type === 'ForInStatement' || node.type === 'ForOfStatement';
  return isLoop && node.left.type !== 'VariableDeclaration' ? namesOf(node.left) : [];
}

function usedName(node: AnyNode): string | null {
  if (node.type === 'Identifier') return node.name;
  if (node.type === 'ImportExpression') return isOfFile(node.source) ? null : 'import()';
  if (node.type === 'MetaProperty' && node.meta.name === 'import') return 'import.meta';
  if (node.type === 'MemberExpression' && isMathRandom(node)) return 'Math.random';
  return null;
}

/** A file of the program, by its name: the build puts it in. */
function isOfFile(source: AnyNode): boolean {
  return source.type === 'Literal' && /^\.\.?\//.test(String(source.value));
}

/** Identifiers below this key are labels and names of properties, not variables. */
function isJustText(node: AnyNode, key: string): boolean {
  switch (node.type) {
    case 'MemberExpression':
      return key === 'property' && !node.computed;
    case 'Property':
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return key === 'key' && !node.computed;
    case 'ExportSpecifier':
    case 'ExportAllDeclaration':
      return key === 'exported';
    case 'ExportNamedDeclaration':
      return key === 'specifiers' && node.source != null;
    case 'ImportSpecifier':
      return key === 'imported';
    case 'MetaProperty':
      return true;
    default:
      return key === 'label';
  }
}

/** Declares what the node declares, and returns the scope of its children. */
function enter(node: AnyNode, scope: Scope): Scope {
  switch (node.type) {
    case 'ImportDeclaration':
      scope.declare(...node.specifiers.map((one) => one.local.name));
      return scope;
    case 'VariableDeclaration': {
      const target = node.kind === 'var' ? scope.home : scope;
      for (const { id } of node.declarations) target.declare(...namesOf(id));
      return scope;
    }
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression': {
      const inner = new Scope(scope, true);
      const outer = node.type === 'FunctionDeclaration' ? scope : inner;
      if (node.id) outer.declare(node.id.name);
      if (node.type !== 'ArrowFunctionExpression') inner.declare('arguments');
      inner.declare(...node.params.flatMap(namesOf));
      return inner;
    }
    case 'ClassDeclaration':
    case 'ClassExpression': {
      const inner = new Scope(scope, false);
      if (node.id) (node.type === 'ClassDeclaration' ? scope : inner).declare(node.id.name);
      return inner;
    }
    case 'CatchClause': {
      const inner = new Scope(scope, false);
      if (node.param) inner.declare(...namesOf(node.param));
      return inner;
    }
    case 'BlockStatement':
    case 'ForStatement':
    case 'ForInStatement':
    case 'ForOfStatement':
    case 'SwitchStatement':
      return new Scope(scope, false);
    case 'StaticBlock':
      return new Scope(scope, true);
    default:
      return scope;
  }
}

/** The variables of a pattern. */
export function namesOf(pattern: Pattern): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name];
    case 'ObjectPattern':
      return pattern.properties.flatMap((one) =>
        namesOf(one.type === 'Property' ? one.value : one.argument),
      );
    case 'ArrayPattern':
      return pattern.elements.flatMap((one) => (one ? namesOf(one) : []));
    case 'RestElement':
      return namesOf(pattern.argument);
    case 'AssignmentPattern':
      return namesOf(pattern.left);
    default:
      return [];
  }
}

function isMathRandom(node: AnyNode & { type: 'MemberExpression' }): boolean {
  const { object, property } = node;
  const name = property.type === 'Identifier' ? property.name : '';
  const literal = property.type === 'Literal' ? property.value : '';
  return (
    object.type === 'Identifier' &&
    object.name === 'Math' &&
    (node.computed ? literal : name) === 'random'
  );
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value;
}
