// The scripts that a device evaluates: the whole program as one, or the base in pieces that a small
// heap compiles, and behind it each part. All give the same program; a device that knows of no
// parts evaluates all of them in their order.

import { transform } from 'esbuild';
import {
  cut,
  distribute,
  givenBy,
  type Piece,
  type PiecesOf,
  piecesOf,
  type Root,
  scriptOf,
} from './cut.ts';
import type { Whole } from './program.ts';
import { shrunk } from './shrink.ts';

export interface Script {
  readonly code: string;
  /** The part that it belongs to; null: the base. */
  readonly part: string | null;
}

/** The program with all its parts as one script, which returns `boot`. */
export function wholeScript({ code, program, boot, roots, syntax }: Whole): Promise<string> {
  const pieces = [...piecesOf(code, program), ...roots.map(leaving)];
  const end = `return ${bootWith(boot)}`;
  return minified(scriptOf(pieces, { from: 'registry', end }), syntax);
}

/** The same in scripts of at most `bytesMax`, or of what cannot be cut; each may return `boot`. */
export async function scriptsOf(whole: Whole, bytesMax: number): Promise<Script[]> {
  const { code, program, boot, roots, syntax } = whole;
  const all = distribute(piecesOf(code, program), [boot], roots);
  checkNames(all, roots);
  const partsOf = (name: string): readonly Piece[] => all.get(name) ?? [];
  const isPart = ({ name }: Root): boolean => partsOf(name).length > 0;
  // What is a part by its name only is in the base.
  const others = roots.filter((root) => !isPart(root));
  const base = cut([...(all.get(null) ?? []), ...others.map(leaving)], bytesMax);
  const parts = roots.filter(isPart).flatMap((root) => {
    const pieces = [...partsOf(root.name), leaving(root)];
    return cut(pieces, bytesMax).map((run) => ({ part: root.name, run }));
  });
  const drafts = [
    ...baseScripts(
      base,
      parts.flatMap(({ run }) => run),
      boot,
    ),
  ];
  for (const { part, run } of parts) {
    const elsewhere = parts.filter((other) => other.run !== run).flatMap((other) => other.run);
    const end = `${give('registry', givenBy(run, elsewhere))}return registry.boot`;
    drafts.push({ code: scriptOf(run, { from: 'registry', end }), part });
  }
  const done = drafts.map(({ code }) => minified(code, syntax));
  return (await Promise.all(done)).map((text, at) => ({
    code: text,
    part: drafts[at]?.part ?? null,
  }));
}

/** `later`: what parts hold. */
function baseScripts(
  runs: readonly (readonly Piece[])[],
  later: readonly Piece[],
  boot: string,
): Script[] {
  return runs.map((run, at) => {
    const forBase = givenBy(run, runs.slice(at + 1).flat());
    const end = [
      give(at === 0 ? `${BASE}={}` : BASE, forBase),
      give('registry', givenBy(run, later)),
      // What only the base needs is no longer kept by a name.
      at === runs.length - 1 ? `delete ${BASE};return registry.boot=${bootWith(boot)}` : '',
    ];
    return { code: scriptOf(run, { from: BASE, end: end.join('') }), part: null };
  });
}

const BASE = 'registry.base';

/**
 * With names of its own: those that all scripts would share are longer, and an engine keeps each
 * name once.
 */
async function minified(script: string, syntax: number): Promise<string> {
  // Given to a variable, so that it is something that is used.
  const { code } = await transform(`script=${script}`, { minify: true, target: `es${syntax}` });
  return shrunk(code.replace(/^script=/, '').replace(/;?\s*$/, ''), syntax);
}

function give(to: string, names: readonly string[]): string {
  return names.length > 0 ? `Object.assign(${to},{${names}});` : '';
}

/** The program's `boot` takes the registry, a device's does not. */
function bootWith(boot: string): string {
  return `host=>${boot}(host,registry)`;
}

/** Leaves in the registry what a part is loaded for. */
function leaving({ name, locals }: Root): Piece {
  const members = [...locals].map(([member, local]) => `${member}:${local}`);
  return {
    code: `registry[${JSON.stringify(name)}]={${members}}`,
    ...{ kind: ';', isHoisted: false, declares: [], globals: [] },
    uses: new Set(locals.values()),
  };
}

/** Names in the registry: those of parts, and the declarations that cross, are never the same. */
function checkNames(all: PiecesOf, roots: readonly Root[]): void {
  const taken = new Set(['base', 'boot', 'part', 'registry', ...roots.map(({ name }) => name)]);
  const declared = [...all.values()].flat().flatMap(({ declares }) => declares);
  const wrong = declared.filter((name) => taken.has(name));
  if (wrong.length > 0) throw new Error(`a declaration has the name of a part: ${wrong}`);
}
