// The collections of one remote that were made at run time: the kind is code, the instance is
// stored. Each has one value of its own, `<g>.i.<n>`, and its records under the letter `_<n>`: both
// go with the generation. One that is being removed is marked first, and its value goes last, so
// that whoever opens the generation next ends what was begun. One that is to go from the server as
// well stays until its deletions have gone up: `leaving`.

import type { Platform, Storage } from '../../platform/ports.ts';
import type { Collection } from '../collections/collection.ts';
import type { Strategy } from '../config.ts';
import { badInput, notEnabled, ported } from '../errors.ts';
import { MADE_COLLECTIONS_MAX } from '../limits.ts';
import { rangeEnd } from '../store/layout.ts';
import { removeRange } from '../store/mend.ts';
import { jsonStored, storedObject } from '../store/stored.ts';

/** A kind of collection of which there may be any number. */
export interface Kind {
  readonly kind: string;
  /** Null for a name that it does not take. */
  collection(name: string): Collection | null;
  /** Which names it takes, in words. */
  readonly names: string;
  /** What servers call it, where that is a secret of the user's; left out: its own name. */
  wireName?(name: string, secret: Uint8Array): string;
}

export interface Made {
  readonly n: number;
  readonly kind: string;
  /** As whoever made it calls it. */
  readonly name: string;
  /** As servers call it. */
  readonly collection: Collection;
  readonly isDropped: boolean;
  /** What becomes of its conflicts; left out: what its kind makes of them. */
  readonly strategy?: Strategy | undefined;
}

export interface Instances {
  /** Those of the generation that is open. */
  readonly made: readonly Made[];
  readonly collections: readonly Collection[];
  /** Reads which there are, and ends removals that were begun. Errors: those of the storage. */
  opening(generation: string): Promise<void>;
  /**
   * Once it is there, nothing more. `isTaken`: by another collection of the device, or by the
   * server. Errors: `badInput`, those of the storage, and of the account manager.
   */
  create(
    kind: Kind,
    name: unknown,
    isTaken: (name: string) => boolean,
    strategy?: Strategy,
  ): Promise<void>;
  /** Marks one that goes when its deletions have gone up. Errors: those of the storage. */
  leave(one: Made): Promise<void>;
  /** `closed`: nothing of it is in anybody's hands any more. Errors: those of the storage. */
  remove(one: Made, closed: () => Promise<void>): Promise<void>;
}

/** The secret of a generation that names are made with. */
type SecretOf = (generation: string) => Promise<Uint8Array>;

const MODEL = { kind: '', name: '', isGone: false };

export function createInstances(
  { storage, clock }: Platform,
  kinds: readonly Kind[],
  isBuiltIn: (name: string) => boolean,
  secretOf: SecretOf,
): Instances {
  let generation: string | null = null;
  let made: readonly Made[] = [];
  let last = 0;

  const keyOf = (n: number): string => `${generation}.i.${n.toString(36)}`;
  const clear = async (n: number): Promise<void> => {
    await removeRange({ storage, clock }, `${generation}._${n.toString(36)}.`);
    await ported(storage.commit([[keyOf(n), null]]));
  };
  const mark = (one: Made, isGone: boolean): Promise<void> =>
    ported(storage.commit([[keyOf(one.n), storedOf(one, isGone)]]));
  const change = async (one: Made, isDropped: boolean): Promise<void> => {
    const changed = { ...one, isDropped };
    await mark(changed, false);
    made = made.map((other) => (other === one ? changed : other));
  };
  const instance = makerOf(kinds, isBuiltIn, secretOf);

  return {
    get made() {
      return made;
    },
    get collections() {
      return made.map(({ collection }) => collection);
    },
    async opening(now) {
      generation = now;
      made = [];
      last = 0;
      for (const { n, entry } of await storedIn(storage, now)) {
        last = Math.max(last, n);
        if (entry?.isGone) await clear(n);
        if (entry === null || entry.isGone) continue;
        const { kind, name, isDropped = false, strategy } = entry;
        // One of a kind that this build does not have stays as it is.
        const one = await instance(now, { n, kind, name, isDropped, strategy });
        if (one !== null) made = [...made, one];
      }
    },
    async create(kind, name, isTaken, strategy) {
      if (generation === null) throw notEnabled();
      const known = made.find((one) => one.name === name && one.kind === kind.kind);
      if (known) return known.isDropped ? change(known, false) : undefined;
      const text = freeName(kind, name, isTaken);
      if (made.length >= MADE_COLLECTIONS_MAX) {
        throw badInput(`name: there are ${MADE_COLLECTIONS_MAX} such collections, and no more fit`);
      }
      const entry = { n: ++last, kind: kind.kind, name: text, isDropped: false, strategy };
      const one = await instance(generation, entry);
      if (one === null) throw badInput(`name: ${text} is taken`);
      await mark(one, false);
      made = [...made, one];
    },
    leave: (one) => change(one, true),
    async remove(one, closed) {
      await mark(one, true);
      made = made.filter((other) => other !== one);
      await closed();
      await clear(one.n);
    },
  };
}

type Entry = typeof MODEL & { readonly isDropped?: boolean; readonly strategy?: Strategy };

function storedOf({ kind, name, isDropped, strategy }: Made, isGone: boolean): string {
  return jsonStored({ kind, name, isGone, ...(isDropped && { isDropped }), strategy });
}

/** What is stored of the collections of a generation; null: not what was written. */
async function storedIn(
  storage: Storage,
  generation: string,
): Promise<{ readonly n: number; readonly entry: Entry | null }[]> {
  const from = `${generation}.i.`;
  const limit = 2 * MADE_COLLECTIONS_MAX;
  const keys = await ported(storage.scan({ from, to: rangeEnd(from), limit }));
  const values = keys.length > 0 ? await ported(storage.get(keys)) : [];
  return keys.map((key, at) => {
    const value = values[at] ?? null;
    return {
      n: Number.parseInt(key.slice(from.length), 36),
      entry: value === null ? null : storedObject<Entry>(MODEL, value),
    };
  });
}

/** How the collections of one kind are made of what is stored of them. */
function makerOf(
  kinds: readonly Kind[],
  isBuiltIn: (name: string) => boolean,
  secretOf: SecretOf,
): (generation: string, entry: Omit<Made, 'collection'>) => Promise<Made | null> {
  return async (generation, entry) => {
    const found = kinds.find(({ kind }) => kind === entry.kind);
    const plain = found?.collection(entry.name) ?? null;
    if (found === undefined || plain === null) return null;
    const name = found.wireName?.(entry.name, await secretOf(generation)) ?? entry.name;
    if (isBuiltIn(name)) return null;
    const { n, strategy } = entry;
    const own = { name, letter: `_${n.toString(36)}`, ...(strategy && { strategy }) };
    return { ...entry, collection: { ...plain, ...own } };
  };
}

function freeName(kind: Kind, name: unknown, isTaken: (name: string) => boolean): string {
  if (typeof name !== 'string' || kind.collection(name) === null) {
    throw badInput(`name: not ${kind.names}`);
  }
  if (isTaken(name)) throw badInput(`name: ${name} is taken`);
  return name;
}
