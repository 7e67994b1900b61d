// A collection's store on a storage in memory, for tests of what stands on it, and an audit of what
// it wrote: the counters and the index are compared with the records themselves, read from the
// storage behind its back.

import { type ListQuery, type ListResult, listRecords } from '../../agent/api/records.ts';
import type { Body, Collection } from '../../agent/collections/collection.ts';
import { syncto } from '../../agent/remotes/sync/syncto.ts';
import type { AgentEvent } from '../../agent/status.ts';
import { collectionKeys, rangeEnd, unescapeId } from '../../agent/store/layout.ts';
import {
  type Entry,
  knownMs,
  type Local,
  type Mirror,
  NO_ENTRY,
  type Packed,
  unpackLocal,
  unpackMirror,
  visible,
} from '../../agent/store/record.ts';
import { type CollectionStore, openCollectionStore } from '../../agent/store/store.ts';
import { storedObject } from '../../agent/store/stored.ts';
import { createVault, type Vault } from '../../agent/store/vault.ts';
import type { CollectionPass } from '../../agent/sync/pass-context.ts';
import { createRandom } from '../../emulator/device/random.ts';
import type { DeviceCrypto } from '../../platform/crypto-port.ts';
import { manualClock } from '../../platform/memory/platform.ts';
import type { Storage, Value } from '../../platform/ports.ts';
import { remoteBench } from './remote.ts';
import { rowsOf } from './rows.ts';
import { testOffer, testRemote } from './sync.ts';

export const GENERATION = '1';

export const testRandom = (seed = 1): { random(count: number): Uint8Array } => {
  const random = createRandom(seed);
  return { random: (count) => random.bytes(count) };
};

/** `crypto`: of a device that has its own. */
export function testVault(
  key: Uint8Array = new Uint8Array(32).fill(7),
  crypto?: DeviceCrypto,
): Vault {
  const platform = { entropy: testRandom(), clock: manualClock(0) };
  return createVault(key, { ...platform, ...(crypto && { crypto }) });
}

export function openTestStore(
  storage: Storage,
  collection: Collection,
  vault = testVault(),
): Promise<CollectionStore> {
  return openCollectionStore(storage, vault, GENERATION, collection, async () => undefined);
}

/** Everything that is wrong with what lies on the storage; nothing, if the store keeps its word. */
export async function audit(
  storage: Storage,
  collection: Collection,
  vault = testVault(),
): Promise<string[]> {
  const keys = collectionKeys(GENERATION, collection.letter);
  const rows = async (prefix: string): Promise<Map<string, Value>> => {
    const found = await rowsOf(storage, { from: prefix, to: rangeEnd(prefix), limit: 10_000 });
    return new Map(found.map(([key, value]) => [unescapeId(key.slice(prefix.length)), value]));
  };
  const complaints: string[] = [];
  const opened = async <T>(
    key: string,
    value: Value | undefined,
    unpack: (packed: Packed) => T | null,
  ): Promise<T | null> => {
    if (value === undefined) return null;
    const packed = await packedOf(vault, key, value);
    const found = packed && unpack(packed);
    if (found === null) complaints.push(`${key} is damaged`);
    return found;
  };
  const [mirrors, locals, aside] = [
    await rows(keys.record()),
    await rows(keys.outbox()),
    await rows(keys.quarantine()),
  ];
  const marked = await rowsOf(storage, {
    from: keys.deletion(),
    to: rangeEnd(keys.deletion()),
    limit: 10_000,
  });
  const deletions: string[] = [];
  const index: string[] = [];
  let held = 0;
  for (const id of new Set([...mirrors.keys(), ...locals.keys()])) {
    const mirror = await opened(keys.record(id), mirrors.get(id), unpackMirror);
    const local = await opened(keys.outbox(id), locals.get(id), unpackLocal);
    if (local !== null && local.body === null) deletions.push(keys.deletion(id));
    const entry = { mirror, local, quarantined: false };
    const body = visible(entry);
    if (body === null || collection.isEmpty(body)) continue;
    held++;
    index.push(...collection.index(body, knownMs(entry)).map((suffix) => keys.index(suffix, id)));
  }
  const [stored] = await storage.get([keys.cursor]);
  const none = { held: 0, pending: 0, quarantined: 0 };
  const counters = stored == null ? none : storedObject(none, stored);
  const indexed = await storage.scan({
    from: keys.indexes,
    to: rangeEnd(keys.indexes),
    limit: 10_000,
  });
  const compare = (what: string, is: unknown, should: unknown): void => {
    const [a, b] = [JSON.stringify(is), JSON.stringify(should)];
    if (a !== b) complaints.push(`${what}: ${a}, should be ${b}`);
  };
  compare('held', counters?.held, held);
  compare('pending', counters?.pending, locals.size);
  compare(
    'deletions',
    marked.map(([key]) => key),
    deletions.sort(),
  );
  compare('quarantined', counters?.quarantined, aside.size);
  compare('index', indexed, index.sort());
  return complaints;
}

/** What lies under a key, be it text or sealed; null: it does not open. */
async function packedOf(vault: Vault, key: string, value: Value): Promise<Packed | null> {
  if (typeof value !== 'string') return vault.open(key, value);
  const end = value.indexOf('\n');
  return { head: value.slice(0, end), text: value.slice(end + 1) };
}

/** A pass over a store by itself: nobody answers, and what was told is kept. */
export function testPass(
  store: CollectionStore,
  change: Partial<CollectionPass> = {},
): CollectionPass & { readonly events: AgentEvent[] } {
  const events: AgentEvent[] = [];
  const { options } = remoteBench(() => {
    throw new TypeError('fetch failed');
  });
  return {
    ...options,
    remote: testRemote(options, syncto.storage(options)),
    offer: testOffer(store),
    clientId: 'AAAAAAAAAAAA',
    store,
    report: { pulled: 0, pushed: 0, quarantined: 0, merged: 0, evicted: 0 },
    buried: new Map(),
    isFirst: false,
    hasFailed: false,
    emit: (event) => void events.push(event),
    observes: () => true,
    ...change,
    events,
  };
}

/** Commits entries as they are, whatever was there. */
export async function putEntries(
  store: CollectionStore,
  entries: Readonly<Record<string, Partial<Entry>>>,
): Promise<void> {
  const ids = Object.keys(entries);
  const before = await store.load(ids);
  const transaction = store.begin();
  for (const [at, id] of ids.entries()) {
    transaction.set(id, before[at] ?? NO_ENTRY, { ...NO_ENTRY, ...entries[id] });
  }
  await transaction.commit();
}

/** What both sides agreed on. */
export function mirrorWith(body: Body, modifiedMs = 1_000, epoch = 0): Mirror {
  const version = `${modifiedMs}`;
  return { body, text: JSON.stringify(body), version, modifiedMs, epoch };
}

/** A change of this device. */
export function localWith(body: Body | null, seq = 1): Local {
  return { body, changedAtMs: 1, seq, tries: 0 };
}

/** A page with one visit, the n-th second after a fixed time. */
export function pageBody(n: number, url = `https://example.com/${n}`): Body {
  const date = 1_795_000_000_000_000 + n * 1_000_000;
  return { histUri: url, title: `${n}`, visits: [{ date, type: 1 }] };
}

/** Everything that apps see, a page at a time. */
export async function listAll(store: CollectionStore, query: Partial<ListQuery> = {}) {
  const records: Body[] = [];
  let after: string | null = null;
  do {
    const page: ListResult = await listRecords(store, { limit: 1_000, ...query, after });
    records.push(...page.records);
    after = page.next;
  } while (after !== null);
  return records;
}

const NOW_US = 1_795_330_000_000_000;
/** Ids that a careless store would mix up or lose. */
export const IDS = ['a', 'a!', 'a%21', '__proto__', 'a b', '{0-9}', 'ab'];

/** A page of history. */
export function page(url: string, visitCount: number, at = 0): Body {
  const visits = Array.from({ length: visitCount }, (_, n) => ({ date: NOW_US + at + n, type: 1 }));
  return { id: 'x', histUri: url, title: '', visits };
}

/** What the server has, as it is agreed. */
export function mirrorOf(body: Body, modifiedMs = 1, epoch = 0): Mirror {
  return { body, text: JSON.stringify(body), version: `${modifiedMs}`, modifiedMs, epoch };
}
