// Conflicts, where a device has a strategy of its own for them: which there are that nobody has
// decided yet, and deciding them. What was decided goes up under the server's version; a newer one
// there is a new conflict. Nothing is ever decided by itself.

import { isObject } from '../../crypto/engine.ts';
import type { Platform } from '../../platform/ports.ts';
import type { Body, Collection } from '../collections/collection.ts';
import { editOf } from '../collections/members.ts';
import { mergeBy, STRATEGIES } from '../collections/strategy.ts';
import type { AgentConfig, Strategy } from '../config.ts';
import { badInput, SyncError } from '../errors.ts';
import { LIST_CHARS_MAX, LIST_MAX } from '../limits.ts';
import { type Entry, isUndecided, NO_ENTRY } from '../store/record.ts';
import type { CollectionStore } from '../store/store.ts';
import { baseKey, baseOf, notingConflicts, undecidedIds } from '../store/undecided.ts';
import { checkSize } from '../wire/record-size.ts';
import type { Core } from './core.ts';
import { ownIdOf, wireIdOf } from './record-id.ts';
import type { Writable } from './records.ts';

/** A record that was changed here and elsewhere. Each version as `get` shows it; null: deleted. */
export interface Conflict {
  readonly id: string;
  /** This device's: what apps see. */
  readonly ours: Body | null;
  /** The server's. */
  readonly theirs: Body | null;
  /** What both were made from; null: nothing that is known. */
  readonly base: Body | null;
  /** Another one when one of the versions is another. */
  readonly tag: string;
}

interface ConflictQuery {
  /** 1 to LIST_MAX. */
  readonly limit: number;
  /** `next` of the call before. */
  readonly after?: string | null;
}

/**
 * This device's version; the server's; a deletion; or another one: what of the version that apps
 * see is otherwise, as `put` takes it (of the server's, where they see none).
 */
export type Resolution = 'ours' | 'theirs' | Body | null;

export interface Conflicts {
  /**
   * Those that wait in a collection whose strategy is `manual`, by id. A page ends early, with a
   * `next`, before its JSON is longer than LIST_CHARS_MAX; it has at least one if there is one.
   * Errors: `badInput` names the field and the limit; `disabled`, those of the storage.
   */
  conflicts(
    collection: string,
    query: ConflictQuery,
  ): Promise<{ readonly conflicts: Conflict[]; readonly next: string | null }>;
  /**
   * Decides one; resolves when that is durable, and the next pass sends it. With `tag`, only if
   * both versions are still those of that conflict. Errors: `notFound` where none waits,
   * `conflict` for an older tag, and those of `put`.
   */
  resolve(collection: string, id: string, resolution: Resolution, tag?: string): Promise<void>;
}

/** What a build has of strategies. */
export interface Strategies {
  /**
   * The collection with the strategy that the device is configured for, or that it was made with.
   * Throws an Error for one that is none, and for `manual` where records are replaced all at once.
   */
  chosen(collection: Collection, config: AgentConfig): Promise<Collection>;
  open(core: Pick<Core, 'reading' | 'writing' | 'changed'>, platform: Platform): Conflicts;
}

export const strategies: Strategies = {
  async chosen(collection, config) {
    const { name } = collection;
    const own = new Map(Object.entries(config.strategies ?? {})).get(name) ?? collection.strategy;
    if (own === undefined) return collection;
    const strategy = checkedStrategy(own, name);
    if (strategy === 'manual' && 'replace' in collection) throw new Error(`${name}: never manual`);
    // Their own stamps say on every device which version stays.
    if (strategy !== 'merge' && collection.stamped) throw new Error(`${name}: never ${strategy}`);
    return notingConflicts({ ...collection, merge: mergeBy(collection, strategy) });
  },
  open: (core, platform) => ({
    conflicts: (name, query) =>
      core.reading(name, (store) => listConflicts(store, platform, query)),
    async resolve(name, id, resolution, tag) {
      const change = await core.writing(name, (to) =>
        resolveOne(to, platform, id, resolution, tag),
      );
      core.changed(name, id, change);
    },
  }),
};

/** Throws an Error for what is none. */
function checkedStrategy(strategy: unknown, name: string): Strategy {
  const found = STRATEGIES.find((one) => one === strategy);
  if (found !== undefined) return found;
  throw new Error(`strategies.${name}: not one of ${STRATEGIES.join(', ')}`);
}

async function listConflicts(
  store: CollectionStore,
  { clock }: Platform,
  { limit, after = null }: ConflictQuery,
): ReturnType<Conflicts['conflicts']> {
  if (!Number.isInteger(limit) || limit < 1 || limit > LIST_MAX) {
    throw badInput(`limit: not an integer from 1 to ${LIST_MAX}`);
  }
  const from = after === null ? null : wireIdOf(store.collection, after, 'after');
  const conflicts: Conflict[] = [];
  let last = from;
  for (let chars = 0; conflicts.length < limit; ) {
    const [id] = await undecidedIds(store, last, 1);
    if (id === undefined) return { conflicts, next: null };
    const conflict = await conflictOf(store, id, () => clock.pause());
    chars += conflict === null ? 0 : JSON.stringify(conflict).length;
    if (chars > LIST_CHARS_MAX && conflicts.length > 0) break;
    if (conflict !== null) conflicts.push(conflict);
    last = id;
  }
  return { conflicts, next: conflicts[conflicts.length - 1]?.id ?? null };
}

/** Null where it is over: a build without strategies has let it go up. */
async function conflictOf(
  store: CollectionStore,
  id: string,
  pause: () => Promise<void>,
): Promise<Conflict | null> {
  const { collection } = store;
  const [entry = NO_ENTRY] = await store.load([id]);
  if (!isUndecided(entry.local)) {
    await forget(store, id);
    return null;
  }
  const [ours, theirs] = [entry.local?.body ?? null, entry.mirror?.body ?? null];
  const base = await baseOf(store, id, pause);
  const shown = (body: Body | null): Body | null => body && collection.view(id, body);
  return {
    id: ownIdOf(collection, id, ours ?? theirs ?? base),
    ...{ ours: shown(ours), theirs: shown(theirs), base: shown(base) },
    tag: tagOf(entry),
  };
}

async function forget(store: CollectionStore, id: string): Promise<void> {
  await store.lock.run(async () => {
    const [{ local } = NO_ENTRY] = await store.load([id]);
    if (isUndecided(local)) return;
    const transaction = store.begin();
    transaction.put(baseKey(store.keys, id), null);
    transaction.update({ conflicts: Math.max(0, (store.state.conflicts ?? 0) - 1) });
    await transaction.commit();
  });
}

function tagOf({ local, mirror }: Entry): string {
  return `${local?.seq}-${mirror?.version ?? ''}`;
}

async function resolveOne(
  { store, self: _, ...sizes }: Writable,
  { clock, entropy }: Platform,
  ownId: string,
  resolution: Resolution,
  tag?: string,
): Promise<'put' | 'delete'> {
  const { collection } = store;
  const id = wireIdOf(collection, ownId);
  const newId = collection.newId(entropy.random(18));
  return store.lock.run(async () => {
    const [before = NO_ENTRY] = await store.load([id]);
    const detail = { collection: collection.name, recordId: ownId };
    if (!isUndecided(before.local)) {
      throw new SyncError('notFound', 'no conflict of this record waits', detail);
    }
    if (tag !== undefined && tag !== tagOf(before)) {
      throw new SyncError('conflict', 'tag: there is another version by now', detail);
    }
    const body = resolvedBody(collection, id, before, resolution, newId, clock.nowMs());
    if (body !== null) {
      await checkSize(sizes, collection.outgoing(id, body), () => clock.pause(), detail);
    }
    const transaction = store.begin();
    // The server's version goes up again, too: what is there may be older by now.
    const local = { body, changedAtMs: clock.nowMs(), seq: transaction.nextSeq(), tries: 0 };
    transaction.set(id, before, { ...before, local });
    await transaction.commit();
    return body === null ? 'delete' : 'put';
  });
}

function resolvedBody(
  collection: Collection,
  id: string,
  { local, mirror }: Entry,
  resolution: Resolution,
  newId: string,
  nowMs: number,
): Body | null {
  const [ours, theirs] = [local?.body ?? null, mirror?.body ?? null];
  if (resolution === 'ours') return ours;
  if (resolution === 'theirs') return theirs;
  if (resolution === null) return null;
  if (!isObject(resolution)) throw badInput('resolution: neither ours, theirs, null nor a record');
  const existing = ours ?? theirs;
  const edit = existing ? editOf(resolution, existing, collection.view(id, existing)) : resolution;
  const prepared = collection.prepare(edit, existing, newId, nowMs);
  if (!prepared.ok) throw badInput(prepared.complaint);
  return prepared.body;
}
