import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Change } from '../../platform/ports.ts';
import { audit, GENERATION, openTestStore, testVault } from '../../test/support/store.ts';
import type { Body, Collection } from '../collections/collection.ts';
import { history } from '../collections/history.ts';
import { passwords } from '../collections/passwords.ts';
import { SyncError } from '../errors.ts';
import { type Entry, type Mirror, NO_ENTRY } from './record.ts';

const NOW_US = 1_795_330_000_000_000;
/** Ids that a careless store would mix up or lose. */
const IDS = ['a', 'a!', 'a%21', '__proto__', 'a b', '{0-9}', 'ab'];

function page(url: string, visitCount: number, at = 0): Body {
  const visits = Array.from({ length: visitCount }, (_, n) => ({ date: NOW_US + at + n, type: 1 }));
  return { id: 'x', histUri: url, title: '', visits };
}

function mirrorOf(body: Body, modifiedMs = 1, epoch = 0): Mirror {
  return { body, text: JSON.stringify(body), version: `${modifiedMs}`, modifiedMs, epoch };
}

const pageBody = fc
  .tuple(fc.constantFrom('https://a/', 'https://a/b', `https://${'é'.repeat(60)}/`), fc.nat(2))
  .map(([url, visitCount]) => page(url, visitCount, visitCount * 1_000));
const loginBody = fc
  .tuple(fc.constantFrom('https://a', 'https://b'), fc.constantFrom('1', 'pässword'))
  .map(([hostname, password]): Body => ({ hostname, username: 'u', password }));

/** What becomes of one record in a transaction. */
type Step = (body: Body, seq: number) => (before: Entry) => Entry | 'quarantine';
const STEPS: { readonly [what: string]: Step } = {
  arrives: (body, seq) => (before) => ({
    mirror: mirrorOf(body, seq),
    local: before.local,
    quarantined: false,
  }),
  isMerged: (body, seq) => () => ({
    mirror: mirrorOf(body, seq),
    local: null,
    quarantined: false,
  }),
  isDeletedThere: () => () => NO_ENTRY,
  isEdited: (body, seq) => (before) => ({
    ...before,
    local: { body, changedAtMs: seq, seq, tries: 0 },
  }),
  isDeletedHere: (_, seq) => (before) => ({
    ...before,
    local: { body: null, changedAtMs: seq, seq, tries: 0 },
  }),
  isTried: () => (before) => ({
    ...before,
    local: before.local && { ...before.local, tries: before.local.tries + 1 },
  }),
  isAcknowledged: () => (before) => ({
    mirror: before.local?.body ? mirrorOf(before.local.body, 5) : null,
    local: null,
    quarantined: false,
  }),
  isEvicted: () => (before) =>
    before.local === null ? { ...NO_ENTRY, quarantined: before.quarantined } : before,
  isRequeued: (_, seq) => (before) =>
    before.mirror === null
      ? before
      : {
          ...before,
          mirror: null,
          local: before.local ?? { body: before.mirror.body, changedAtMs: 1, seq, tries: 0 },
        },
  isSetAside: () => () => 'quarantine',
};

/** Some records of one transaction, each once, and whether its commit fails. */
function transactions(body: fc.Arbitrary<Body>) {
  const step = fc.record({
    id: fc.constantFrom(...IDS),
    what: fc.constantFrom(...Object.keys(STEPS)),
    body,
  });
  const steps = fc.uniqueArray(step, { selector: ({ id }) => id, minLength: 1, maxLength: 4 });
  return fc.array(fc.record({ steps, fails: fc.nat(5).map((n) => n === 0) }), { maxLength: 12 });
}

/** Refuses commits when it is told to. */
class FailingStorage extends MemoryStorage {
  fails = false;

  override async commit(changes: readonly Change[]): Promise<void> {
    if (this.fails) throw Object.assign(new Error('no room'), { code: 'full' });
    await super.commit(changes);
  }
}

async function checkAgainstModel(
  collection: Collection,
  plan: readonly {
    readonly steps: readonly { id: string; what: string; body: Body }[];
    readonly fails: boolean;
  }[],
): Promise<void> {
  const storage = new FailingStorage();
  let store = await openTestStore(storage, collection);
  const model = new Map<string, Entry>();
  for (const [seq, { steps, fails }] of plan.entries()) {
    const ids = steps.map(({ id }) => id);
    const entries = await store.load(ids);
    const transaction = store.begin();
    const next = new Map(model);
    for (const [at, { id, what, body }] of steps.entries()) {
      const before = entries[at] ?? NO_ENTRY;
      expect(before).toEqual(model.get(id) ?? NO_ENTRY);
      const after = STEPS[what]?.(body, seq + 1)(before) ?? NO_ENTRY;
      if (after === 'quarantine') {
        transaction.quarantine(id, before, 'badMac', 7);
        next.set(id, { ...before, quarantined: true });
      } else {
        transaction.set(id, before, after);
        next.set(id, after);
      }
    }
    transaction.update({ seq: seq + 1 });
    storage.fails = fails;
    if (fails) {
      await expect(transaction.commit()).rejects.toMatchObject({ code: 'storageFull' });
      storage.fails = false;
    } else {
      await transaction.commit();
      for (const [id, entry] of next) model.set(id, entry);
    }
    expect(await audit(storage, collection)).toEqual([]);
    // What is in memory is what a reboot finds.
    const { state } = store;
    store = await openTestStore(storage, collection);
    expect(store.state).toEqual(state);
  }
  expect(await store.load(IDS)).toEqual(IDS.map((id) => model.get(id) ?? NO_ENTRY));
}

describe('whatever becomes of records, in whatever order', () => {
  test('counters and index are in step with them: history', async () => {
    await fc.assert(
      fc.asyncProperty(transactions(pageBody), (plan) => checkAgainstModel(history, plan)),
      { numRuns: 100 },
    );
  });

  test('counters and index are in step with them: passwords, which are sealed', async () => {
    await fc.assert(
      fc.asyncProperty(transactions(loginBody), (plan) => checkAgainstModel(passwords, plan)),
      { numRuns: 40 },
    );
  });
});

describe('a store', () => {
  test('begins empty, with nothing listed', async () => {
    const store = await openTestStore(new MemoryStorage(), history);
    expect(store.state).toMatchObject({ position: '', held: 0, pending: 0, quarantined: 0 });
    expect(await store.load(['a'])).toEqual([NO_ENTRY]);
    expect(await store.load([])).toEqual([]);
  });

  test('commits records and cursor at once, and nothing before', async () => {
    const storage = new MemoryStorage();
    const store = await openTestStore(storage, history);
    const transaction = store.begin();
    transaction.set('a', NO_ENTRY, { ...NO_ENTRY, mirror: mirrorOf(page('https://a/', 1)) });
    transaction.update({ position: '10' });
    expect([store.state.held, storage.commits]).toEqual([0, 0]);
    await transaction.commit();
    expect(storage.commits).toBe(1);
    expect(store.state).toMatchObject({ held: 1, position: '10' });
  });

  test('after a commit that failed is as it was before', async () => {
    const storage = new MemoryStorage([], { atCommit: 1, when: 'before' });
    const store = await openTestStore(storage, history);
    const { state } = store;
    const transaction = store.begin();
    transaction.set('a', NO_ENTRY, { ...NO_ENTRY, mirror: mirrorOf(page('https://a/', 1)) });
    await expect(transaction.commit()).rejects.toMatchObject({ code: 'storageFailed' });
    expect(store.state).toBe(state);
    expect(storage.fork().snapshot()).toEqual([]);
  });

  test('leaves the index alone when what apps see stays', async () => {
    const storage = new MemoryStorage();
    const store = await openTestStore(storage, history);
    const mirror = mirrorOf(page('https://a/', 1));
    const first = store.begin();
    first.set('a', NO_ENTRY, { ...NO_ENTRY, mirror });
    await first.commit();
    const [before = NO_ENTRY] = await store.load(['a']);
    const second = store.begin();
    second.set('a', before, { ...before, mirror: mirrorOf(page('https://a/', 1), 2) });
    // The record itself and nothing else; `commit` adds the cursor.
    expect(second.size).toBe(1);
  });

  test('lists the outbox and the mirrors in key order, portion by portion', async () => {
    const store = await openTestStore(new MemoryStorage(), history);
    const transaction = store.begin();
    const body = page('https://a/', 1);
    for (const id of IDS) {
      const local = { body, changedAtMs: 1, seq: 1, tries: 0 };
      transaction.set(id, NO_ENTRY, { mirror: mirrorOf(body), local, quarantined: false });
    }
    await transaction.commit();
    const [pending, mirrors]: string[][] = [[], []];
    let after: string | null = null;
    for (;;) {
      const ids: string[] = await store.pendingIds(after, 2);
      if (ids.length === 0) break;
      pending?.push(...ids);
      after = ids.at(-1) ?? null;
    }
    for (let place: string | null = null; ; ) {
      const { ids, next }: { ids: string[]; next: string | null } = await store.mirrorIds(place, 3);
      mirrors?.push(...ids);
      if (next === null) break;
      place = next;
    }
    expect(new Set(pending)).toEqual(new Set(IDS));
    expect(pending).toHaveLength(IDS.length);
    expect(mirrors).toEqual(pending);
  });

  test('finds by index forwards and backwards, from place to place', async () => {
    const store = await openTestStore(new MemoryStorage(), history);
    const transaction = store.begin();
    for (const [at, id] of IDS.entries()) {
      const mirror = mirrorOf(page(`https://a/${at}`, 1, at));
      transaction.set(id, NO_ENTRY, { ...NO_ENTRY, mirror });
    }
    await transaction.commit();
    const walk = async (prefix: string, reverse: boolean): Promise<string[]> => {
      const found: string[] = [];
      for (let after: string | null = null; ; ) {
        const query = { prefix, limit: 2, after, reverse };
        const page: { ids: string[]; next: string | null } = await store.indexed(query);
        found.push(...page.ids);
        if (page.next === null) return found;
        after = page.next;
      }
    };
    expect(await walk('d', false)).toEqual([...IDS].reverse());
    expect(await walk('d', true)).toEqual(IDS);
    expect(await walk(history.addressPrefix('https://a/'), false)).toEqual(IDS);
    expect(await walk(history.addressPrefix('https://b/'), false)).toEqual([]);
  });

  test('that was closed commits nothing any more', async () => {
    const storage = new MemoryStorage();
    const store = await openTestStore(storage, history);
    const transaction = store.begin();
    transaction.set('a', NO_ENTRY, { ...NO_ENTRY, mirror: mirrorOf(page('https://a/', 1)) });
    store.close(new SyncError('disabled', 'the account has left'));
    await expect(transaction.commit()).rejects.toMatchObject({ code: 'disabled' });
    expect(storage.snapshot()).toEqual([]);
  });
});

describe('a commit that ends', () => {
  const outOfMemory = Object.assign(new Error('out of memory'), { name: 'InternalError' });
  const full = Object.assign(new Error('full'), { code: 'full' });

  test.each([
    ['without a word of the storage: nothing more is committed', outOfMemory, true],
    ['with a refusal of the storage: it can be tried again', full, false],
  ])('%s', async (_what, failure, isStale) => {
    const storage = new MemoryStorage();
    const store = await openTestStore(storage, history);
    const write = storage.commit.bind(storage);
    const commitOne = (): Promise<void> => {
      const transaction = store.begin();
      transaction.set('a', NO_ENTRY, { ...NO_ENTRY, mirror: mirrorOf(page('https://a/', 1)) });
      return transaction.commit();
    };
    storage.commit = () => Promise.reject(failure);
    await expect(commitOne()).rejects.toMatchObject({
      code: isStale ? 'outOfMemory' : 'storageFull',
    });
    storage.commit = write;
    const again = commitOne();
    if (isStale) await expect(again).rejects.toMatchObject({ code: 'outOfMemory' });
    else await again;
    expect(store.closed !== null).toBe(isStale);
  });
});

describe('a value that was damaged', () => {
  const login = { hostname: 'https://a', password: 'p' };

  test.each<[string, Collection, (value: string | Uint8Array) => string | Uint8Array]>([
    ['text cut short', history, (value) => value.slice(0, -2)],
    ['text without its head', history, () => '{}'],
    ['a sealed one cut short', passwords, (value) => value.slice(0, -2)],
    ['a sealed one of nothing', passwords, () => new Uint8Array(0)],
    ['a head of another form', history, (value) => `x${value}`],
    ['text that is no object', history, () => 'b1 0\nnull'],
  ])('%s: is told by name, and spoils no other', async (_, collection, damage) => {
    const storage = new MemoryStorage();
    const store = await openTestStore(storage, collection);
    const transaction = store.begin();
    const body = collection === history ? page('https://a/', 1) : login;
    for (const id of ['a', 'b']) {
      transaction.set(id, NO_ENTRY, { ...NO_ENTRY, mirror: mirrorOf(body) });
    }
    await transaction.commit();
    const key = store.keys.record('a');
    const [value] = await storage.get([key]);
    await storage.commit([[key, damage(value ?? '')]]);
    await expect(store.load(['b', 'a'])).rejects.toMatchObject({
      code: 'damaged',
      detail: { stored: 'mirror', collection: collection.name, recordId: 'a' },
    });
    const [b] = await store.load(['b']);
    expect(b?.mirror?.body).toEqual(body);
  });

  test('everything sealed is damaged when the device has another key', async () => {
    const storage = new MemoryStorage();
    const store = await openTestStore(storage, passwords);
    const transaction = store.begin();
    transaction.set('a', NO_ENTRY, { ...NO_ENTRY, mirror: mirrorOf(login) });
    await transaction.commit();
    const elsewhere = await openTestStore(storage, passwords, testVault(new Uint8Array(32)));
    await expect(elsewhere.load(['a'])).rejects.toMatchObject({ code: 'damaged' });
  });

  test('may be a local change too, which is never taken for none', async () => {
    const storage = new MemoryStorage();
    const store = await openTestStore(storage, history);
    await storage.commit([[store.keys.outbox('a'), 'b1 1\n{}']]);
    await expect(store.load(['a'])).rejects.toMatchObject({
      message: 'history, record a: the stored outbox is not what was written',
      detail: { stored: 'outbox', collection: 'history', recordId: 'a' },
    });
  });

  test.each([
    'b{"held":1}',
    '{"cursor":{"sinceMs":"x"}}',
    'b[]',
    'null',
    'c{}',
    '',
    Uint8Array.of(1),
  ])('may be the state of the collection (%j), which is to be mended', async (value) => {
    const storage = new MemoryStorage();
    await storage.commit([[`${GENERATION}.h.c`, value]]);
    expect((await openTestStore(storage, history)).state).toMatchObject({ mending: 0 });
  });
});

test('nothing of a sealed collection but its origins can be read on the storage', async () => {
  const storage = new MemoryStorage();
  const store = await openTestStore(storage, passwords);
  const body = { hostname: 'https://a.example', username: 'user-name', password: 'pass-word' };
  const transaction = store.begin();
  const local = { body, changedAtMs: 1, seq: 1, tries: 0 };
  transaction.set('a', NO_ENTRY, { mirror: mirrorOf(body), local, quarantined: false });
  await transaction.commit();
  const everything = storage
    .snapshot()
    .map(([key, value]) => key + Buffer.from(value).toString('latin1'))
    .join('\n');
  expect(everything).toContain('a.example');
  expect(everything).not.toMatch(/user-name|pass-word/);
});
