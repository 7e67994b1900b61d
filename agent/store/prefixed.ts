// What one of several remotes sees of the device's storage: its own keys, as if there were no
// others. A named remote's begin with `:NAME:`; no key of the first one begins with `:`, which lies
// behind all generations and before all words of the layout. What is lost by damage is lost for
// all: a repair leaves its note with each.

import type { ScanRange, Storage } from '../../platform/ports.ts';

/** All keys of the named remotes lie from here up to `NAMED_END`. */
export const NAMED = ':';
export const NAMED_END = ';';

/** What the keys of a remote begin with; null: the first one's, which begin with nothing. */
export function prefixOf(name: string | null): string {
  return name === null ? '' : `${NAMED}${name}:`;
}

/** The others that a storage is shared with. */
export interface Sharing {
  /** Of all remotes, one's own as well. */
  readonly prefixes: readonly string[];
  /** A repair has lost values. */
  lost(): void;
}

/** The part of a storage whose keys begin with `prefix`; keys are given and got without it. */
export function prefixed(storage: Storage, prefix: string, { prefixes, lost }: Sharing): Storage {
  // What is no key of the part is none of the whole.
  const whole = (key: string): string => (key === '' ? key : prefix + key);
  const scan = (range: ScanRange): Promise<string[]> => storage.scan(range);
  return {
    get: (keys) => storage.get(keys.map(whole)),
    async scan(range) {
      if (prefix === '') return scanAround(range, scan);
      const { from, to } = range;
      const keys = await scan({ ...range, from: prefix + from, to: prefix + to });
      return keys.map((key) => key.slice(prefix.length));
    },
    commit: (changes) =>
      storage.commit(changes.map(([key, value]) => [whole(key), value] as const)),
    ...(storage.repair && {
      async repair(ifLost) {
        const notes = prefixes.flatMap((one) =>
          ifLost.map(([key, value]) => [one + key, value] as const),
        );
        const isWhole = (await storage.repair?.(notes)) ?? true;
        if (!isWhole) lost();
        return isWhole;
      },
    }),
  };
}

/** The keys of a range but for those of named remotes. */
async function scanAround(
  range: ScanRange,
  scan: (range: ScanRange) => Promise<string[]>,
): Promise<string[]> {
  const { from, to, limit, reverse } = range;
  if (to <= NAMED || from >= NAMED_END) return scan(range);
  const parts = [
    { ...range, to: NAMED },
    { ...range, from: NAMED_END },
  ].filter((part) => part.from < part.to);
  const keys: string[] = [];
  for (const part of reverse ? parts.reverse() : parts) {
    const left = limit - keys.length;
    if (left > 0) keys.push(...(await scan({ ...part, limit: left })));
  }
  return keys;
}
