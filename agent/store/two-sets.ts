// Two sets of one collection's keys behind a view of the storage: one is live, the other is empty,
// a stage that is being filled, or what is left of the set that was live before. One commit makes a
// stage the live set. Readers see the live set under the keys that a collection always has. A
// record of a stage that is as the live set has it is an empty value, so that flash holds no such
// record twice: sealed values are bound to those keys, and are the same in both sets.

import type { Change, PortError, Storage } from '../../platform/ports.ts';
import { stateOf } from './collection-state.ts';
import type { CollectionKeys } from './layout.ts';
import { createSetStorage, kindOf, liveSet, type Mark, opposite, setKeys } from './set-keys.ts';
import type { OpenBeside, Sets } from './sets.ts';

/** Keys that a step of the sweep looks at, and characters that it moves. */
const SWEPT_KEYS = 200;
const SWEPT_CHARS = 24_000;

export interface Stage extends Storage {
  /** Keys of records that the next commit writes as the live set has them. */
  readonly same: Set<string>;
}

export interface TwoSets<T> extends Sets {
  readonly beside: OpenBeside<T>;
  /** Of the stage that there is, its `CollectionState.epoch`; null: there is none. */
  readonly stagedEpoch: number | null;
  /** The other set, whatever it is. Errors of `commit`: `check`'s. */
  other(check: () => void): Stage;
  /** From now on the other set is a stage. It has to be empty. */
  beginStage(epoch: number): void;
  /** What the other set holds is void. */
  dropStage(): void;
  /** `commit` is one commit of the live store, of its state alone: it makes the stage live. */
  flip(commit: () => Promise<void>): Promise<void>;
  /**
   * Empties the other set, which is no stage, in steps with a pause behind each: a step is one
   * commit, and may be the last one before a cut. Errors of a step: `check`'s.
   */
  sweep(check: () => void, pause: () => Promise<void>): Promise<void>;
}

interface Now {
  live: Mark;
  flips: number;
  isFlipping: boolean;
  isOtherUsed: boolean;
  stagedEpoch: number | null;
}

/** What an earlier listing has left over goes, if there is room. Errors: those of the storage. */
export async function openTwoSets<T>(
  storage: Storage,
  keys: CollectionKeys,
  beside: OpenBeside<T>,
): Promise<TwoSets<T>> {
  const now = await foundOn(storage, keys);
  if (now.stagedEpoch === null) await sweep(storage, keys, now).catch(unlessFull);
  return setsAt(storage, keys, now, beside);
}

/**
 * The first set alone, into which a second one that is live is moved; both as they are where there
 * is no room for that. Errors: those of the storage.
 */
export async function openFirstSet<T>(
  storage: Storage,
  keys: CollectionKeys,
  beside: OpenBeside<T>,
): Promise<Storage & Partial<Sets>> {
  const now = await foundOn(storage, keys);
  try {
    now.stagedEpoch = null;
    await sweep(storage, keys, now);
    if (now.live === '2') await moveToFirst(storage, keys, now);
  } catch (error) {
    unlessFull(error);
    await sweep(storage, keys, now).catch(unlessFull);
  }
  return now.live === '' ? storage : setsAt(storage, keys, now, beside);
}

/** The first set has nothing. A cut in here leaves the second one live, then the first. */
async function moveToFirst(storage: Storage, keys: CollectionKeys, now: Now): Promise<void> {
  now.isOtherUsed = true;
  const second = setKeys(keys, '2');
  for (let from = second.range.from; ; ) {
    const places = await storage.scan({ ...second.range, from, limit: SWEPT_KEYS });
    const changes: Change[] = [];
    let chars = 0;
    for (let n = 0; n < places.length && chars < SWEPT_CHARS; n++) {
      const place = places[n] ?? '';
      from = `${place}!`;
      if (place === keys.second) continue;
      const [value = null] = await storage.get([place]);
      chars += value?.length ?? 0;
      changes.push([second.keyAt(place), value]);
    }
    if (places.length === 0) break;
    if (changes.length > 0) await storage.commit(changes);
  }
  const [cursor = null] = await storage.get([keys.second]);
  await storage.commit([
    [keys.cursor, cursor],
    [keys.second, null],
  ]);
  now.live = '';
  await sweep(storage, keys, now);
}

function setsAt<T>(
  storage: Storage,
  keys: CollectionKeys,
  now: Now,
  beside: OpenBeside<T>,
): TwoSets<T> {
  const sets = createSetStorage(storage, keys);
  const records = keys.record();
  const cursorOf = (mark: Mark): string => (mark === '' ? keys.cursor : keys.second);
  return {
    beside,
    get flips() {
      return now.flips;
    },
    get stagedEpoch() {
      return now.stagedEpoch;
    },
    get: (wanted) => sets.get(now.live, wanted),
    scan: (range) => sets.scan(now.live, range),
    async commit(changes) {
      const { live, isFlipping } = now;
      const other = opposite(live);
      if (isFlipping) {
        await storage.commit([...sets.placed(other, changes), [cursorOf(live), null]]);
        Object.assign(now, { live: other, flips: now.flips + 1, stagedEpoch: null });
        return;
      }
      // A stage stands on the live records: whoever changes them ends it, in the same commit.
      const isVoid = now.stagedEpoch !== null && changes.some(([key]) => key.startsWith(records));
      if (isVoid) now.stagedEpoch = null;
      const end: Change[] = isVoid ? [[cursorOf(other), null]] : [];
      await storage.commit([...sets.placed(live, changes), ...end]);
    },

    other(check) {
      const mark = opposite(now.live);
      const same = new Set<string>();
      return {
        same,
        get: (wanted) => sets.get(mark, wanted),
        scan: (range) => sets.scan(mark, range),
        async commit(changes) {
          check();
          const short = changes.map(([key, value]): Change => [key, same.has(key) ? '' : value]);
          same.clear();
          await storage.commit(sets.placed(mark, short));
        },
      };
    },
    beginStage(epoch) {
      Object.assign(now, { stagedEpoch: epoch, isOtherUsed: true });
    },
    dropStage() {
      now.stagedEpoch = null;
    },
    async flip(commit) {
      now.isFlipping = true;
      try {
        await commit();
      } finally {
        now.isFlipping = false;
      }
    },
    sweep: (check, pause) => sweep(storage, keys, now, check, pause),
  };
}

async function sweep(
  storage: Storage,
  keys: CollectionKeys,
  now: Now,
  check: () => void = () => undefined,
  pause: () => Promise<void> = async () => undefined,
): Promise<void> {
  while (now.isOtherUsed) {
    now.isOtherUsed = await sweepStep(storage, keys, now.live, check);
    await pause();
  }
}

/** A device that is full goes on; it says so when it has something to write. */
function unlessFull(error: unknown): void {
  if (!(error instanceof Error) || (error as Partial<PortError>).code !== 'full') throw error;
}

async function foundOn(storage: Storage, keys: CollectionKeys): Promise<Now> {
  const cursors = await storage.get([keys.cursor, keys.second]);
  const live = await liveSet(storage, keys, cursors);
  const other = cursors[live === '' ? 1 : 0];
  const { range } = setKeys(keys, opposite(live));
  const { epoch, resetting } = stateOf(cursors[live === '' ? 0 : 1]);
  // Of this listing, and not of one before it.
  const isStage = resetting && kindOf(other) === 'stage' && stateOf(other).epoch === epoch;
  return {
    ...{ live, flips: 0, isFlipping: false },
    isOtherUsed: (await storage.scan({ ...range, limit: 1 })).length > 0,
    stagedEpoch: isStage ? epoch : null,
  };
}

/** False: the other set has nothing. What stands for one of its records gets it. */
async function sweepStep(
  storage: Storage,
  keys: CollectionKeys,
  live: Mark,
  check: () => void,
): Promise<boolean> {
  const dead = setKeys(keys, opposite(live));
  const places = await storage.scan({ ...dead.range, limit: SWEPT_KEYS });
  const heirs = places.map((place) => {
    const key = dead.keyAt(place);
    return key.startsWith(keys.record()) ? setKeys(keys, live).place(key) : null;
  });
  const wanted = heirs.filter((heir) => heir !== null);
  const kept = wanted.length > 0 ? await storage.get(wanted) : [];
  const changes: Change[] = [];
  let chars = 0;
  for (let n = 0; n < places.length && chars < SWEPT_CHARS; n++) {
    const [place = '', heir = null] = [places[n], heirs[n]];
    if (heir !== null && kept.shift()?.length === 0) {
      const [value = null] = await storage.get([place]);
      chars += value?.length ?? 0;
      changes.push([heir, value]);
    }
    changes.push([place, null]);
  }
  if (changes.length === 0) return false;
  check();
  await storage.commit(changes);
  return true;
}
