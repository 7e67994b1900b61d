// The scripts that a device evaluates: the whole program as one, or the base in pieces that a small
// heap compiles, and behind it each part. All give the same program; a device that knows of no
// parts evaluates all of them in their order.

import {
  callFor,
  cut,
  distribute,
  givenBy,
  type Piece,
  type PiecesOf,
  type Root,
  scriptOf,
  takenBy,
} from './cut.ts';
import type { Whole } from './program.ts';
import { shrunkOnce } from './shrink.ts';

export interface Script {
  readonly code: string;
  /** The part that it belongs to; null: the base. */
  readonly part: string | null;
}

interface Draft extends Script {
  /**
   * Names that it shares with others: they stay, because what all scripts would share are longer
   * ones, and an engine keeps each name once.
   */
  readonly crossing: readonly string[];
}

/** The program with all its parts as one script, which returns `boot`. */
export function wholeScript({ pieces, boot, roots, syntax }: Whole): Promise<string> {
  const all = pieces.map((piece) => ({
    ...piece,
    code: roots.reduce(
      (text, { name }) => text.split(callFor(name)).join(partIn(name)),
      piece.code,
    ),
  }));
  const parts = roots.map(({ name, left }) => ({
    ...{ code: `${partIn(name)}=${left}`, kind: 'var', isHoisted: false },
    ...{ declares: [partIn(name)], uses: new Set<string>() },
  }));
  const end = `return ${bootWith(boot)}`;
  return shrunkOnce(scriptOf([...all, ...parts], { from: () => 'registry', end }), syntax, []);
}

/** A part's variable where all of them are there. */
function partIn(name: string): string {
  return `part$${name.replace(/\W/g, '$')}`;
}

/**
 * The same in scripts of at most `bytesMax`, or of what cannot be cut. The last of the base returns
 * `boot`, and so does the last of all.
 */
export async function scriptsOf(whole: Whole, bytesMax: number): Promise<Script[]> {
  const { pieces, boot, roots, syntax } = whole;
  const all = distribute(pieces, [boot], roots);
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
  const drafts: Draft[] = [
    ...baseScripts(
      base,
      parts.flatMap(({ run }) => run),
      boot,
    ),
  ];
  for (const [at, { part, run }] of parts.entries()) {
    const elsewhere = parts.filter((other) => other.run !== run).flatMap((other) => other.run);
    // Who evaluates all of them takes it from the last.
    const boots = at === parts.length - 1 ? 'return registry.boot' : '';
    const given = givenBy(run, elsewhere);
    const end = give('registry', given) + boots;
    const crossing = [...takenBy(run), ...given];
    drafts.push({ code: scriptOf(run, { from: () => 'registry', end }), part, crossing });
  }
  const done = drafts.map(({ code, crossing }) => shrunkOnce(code, syntax, crossing));
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
): Draft[] {
  const given = runs.map((run, at) => {
    const forParts = givenBy(run, later);
    const forBase = givenBy(run, runs.slice(at + 1).flat()).filter((n) => !forParts.includes(n));
    return { forParts, forBase };
  });
  const firstForBase = given.findIndex(({ forBase }) => forBase.length > 0);
  return runs.map((run, at) => {
    const { forParts = [], forBase = [] } = given[at] ?? {};
    const end = [
      give(at === firstForBase ? `${BASE}={}` : BASE, forBase),
      give('registry', forParts),
      // What only the base needs is no longer kept by a name.
      at === runs.length - 1 ? `delete ${BASE};return registry.boot=${bootWith(boot)}` : '',
    ];
    const kept = new Set(givenBy(runs.slice(0, at).flat(), later));
    const from = (name: string): string => (kept.has(name) ? 'registry' : BASE);
    const code = scriptOf(run, { from, end: end.join('') });
    return { code, part: null, crossing: [...takenBy(run), ...forBase, ...forParts] };
  });
}

const BASE = 'registry.base';

function give(to: string, names: readonly string[]): string {
  return names.length > 0 ? `Object.assign(${to},{${names}});` : '';
}

/** The program's `boot` takes the registry, a device's does not. */
function bootWith(boot: string): string {
  return `host=>${boot}(host,registry)`;
}

/** Leaves in the registry what a part is loaded for. */
function leaving({ name, locals, left }: Root): Piece {
  return {
    code: `registry[${JSON.stringify(name)}]=${left}`,
    ...{ kind: ';', isHoisted: false, declares: [] },
    uses: new Set(locals),
  };
}

/** Names in the registry: those of parts, and the declarations that cross, are never the same. */
function checkNames(all: PiecesOf, roots: readonly Root[]): void {
  const taken = new Set(['base', 'boot', 'part', 'registry', ...roots.map(({ name }) => name)]);
  const declared = [...all.values()].flat().flatMap(({ declares }) => declares);
  const wrong = declared.filter((name) => taken.has(name));
  if (wrong.length > 0) throw new Error(`a declaration has the name of a part: ${wrong}`);
}
