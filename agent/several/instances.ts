// The collections of one remote that were made at run time: the kind is code, the instance is
// stored. Each has one value of its own, `<g>.i.<n>`, and its records under the letter `_<n>`: both
// go with the generation. One that is being removed is marked first, and its value goes last, so
// that whoever opens the generation next ends what was begun.

import type { Platform } from '../../platform/ports.ts';
import type { Collection } from '../collections/collection.ts';
import { badInput, notEnabled, ported } from '../errors.ts';
import { MADE_COLLECTIONS_MAX } from '../limits.ts';
import { rangeEnd } from '../store/layout.ts';
import { removeRange } from '../store/mend.ts';
import { jsonStored, storedObject } from '../store/stored.ts';

/** A kind of collection of which there may be any number. */
export interface Kind {
  readonly kind: string;
  /** Null for a name that no server takes. */
  collection(name: string): Collection | null;
  /** Which names it takes, in words. */
  readonly names: string;
}

interface Made {
  readonly n: number;
  readonly collection: Collection;
  readonly kind: string;
}

export interface Instances {
  /** Those of the generation that is open. */
  readonly collections: readonly Collection[];
  /** Reads which there are, and ends removals that were begun. Errors: those of the storage. */
  opening(generation: string): Promise<void>;
  /**
   * `isTaken`: by another collection of the device, or by the server. Errors: `badInput`, those of
   * the storage.
   */
  create(kind: unknown, name: unknown, isTaken: (name: string) => boolean): Promise<void>;
  /** `closed`: nothing of it is in anybody's hands any more. Errors: those of the storage. */
  remove(name: string, closed: () => Promise<void>): Promise<void>;
}

const MODEL = { kind: '', name: '', isGone: false };

export function createInstances(
  { storage, clock }: Platform,
  kinds: readonly Kind[],
  isBuiltIn: (name: string) => boolean,
): Instances {
  let generation: string | null = null;
  let made: readonly Made[] = [];
  let last = 0;

  const keyOf = (n: number): string => `${generation}.i.${n.toString(36)}`;
  const clear = async (n: number): Promise<void> => {
    await removeRange({ storage, clock }, `${generation}._${n.toString(36)}.`);
    await ported(storage.commit([[keyOf(n), null]]));
  };
  const instance = (n: number, kind: unknown, name: string): Made | null => {
    const found = kinds.find((one) => one.kind === kind);
    const collection = found?.collection(name) ?? null;
    if (found === undefined || collection === null || isBuiltIn(name)) return null;
    return { n, kind: found.kind, collection: { ...collection, letter: `_${n.toString(36)}` } };
  };

  return {
    get collections() {
      return made.map(({ collection }) => collection);
    },
    async opening(now) {
      generation = now;
      made = [];
      last = 0;
      const from = `${now}.i.`;
      const limit = 2 * MADE_COLLECTIONS_MAX;
      const keys = await ported(storage.scan({ from, to: rangeEnd(from), limit }));
      const values = keys.length > 0 ? await ported(storage.get(keys)) : [];
      for (const [at, key] of keys.entries()) {
        const n = Number.parseInt(key.slice(from.length), 36);
        last = Math.max(last, n);
        const value = values[at] ?? null;
        const entry = value === null ? null : storedObject(MODEL, value);
        if (entry?.isGone) await clear(n);
        // One of a kind that this build does not have stays as it is.
        const one = entry === null || entry.isGone ? null : instance(n, entry.kind, entry.name);
        if (one !== null) made = [...made, one];
      }
    },
    async create(kind, name, isTaken) {
      if (generation === null) throw notEnabled();
      const found = kindOf(kinds, kind);
      if (made.some((one) => one.collection.name === name && one.kind === kind)) return;
      const text = freeName(found, name, isTaken);
      if (made.length >= MADE_COLLECTIONS_MAX) {
        throw badInput(`name: there are ${MADE_COLLECTIONS_MAX} such collections, and no more fit`);
      }
      const one = instance(++last, kind, text);
      if (one === null) throw badInput(`name: ${text} is taken`);
      const entry = { kind, name: text, isGone: false };
      await ported(storage.commit([[keyOf(one.n), jsonStored(entry)]]));
      made = [...made, one];
    },
    async remove(name, closed) {
      const one = made.find(({ collection }) => collection.name === name);
      if (one === undefined) return;
      const { n, kind } = one;
      await ported(storage.commit([[keyOf(n), jsonStored({ kind, name, isGone: true })]]));
      made = made.filter((other) => other !== one);
      await closed();
      await clear(n);
    },
  };
}

function kindOf(kinds: readonly Kind[], kind: unknown): Kind {
  const found = kinds.find((one) => one.kind === kind);
  if (found !== undefined) return found;
  throw badInput(`kind: not one of ${kinds.map((one) => one.kind).join(', ')}`);
}

function freeName(kind: Kind, name: unknown, isTaken: (name: string) => boolean): string {
  if (typeof name !== 'string' || kind.collection(name) === null) {
    throw badInput(`name: not ${kind.names}`);
  }
  if (isTaken(name)) throw badInput(`name: ${name} is taken`);
  return name;
}
