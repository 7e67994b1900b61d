// How a program that is one script becomes several: a base, and parts that are loaded when they are
// first used. The pieces are the program's own declarations. What only one part needs goes with it,
// what several need stays in what all of them have; so every piece is in exactly one script, and
// nobody writes down where. Knows scopes and names, and nothing of modules or files.

import type { AnyNode, Program } from 'acorn';
import { freeNames, namesOf, nodesOf } from './globals.ts';
import { shortNames } from './hoisted.ts';

/** A declaration of the program, or a statement that is none. */
export interface Piece {
  readonly code: string;
  /** `var`, `let` or `const` where several can be written as one; `;` if it ends so; else empty. */
  readonly kind: string;
  /** It runs nothing where it stands, and may be used before it: it comes first in its script. */
  readonly isHoisted: boolean;
  readonly declares: readonly string[];
  /** Names that other pieces declare. */
  readonly uses: ReadonlySet<string>;
}

/** A part of the program, and what it is loaded for. */
export interface Root {
  readonly name: string;
  /** Declarations. */
  readonly locals: readonly string[];
  /** An expression of these: what the registry has under the part's name. */
  readonly left: string;
}

/** How the program asks for a part. */
export function callFor(part: string): string {
  return `registry.part(${JSON.stringify(part)})`;
}

/** By the name of a part; the base has none. */
export type PiecesOf = ReadonlyMap<string | null, readonly Piece[]>;

/** The pieces of a program in order, without its exports; first what it calls by short names. */
export function piecesOf(code: string, program: Program): Piece[] {
  const short = shortNames(freeNames(program).map(({ name }) => name));
  const found: { node: AnyNode; kind: string; declares: string[] }[] = [];
  for (const node of program.body) {
    if (node.type === 'VariableDeclaration') {
      for (const one of node.declarations) {
        found.push({ node: one, kind: node.kind, declares: namesOf(one.id) });
      }
    } else if (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') {
      found.push({ node, kind: '', declares: [node.id.name] });
    } else if (!node.type.startsWith('Export')) found.push({ node, kind: ';', declares: [] });
  }
  const kept = notArrows(program);
  const top = new Set([...short.keys(), ...found.flatMap(({ declares }) => declares)]);
  const own = tied(
    found.map(({ node, kind, declares }) => {
      const free = freeNames(node);
      const names = free.filter(({ name }) => top.has(name));
      const others = names.filter(({ name }) => !declares.includes(name));
      const arrow = node.type === 'FunctionDeclaration' ? arrowOf(code, node, kept) : null;
      return {
        piece: {
          ...{ declares, code: arrow ?? code.slice(node.start, node.end) },
          kind: arrow === null ? kind : 'var',
          isHoisted: node.type === 'FunctionDeclaration',
          uses: new Set(others.map(({ name }) => name)),
        },
        writes: others.filter(({ isWritten }) => isWritten).map(({ name }) => name),
      };
    }),
  );
  const given = [...short].map(([name, of]) => ({
    ...{ code: `${name}=${of}`, kind: 'var', isHoisted: true },
    ...{ declares: [name], uses: new Set<string>() },
  }));
  return [...given, ...own];
}

/** Names of functions that are more than what they do when they are called. */
function notArrows(program: AnyNode): ReadonlySet<string> {
  const names = new Set<string>();
  for (const node of nodesOf(program)) {
    if (node.type === 'NewExpression' && node.callee.type === 'Identifier') {
      names.add(node.callee.name);
    } else if (node.type === 'MemberExpression' && node.object.type === 'Identifier') {
      names.add(node.object.name);
    }
  }
  for (const { name, isWritten } of freeNames({ ...program, type: 'BlockStatement' } as AnyNode)) {
    if (isWritten) names.add(name);
  }
  return names;
}

/** A function as an arrow, which takes fewer bytes and less heap; null where it has to be one. */
function arrowOf(
  code: string,
  node: AnyNode & { type: 'FunctionDeclaration' },
  kept: ReadonlySet<string>,
): string | null {
  const { id, params, body, async, generator } = node;
  if (id === null || generator || kept.has(id.name) || hasOwnThis(body)) return null;
  const names = params.map((one) => code.slice(one.start, one.end));
  return `${id.name}=${async ? 'async ' : ''}(${names})=>${code.slice(body.start, body.end)}`;
}

/** Uses what an arrow has not: inside of other functions too, which may be arrows themselves. */
function hasOwnThis(body: AnyNode): boolean {
  for (const node of nodesOf(body)) {
    if (node.type === 'ThisExpression' || node.type === 'MetaProperty') return true;
    if (node.type === 'Identifier' && node.name === 'arguments') return true;
  }
  return false;
}

/**
 * A variable that changes cannot be handed from script to script: all who use it stay together, as
 * if each used all the others.
 */
function tied(all: readonly { piece: Piece; writes: readonly string[] }[]): Piece[] {
  const changing = new Set(all.flatMap(({ writes }) => writes));
  const together = new Map<string, string[]>();
  for (const { piece } of all) {
    for (const name of [...piece.declares, ...piece.uses].filter((one) => changing.has(one))) {
      if (piece.declares.length === 0) throw new Error(`a statement uses ${name}, which changes`);
      together.set(name, [...(together.get(name) ?? []), ...piece.declares]);
    }
  }
  return all.map(({ piece }) => {
    const names = [...piece.declares, ...piece.uses];
    const others = names.flatMap((name) => together.get(name) ?? []);
    const uses = [...piece.uses, ...others].filter((name) => !piece.declares.includes(name));
    return { ...piece, uses: new Set(uses) };
  });
}

/**
 * Which pieces each part needs beside what is loaded before it. `base`: the names that the program
 * itself begins with. A statement that declares nothing is the base's.
 */
export function distribute(
  pieces: readonly Piece[],
  base: readonly string[],
  roots: readonly Root[],
): PiecesOf {
  let within: Within = new Map();
  for (;;) {
    const ownerOf = owners(pieces, base, roots, within);
    const next = askers(pieces, ownerOf, roots);
    if (roots.every(({ name }) => next.get(name) === within.get(name))) {
      const names = [null, ...roots.map(({ name }) => name)];
      return new Map(
        names.map((name) => [name, pieces.filter((piece) => ownerOf.get(piece) === name)]),
      );
    }
    within = next;
  }
}

/** By the name of a part, the one that asks for it, which is loaded then. */
type Within = ReadonlyMap<string, string | null>;
type Owners = ReadonlyMap<Piece, string | null>;

function owners(
  pieces: readonly Piece[],
  base: readonly string[],
  roots: readonly Root[],
  within: Within,
): Owners {
  const byName = new Map(pieces.flatMap((one) => one.declares.map((name) => [name, one] as const)));
  /** From the base down to a part. */
  const pathTo = (name: string | null): (string | null)[] =>
    name === null ? [null] : [...pathTo(within.get(name) ?? null), name];
  const ownerOf = new Map<Piece, string | null>();
  const claim = (owner: string | null, first: Iterable<string>): void => {
    const seen = new Set<Piece>();
    const open = [...first];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      const piece = byName.get(name);
      if (piece === undefined || seen.has(piece)) continue;
      seen.add(piece);
      const before = ownerOf.get(piece);
      ownerOf.set(piece, before === undefined ? owner : lastCommon(pathTo(before), pathTo(owner)));
      open.push(...piece.uses);
    }
  };
  const statements = pieces.filter(({ declares }) => declares.length === 0);
  for (const one of statements) ownerOf.set(one, null);
  claim(null, [...base, ...statements.flatMap(({ uses }) => [...uses])]);
  for (const { name, locals } of roots) claim(name, locals);
  return ownerOf;
}

/** The last part that is loaded wherever a part is asked for: the base where there are several. */
function askers(pieces: readonly Piece[], ownerOf: Owners, roots: readonly Root[]): Within {
  return new Map(
    roots.map(({ name }) => {
      const asking = pieces.filter(({ code }) => code.includes(callFor(name)));
      const [first = null, ...others] = new Set(asking.map((piece) => ownerOf.get(piece) ?? null));
      return [name, others.length === 0 && first !== name ? first : null];
    }),
  );
}

function lastCommon(a: readonly (string | null)[], b: readonly (string | null)[]): string | null {
  const shared = a.filter((name, at) => name === b[at]);
  return shared[shared.length - 1] ?? null;
}

/**
 * Cuts pieces into runs of at most `bytesMax` characters, or of what cannot be cut: none uses a
 * later one.
 */
export function cut(pieces: readonly Piece[], bytesMax: number): Piece[][] {
  const placeOf = new Map(
    pieces.flatMap(({ declares }, at) => declares.map((name) => [name, at] as const)),
  );
  const runs: Piece[][] = [];
  let from = 0;
  let mayEndAt = 0;
  let needed = 0;
  let bytes = 0;
  for (const [at, { code, uses }] of pieces.entries()) {
    if (at > needed) mayEndAt = at;
    if (bytes + code.length > bytesMax && mayEndAt > from) {
      runs.push(pieces.slice(from, mayEndAt));
      bytes = pieces.slice(mayEndAt, at).reduce((sum, one) => sum + one.code.length, 0);
      from = mayEndAt;
    }
    bytes += code.length;
    for (const name of uses) needed = Math.max(needed, placeOf.get(name) ?? 0);
    needed = Math.max(needed, at);
  }
  return [...runs, pieces.slice(from)];
}

/** What surrounds a run of pieces in its script. */
interface Frame {
  /** Where it takes from what earlier scripts declare. */
  readonly from: (name: string) => string;
  /** What comes behind the pieces. */
  readonly end: string;
}

/** A run of pieces as a script: a function of `registry`. */
export function scriptOf(pieces: readonly Piece[], { from, end }: Frame): string {
  const taken = new Map<string, string[]>();
  for (const name of takenBy(pieces)) {
    taken.set(from(name), [...(taken.get(from(name)) ?? []), name]);
  }
  const all = [...taken].map(([source, names]) => `{${names}}=${source}`);
  const head = all.length > 0 ? `var ${all};` : '';
  return `(function(registry){"use strict";${head}${joined(pieces)}\n${end}})\n`;
}

/** Names of others that a run uses. */
export function takenBy(pieces: readonly Piece[]): string[] {
  const own = new Set(pieces.flatMap(({ declares }) => declares));
  const used = pieces.flatMap(({ uses }) => [...uses]);
  return [...new Set(used.filter((name) => !own.has(name)))];
}

/** Names of a run that others use. */
export function givenBy(pieces: readonly Piece[], others: readonly Piece[]): string[] {
  const used = new Set(others.flatMap(({ uses }) => [...uses]));
  return pieces.flatMap(({ declares }) => declares.filter((name) => used.has(name)));
}

function joined(pieces: readonly Piece[]): string {
  let text = '';
  let open = '';
  const first = pieces.filter(({ isHoisted }) => isHoisted);
  for (const { code, kind } of [...first, ...pieces.filter(({ isHoisted }) => !isHoisted)]) {
    if (kind.length > 1 && kind === open) text += `,${code}`;
    else text += `${open === '' ? '' : ';'}${kind.length > 1 ? `${kind} ` : ''}${code}`;
    open = kind;
  }
  return open === '' ? text : `${text};`;
}
