// What an app sees of the data that it has for itself: the collections of its own origin, which it
// makes at run time, by its own names for them. No other app sees them, on this device or on the
// server; the same app on another device of the user comes upon the same ones.
// An app has a quota. A change that would take more than is left of it is refused, and changes
// nothing. What other devices have written arrives all the same, and counts: until there is room
// again, nothing can be made or become longer here, and everything can be read and deleted.

import type { Platform } from '../../platform/ports.ts';
import type { Conflicts, Resolution } from '../api/conflicts.ts';
import { deleteRecord, getRecord, listRecords, putRecord } from '../api/records.ts';
import { appBytes, appKind, isAppName } from '../collections/app.ts';
import type { Body } from '../collections/collection.ts';
import { badInput, notEnabled, type SyncError } from '../errors.ts';
import { LIST_MAX } from '../limits.ts';
import { createLock, type Lock } from '../store/lock.ts';
import type { CollectionStore } from '../store/store.ts';
import type { AppCall, AppData, AppUsage } from './app-data.ts';
import type { AppPlace, AppRemote } from './app-place.ts';
import { counting, countOf } from './app-usage.ts';
import type { Made } from './instances.ts';

/** Changes of an app take turns, so that two of them do not take the same room. */
const LOCKS = new WeakMap<AppRemote, Map<string, Lock>>();

export function openApp(place: AppPlace): AppData {
  const { one, origin, quota } = place;
  const lock = lockOf(place);
  const made = (): readonly Made[] => madeBy(one, origin).filter(({ isDropped }) => !isDropped);
  const find = (name: string): Made => {
    if (one.core.state() === 'disabled') throw notEnabled();
    const found = made().find((own) => own.name === `${origin} ${name}`);
    if (found !== undefined) return found;
    throw badInput(`name: this app has no collection ${JSON.stringify(name)}`);
  };
  const wire = (name: string): string => find(name).collection.name;
  return {
    async create(name, strategy) {
      if (!isAppName(name)) throw badInput(`name: not ${appKind.names}`);
      await lock.run(async () => {
        const own = made();
        if (own.some((one) => one.name === `${origin} ${name}`)) return;
        if (own.length >= quota.collectionsMax) throw full('collections', quota.collectionsMax);
        await place.create(`${origin} ${name}`, strategy);
      });
    },
    list: async () => made().map(({ name }) => name.slice(origin.length + 1)),
    get: async (name, id) => one.core.reading(wire(name), (store) => getRecord(store, id)),
    records: async (name, query) =>
      one.core.reading(wire(name), (store) => listRecords(store, query)),
    put: (name, record) => lock.run(() => put(place, find(name), made(), record)),
    delete: (name, id) =>
      lock.run(async () => {
        const { collection } = find(name);
        await one.core.writing(collection.name, ({ store }) =>
          deleteRecord(counting(store), place.platform, id, null),
        );
        one.core.changed(collection.name, id, 'delete', collection.changes?.(null, null));
      }),
    async watch(name, on) {
      one.core.observe(wire(name), on);
    },
    conflicts: async (name, query) =>
      conflictsOf(place, find(name), made()).conflicts(wire(name), query),
    resolve: (name, ...of) =>
      lock.run(() => conflictsOf(place, find(name), made()).resolve(wire(name), ...of)),
    usage: () => usageOf(place, made()),
    drop: (name, everywhere = false) => lock.run(() => drop(place, find(name), everywhere)),
    remove: (everywhere = false) =>
      lock.run(async () => {
        if (one.core.state() === 'disabled') throw notEnabled();
        for (const own of madeBy(one, origin)) await drop(place, own, everywhere);
      }),
    // By `this`: a name for it would be a circle, which an engine frees late.
    async call(call) {
      return called(this, call);
    },
  };
}

/**
 * Ends what is leaving a remote and has nothing more to send. Errors: those of the storage, of the
 * account manager.
 */
export async function endLeaving(platform: Platform, one: AppRemote): Promise<void> {
  for (const own of one.instances.made.filter(({ isDropped }) => isDropped)) {
    const { name } = own.collection;
    await deleteAll(platform, one, name);
    const isOver = await one.core.reading(name, async ({ state }) => {
      return state.position !== '' && !state.resetting && state.pending === 0 && state.held === 0;
    });
    if (isOver) await one.instances.remove(own, () => one.core.reopen());
  }
}

function madeBy({ instances }: AppRemote, origin: string): readonly Made[] {
  return instances.made.filter(({ kind, name }) => kind === 'app' && name.startsWith(`${origin} `));
}

function lockOf({ one, origin }: AppPlace): Lock {
  const locks = LOCKS.get(one) ?? new Map<string, Lock>();
  LOCKS.set(one, locks);
  const lock = locks.get(origin) ?? createLock();
  locks.set(origin, lock);
  return lock;
}

async function put(
  place: AppPlace,
  { collection }: Made,
  all: readonly Made[],
  record: Body,
): Promise<string> {
  const { one, platform } = place;
  const usage = await usageOf(place, all);
  const { id, isChanged } = await one.core.writing(collection.name, (writable) => {
    const store = withinQuota(counting(writable.store), usage);
    return putRecord({ ...writable, store }, platform, record);
  });
  if (isChanged) {
    one.core.changed(collection.name, id, 'put', collection.changes?.(null, null));
  }
  return id;
}

/** What is decided counts against the quota, too. Errors: `badInput` in a build without. */
function conflictsOf(place: AppPlace, { collection }: Made, all: readonly Made[]): Conflicts {
  const { one, platform, strategies } = place;
  if (!strategies) throw badInput('strategy: this build has none');
  const { core } = one;
  const within: Parameters<typeof strategies.open>[0] = {
    reading: core.reading,
    async writing(name, work) {
      const usage = await usageOf(place, all);
      return core.writing(name, ({ store, ...to }) =>
        work({ ...to, store: withinQuota(counting(store), usage) }),
      );
    },
    changed: (name, id, change) => core.changed(name, id, change, collection.changes?.(null, null)),
  };
  return strategies.open(within, platform);
}

/** The same store; an edit is refused that takes more than is left. */
function withinQuota(store: CollectionStore, usage: AppUsage): CollectionStore {
  const { collection } = store;
  const prepare: typeof collection.prepare = (input, existing, newId, nowMs) => {
    const prepared = collection.prepare(input, existing, newId, nowMs);
    const complaint = prepared.ok ? overQuota(usage, existing, prepared.body) : null;
    return complaint === null ? prepared : { ok: false, complaint };
  };
  return Object.create(store, { collection: { value: { ...collection, prepare } } });
}

function overQuota(usage: AppUsage, existing: Body | null, body: Body): string | null {
  const { records, recordsMax, bytes, bytesMax } = usage;
  if (existing === null && records >= recordsMax) {
    return `quota: this app has ${records} records, it may have ${recordsMax}`;
  }
  const more = appBytes(body) - (existing === null ? 0 : appBytes(existing));
  if (more <= 0 || bytes + more <= bytesMax) return null;
  return `quota: ${bytes} bytes of ${bytesMax} are used, and this takes ${more} more`;
}

function full(what: string, max: number): SyncError {
  return badInput(`quota: this app has ${max} ${what}, and may have no more`);
}

async function usageOf({ one, platform, quota }: AppPlace, made: readonly Made[]) {
  const pause = (): Promise<void> => platform.clock.pause();
  let [records, bytes] = [0, 0];
  for (const { collection } of made) {
    const count = await one.core.reading(collection.name, (store) => countOf(store, pause));
    records += count.records;
    bytes += count.bytes;
  }
  return { collections: made.length, records, bytes, ...quota };
}

async function drop(place: AppPlace, own: Made, everywhere: boolean): Promise<void> {
  const { one, platform } = place;
  const gone = (): Promise<void> => one.core.reopen();
  if (!everywhere) {
    await one.turns.run(() => one.instances.remove(own, gone));
    return;
  }
  await one.instances.leave(own);
  await deleteAll(platform, one, own.collection.name);
}

/** For all devices, one after the other. */
async function deleteAll(platform: Platform, { core }: AppRemote, name: string): Promise<void> {
  for (;;) {
    const { records } = await core.reading(name, (store) => listRecords(store, { limit: 100 }));
    if (records.length === 0) return;
    await core.writing(name, async ({ store }) => {
      for (const { id } of records) {
        await deleteRecord(store, platform, `${id}`, null);
        core.changed(name, `${id}`, 'delete', store.collection.changes?.(null, null));
      }
    });
  }
}

async function called(data: AppData, asked: AppCall): Promise<object> {
  const { call, name = '', id = '', on = true, everywhere = false } = asked;
  if (call === 'list') return { names: await data.list() };
  if (call === 'usage') return data.usage();
  if (call === 'get') return { record: await data.get(name, id) };
  if (call === 'put') return { id: await data.put(name, asked.record as Body) };
  if (call === 'records') {
    const { prefix, limit = LIST_MAX, after = null } = asked;
    return data.records(name, { ...(prefix !== undefined && { prefix }), limit, after });
  }
  if (call === 'conflicts') {
    const { limit = LIST_MAX, after = null } = asked;
    return data.conflicts(name, { limit, after });
  }
  if (call === 'create') await data.create(name, asked.strategy);
  else if (call === 'resolve') await data.resolve(name, id, resolutionIn(asked), asked.tag);
  else if (call === 'delete') await data.delete(name, id);
  else if (call === 'watch') await data.watch(name, on);
  else if (call === 'drop') await data.drop(name, everywhere);
  else if (call === 'remove') await data.remove(everywhere);
  else throw badInput(`call: there is no ${call}`);
  return {};
}

/** Left out is not null: nothing is deleted by a call that forgets to say what. */
function resolutionIn({ resolution }: AppCall): Resolution {
  if (resolution !== undefined) return resolution;
  throw badInput('resolution: neither ours, theirs, null nor a record');
}
