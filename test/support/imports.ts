// The sources as a graph: who imports whom, types included.

import type { Source } from './sources.ts';

type Sources = ReadonlyMap<string, Source>;

/** What `found` says of each source that it says something of. */
export function byFile(
  sources: Sources,
  found: (source: Source) => readonly string[],
): Map<string, readonly string[]> {
  const all = [...sources.values()].map((source) => [source.path, found(source)] as const);
  return new Map(all.filter(([, faults]) => faults.length > 0));
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

interface Floors {
  readonly sources: number;
  /** Pairs of sources of which one imports the other. */
  readonly imports: number;
  /** A room is a file at the folder's top, or a folder in it with all that is below. */
  readonly rooms: number;
  /** Pairs of rooms of which one imports the other. */
  readonly arrows: number;
  /** Of the longest chain of rooms that import one another; those of a circle count as one. */
  readonly floors: number;
  /** Rooms that import themselves by way of others. */
  readonly circling: number;
}

/**
 * How high a folder is built, and how closely: types and `import()` count; tests do not.
 *
 * @param folder - with a slash at its end
 */
export function floorsOf(sources: Sources, folder: string): Floors {
  const own = [...sources.keys()].filter(
    (path) => path.startsWith(folder) && !path.endsWith('.test.ts'),
  );
  const roomOf = (path: string): string => path.slice(folder.length).split('/')[0] ?? '';
  const pairs = own.flatMap((path) =>
    importsOf(sources, path)
      .filter((to) => own.includes(to))
      .map((to) => [roomOf(path), roomOf(to)] as const),
  );
  const rooms = new Map<string, Set<string>>(own.map((path) => [roomOf(path), new Set()]));
  for (const [from, to] of pairs) if (from !== to) rooms.get(from)?.add(to);
  const below = new Map([...rooms.keys()].map((room) => [room, reached(room, rooms)]));
  const levels = [...rooms.keys()].map((room) => levelOf(room, below));
  return {
    sources: own.length,
    imports: pairs.length,
    rooms: rooms.size,
    arrows: [...rooms.values()].reduce((sum, to) => sum + to.size, 0),
    floors: Math.max(...levels),
    circling: [...below].filter(([room, to]) => to.has(room)).length,
  };
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

/** From 1, of a room that imports none but those of its own circle. */
function levelOf(room: string, below: ReadonlyMap<string, ReadonlySet<string>>): number {
  const lower = [...(below.get(room) ?? [])].filter((to) => !below.get(to)?.has(room));
  return 1 + Math.max(0, ...lower.filter((to) => to !== room).map((to) => levelOf(to, below)));
}
