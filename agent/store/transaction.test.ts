import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Change } from '../../platform/ports.ts';
import { audit, IDS, mirrorOf, openTestStore, page } from '../../test/support/store.ts';
import type { Body, Collection } from '../collections/collection.ts';
import { history } from '../collections/history.ts';
import { passwords } from '../collections/passwords.ts';
import { type Entry, NO_ENTRY } from './record.ts';

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

describe('a transaction', () => {
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
