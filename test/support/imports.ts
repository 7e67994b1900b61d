// The sources as a graph: who imports whom, types included.

import type { Source } from './sources.ts';

type Sources = ReadonlyMap<string, Source>;

/** What `found` says of each source that it says something of, a line each. */
export function faultsIn(sources: Sources, found: (source: Source) => readonly string[]): string[] {
  return [...sources.values()].flatMap((source) =>
    found(source).map((fault) => `${source.path}: ${fault}`),
  );
}

/** The sources that `path` imports, each once. */
export function importsOf(sources: Sources, path: string): string[] {
  const all = sources.get(path)?.imports.map(({ to }) => to) ?? [];
  return [...new Set(all)].filter((to) => sources.has(to));
}

/** Of every source that is in one: a shortest circle, from it to it. */
export function circles(sources: Sources): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const start of sources.keys()) {
    const circle = wayBack(sources, start);
    if (circle) found.set(start, circle);
  }
  return found;
}

function wayBack(sources: Sources, start: string): string[] | null {
  const seen = new Set<string>();
  let trails = [[start]];
  while (trails.length > 0) {
    const longer: string[][] = [];
    for (const trail of trails) {
      for (const to of importsOf(sources, trail.at(-1) ?? start)) {
        if (to === start) return [...trail, to];
        if (!seen.has(to)) longer.push([...trail, to]);
        seen.add(to);
      }
    }
    trails = longer;
  }
  return null;
}

interface Built {
  /** Files, or what they are gathered in. */
  readonly places: number;
  /** Pairs of places of which one imports the other. */
  readonly imports: number;
  /** Of the longest chain of places that import one another; those of a circle count as one. */
  readonly layers: number;
  /** Places that import themselves by way of others. */
  readonly circling: number;
}

/**
 * How high a folder is built, and how closely: types and `import()` count; tests do not.
 *
 * @param folder - with a slash at its end
 * @param placeOf - where a file belongs, by its path below the folder
 */
export function builtOf(
  sources: Sources,
  folder: string,
  placeOf: (path: string) => string,
): Built {
  const own = [...sources.keys()].filter(
    (path) => path.startsWith(folder) && !path.endsWith('.test.ts'),
  );
  const place = (path: string): string => placeOf(path.slice(folder.length));
  const places = new Map<string, Set<string>>(own.map((path) => [place(path), new Set()]));
  for (const path of own) {
    const below = importsOf(sources, path).filter((to) => own.includes(to));
    for (const to of below.map(place)) if (to !== place(path)) places.get(place(path))?.add(to);
  }
  const below = new Map([...places.keys()].map((one) => [one, reached(one, places)]));
  return {
    places: places.size,
    imports: [...places.values()].reduce((sum, to) => sum + to.size, 0),
    layers: Math.max(...levelsOf(below).values()),
    circling: [...below].filter(([one, to]) => to.has(one)).length,
  };
}

/** A file at the top of a folder is a room, and each folder in it with all that is below. */
export function roomBelow(path: string): string {
  return path.split('/')[0] ?? '';
}

function reached(from: string, to: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const all = new Set<string>();
  const walk = (one: string): void => {
    for (const next of to.get(one) ?? []) {
      if (all.has(next)) continue;
      all.add(next);
      walk(next);
    }
  };
  walk(from);
  return all;
}

/** From 1, of a place that imports none but those of its own circle. */
function levelsOf(below: ReadonlyMap<string, ReadonlySet<string>>): Map<string, number> {
  const levels = new Map<string, number>();
  const levelOf = (one: string): number => {
    const known = levels.get(one);
    if (known !== undefined) return known;
    const lower = [...(below.get(one) ?? [])].filter((to) => !below.get(to)?.has(one));
    const level = 1 + Math.max(0, ...lower.map(levelOf));
    levels.set(one, level);
    return level;
  };
  for (const one of below.keys()) levelOf(one);
  return levels;
}
