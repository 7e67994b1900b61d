// All sources as their syntax trees say they are: what each imports, exports and how long its
// functions are. TypeScript itself parses them (its API is young, and its version is pinned); no
// code of the project runs.

import { dirname, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as ast from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';

interface Import {
  /** A module's path, or a package's name. */
  readonly to: string;
  /** Names that are taken; '*': nobody can tell which. */
  readonly names: readonly string[];
  readonly asType: boolean;
}

interface SourceFunction {
  readonly name: string;
  /** From 1. */
  readonly line: number;
  /** From its first to its last, without those of callbacks of `describe` and `test` in it. */
  readonly lines: number;
}

export interface Source {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  readonly exports: readonly string[];
  readonly functions: readonly SourceFunction[];
  /** Places where it goes one way or another: conditions, loops, `catch`. */
  readonly decisions: number;
  /** It has nothing but imports, and exports of what it imports. */
  readonly isBarrel: boolean;
}

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const FOLDERS = ['agent', 'crypto', 'emulator', 'firmware-bundle', 'platform', 'test'];
/** Calls whose callbacks are tests or groups of them: `test.each(rows)(name, callback)` too. */
const TEST_CALL = /^(describe|test|it|suite|(before|after)(Each|All))\b/;

/**
 * Every source below `root`, by path. Fixtures and declarations of what others wrote are none.
 *
 * @param root - a checkout's folder, absolute, without a slash at its end
 * @param folders - which of its folders to read
 */
export function readSources(root = ROOT, folders = FOLDERS): Map<string, Source> {
  // The project's own options would look for types in packages too, and leave out what is not
  // TypeScript.
  const config = posix.join(root, 'sources.json');
  const options = { allowJs: true, noLib: true, noResolve: true, types: [], module: 'nodenext' };
  const text = JSON.stringify({
    compilerOptions: { ...options, noEmit: true, allowImportingTsExtensions: true },
    include: folders,
  });
  const fs = {
    readFile: (path: string) => (path === config ? text : undefined),
    fileExists: (path: string) => (path === config ? true : undefined),
  };
  const api = new API({ cwd: root, fs });
  try {
    const program = api.updateSnapshot({ openProjects: [config] }).getProject(config)?.program;
    if (!program) throw new Error(`TypeScript does not read ${root}`);
    const sources = program.getSourceFileNames().flatMap((name) => {
      const path = posix.relative(root, name);
      if (/\.d\.ts$|(^|\/)fixtures\//.test(path)) return [];
      const file = program.getSourceFile(name);
      return file ? [sourceOf(path, file)] : [];
    });
    return new Map(sources.map((source) => [source.path, source]));
  } finally {
    api.close();
  }
}

function sourceOf(path: string, file: ast.SourceFile): Source {
  const imports: Import[] = [];
  const functions: SourceFunction[] = [];
  let decisions = 0;
  const isTest = file.statements.some(
    (node) => ast.isImportDeclaration(node) && /vitest'$/.test(node.moduleSpecifier.getText(file)),
  );
  const lineOf = (at: number): number => file.getLineAndCharacterOfPosition(at).line + 1;
  /** Gives the lines of the tests in it. */
  const walk = (node: ast.Node): number => {
    imports.push(...importsOf(node, file));
    if (isDecision(node)) decisions++;
    let ofTests = 0;
    node.forEachChild((child) => {
      ofTests += walk(child);
    });
    if (!ast.isFunctionLikeDeclaration(node) || !('body' in node) || !node.body) return ofTests;
    const line = lineOf(node.getStart(file));
    const lines = lineOf(node.getEnd()) - line + 1;
    if (isTest && isTestCallback(node, file)) return lines;
    functions.push({ name: nameOf(node, file), line, lines: lines - ofTests });
    return ofTests;
  };
  walk(file);
  return {
    path,
    text: file.text,
    imports: imports.map((one) => ({ ...one, to: resolve(path, one.to) })),
    exports: file.statements.flatMap((node) => exportsOf(node, file)),
    functions,
    decisions,
    isBarrel: file.statements.length > 0 && file.statements.every(passesOn),
  };
}

function resolve(from: string, to: string): string {
  return to.startsWith('.') ? posix.join(dirname(from), to) : to;
}

function importsOf(node: ast.Node, file: ast.SourceFile): Import[] {
  if (ast.isImportDeclaration(node)) return importsByName(node, file);
  if (ast.isExportDeclaration(node) && node.moduleSpecifier) {
    const clause = node.exportClause;
    const names =
      clause && ast.isNamedExports(clause)
        ? clause.elements.map((one) => (one.propertyName ?? one.name).getText(file))
        : ['*'];
    return [{ to: unquoted(node.moduleSpecifier, file), names, asType: node.isTypeOnly }];
  }
  if (ast.isImportTypeNode(node)) {
    const names = [node.qualifier?.getText(file).split('.')[0] ?? '*'];
    return [{ to: unquoted(node.argument, file), names, asType: true }];
  }
  if (!ast.isCallExpression(node) || node.expression.kind !== ast.SyntaxKind.ImportKeyword)
    return [];
  const [to] = node.arguments;
  if (!to || !ast.isStringLiteral(to)) return [];
  return [{ to: unquoted(to, file), names: takenFrom(node, file), asType: false }];
}

function importsByName(node: ast.ImportDeclaration, file: ast.SourceFile): Import[] {
  const to = unquoted(node.moduleSpecifier, file);
  const clause = node.importClause;
  const bindings = clause?.namedBindings;
  const asType = clause?.phaseModifier === ast.SyntaxKind.TypeKeyword;
  if (bindings && ast.isNamespaceImport(bindings))
    return [{ to, names: membersOf(bindings.name.getText(file), file), asType }];
  const specifiers = bindings?.elements ?? [];
  const namesOf = (wanted: boolean): string[] =>
    specifiers
      .filter(({ isTypeOnly }) => isTypeOnly === wanted)
      .map((one) => (one.propertyName ?? one.name).getText(file));
  const types = namesOf(true);
  return [
    { to, names: [...(clause?.name ? ['default'] : []), ...namesOf(false)], asType },
    ...(types.length > 0 ? [{ to, names: types, asType: true }] : []),
  ];
}

/** What `name.MEMBER` asks of a module that was imported whole. */
function membersOf(name: string, file: ast.SourceFile): string[] {
  const members = new Set<string>();
  const walk = (node: ast.Node): void => {
    if (ast.isPropertyAccessExpression(node) && node.expression.getText(file) === name)
      members.add(node.name.getText(file));
    node.forEachChild(walk);
  };
  walk(file);
  return [...members];
}

/** Of `await import(...)`: what is taken at once, else everything. */
function takenFrom(call: ast.Node, file: ast.SourceFile): string[] {
  let node = call;
  while (ast.isAwaitExpression(node.parent) || ast.isParenthesizedExpression(node.parent))
    node = node.parent;
  const by = node.parent;
  if (ast.isPropertyAccessExpression(by)) return [by.name.getText(file)];
  if (ast.isVariableDeclaration(by) && ast.isObjectBindingPattern(by.name))
    return by.name.elements.map((one) => (one.propertyName ?? one.name)?.getText(file) ?? '*');
  return ['*'];
}

function exportsOf(node: ast.Statement, file: ast.SourceFile): string[] {
  if (ast.isExportAssignment(node)) return ['default'];
  if (ast.isExportDeclaration(node)) {
    const clause = node.exportClause;
    if (!clause || !ast.isNamedExports(clause)) return ['*'];
    return clause.elements.map((one) => one.name.getText(file));
  }
  if (!('modifiers' in node)) return [];
  const modifiers = (node.modifiers as readonly ast.Node[] | undefined) ?? [];
  const kinds = modifiers.map(({ kind }) => kind);
  if (!kinds.includes(ast.SyntaxKind.ExportKeyword)) return [];
  if (kinds.includes(ast.SyntaxKind.DefaultKeyword)) return ['default'];
  if (ast.isVariableStatement(node))
    return node.declarationList.declarations.map(({ name }) => name.getText(file));
  return 'name' in node ? [(node.name as ast.Node).getText(file)] : [];
}

const DECIDING: ReadonlySet<ast.SyntaxKind> = new Set([
  ...[ast.SyntaxKind.IfStatement, ast.SyntaxKind.ConditionalExpression],
  ...[ast.SyntaxKind.CaseClause, ast.SyntaxKind.CatchClause],
  ...[ast.SyntaxKind.ForStatement, ast.SyntaxKind.ForOfStatement, ast.SyntaxKind.ForInStatement],
  ...[ast.SyntaxKind.WhileStatement, ast.SyntaxKind.DoStatement],
  ...[ast.SyntaxKind.AmpersandAmpersandToken, ast.SyntaxKind.BarBarToken],
  ...[ast.SyntaxKind.QuestionQuestionToken],
  ...[ast.SyntaxKind.AmpersandAmpersandEqualsToken, ast.SyntaxKind.BarBarEqualsToken],
  ...[ast.SyntaxKind.QuestionQuestionEqualsToken],
]);

function isDecision({ kind }: ast.Node): boolean {
  return DECIDING.has(kind);
}

function isTestCallback(node: ast.Node, file: ast.SourceFile): boolean {
  const call = node.parent;
  return ast.isCallExpression(call) && TEST_CALL.test(call.expression.getText(file));
}

function nameOf(node: ast.Node, file: ast.SourceFile): string {
  const named = [node, node.parent].find((one) => 'name' in one && one.name);
  if (named && 'name' in named) return (named.name as ast.Node).getText(file);
  return ast.isConstructorDeclaration(node) ? 'constructor' : 'callback';
}

/** An import, or an export of what another file holds. */
function passesOn(node: ast.Statement): boolean {
  return 'moduleSpecifier' in node && node.moduleSpecifier !== undefined;
}

function unquoted(node: ast.Node, file: ast.SourceFile): string {
  return node.getText(file).replace(/^['"]|['"]$/g, '');
}
