// An account on a Kinto, written as the user's devices write and read as another client reads.

import { describe, expect, test } from 'vitest';
import { otherPacks } from '../test/support/kinto-packs.ts';
import { kintoView, seedKinto } from './kinto-account.ts';
import { recordsOf, serverBodies } from './server-records.ts';
import { createKinto } from './servers/kinto/kinto.ts';
import { otherClient } from './servers/kinto/other-client.ts';
import { syntheticAccount } from './servers/synthetic.ts';

const NOW_MS = Date.UTC(2026, 10, 2);
const URL = 'https://kinto.test';
const NAMES = ['contacts', 'notes'];
const account = syntheticAccount({
  ...{ records: 0, passwords: 0, seed: 1 },
  own: new Map(NAMES.map((name) => [name, 3])),
});
const bodiesOf = (name: string) => serverBodies(account, name, NOW_MS);
const { wireId, sealed, bucket } = otherClient(account.kB, 'contacts');

function served() {
  const kinto = createKinto({
    ...{ url: URL, nowMs: () => NOW_MS, limits: { pageRecords: 2 } },
    userOf: (given) => (given === 'good' ? 'account:bob' : null),
  });
  seedKinto(kinto.store, 'account:bob', account, [...NAMES, 'none'], NOW_MS);
  const view = (proof = 'good', names: readonly string[] = NAMES) =>
    kintoView(kinto.fetch, { url: URL, kB: account.kB, authorization: async () => proof }, names);
  const contacts = kinto.store.buckets.get(bucket)?.collections.get('contacts');
  if (contacts === undefined) throw new Error('nothing was put there');
  return { kinto, view, contacts };
}

describe('an account on a Kinto', () => {
  test('has its records in one bucket, and they are read page by page', async () => {
    const { kinto, view } = served();
    expect([...kinto.store.buckets.keys()]).toEqual([bucket]);
    const seen = await view();
    for (const name of NAMES) expect(serverBodies(seen, name, NOW_MS)).toEqual(bodiesOf(name));
  });

  test('shows what was changed, deleted and spoiled as a device has to see it', async () => {
    const { view, contacts } = served();
    const [first, second, third] = bodiesOf('contacts').map(({ id }) => `${id}`);
    contacts.put(wireId(`${first}`), { payload: sealed(`${first}`, { id: first, card: {} }) });
    contacts.put(wireId(`${second}`), { payload: sealed(`${second}`, null) });
    // A copy of another record proves nothing.
    contacts.put(wireId(`${third}`), { payload: sealed(`${first}`, { id: first }) });
    contacts.put('unreadable', { payload: 'no JSON' });
    contacts.put(otherClient(account.kB, 'contacts').epochId, { payload: 'anything' });
    const seen = [...recordsOf(await view(), 'contacts', NOW_MS)];
    expect(new Map(seen.map(({ id, body }) => [id, body]))).toEqual(
      new Map<string, object | null>([
        [`${first}`, { id: first, card: {} }],
        [wireId(`${second}`), { id: wireId(`${second}`), deleted: true }],
        [wireId(`${third}`), null],
        ['unreadable', null],
      ]),
    );
  });

  test('has records in packs, too, and shows one that does not open by its own name', async () => {
    const { view, contacts } = served();
    const packs = otherPacks(account.kB, 'contacts');
    const entry = (id: string, kind: number) => ({
      hash: wireId(id).slice(2),
      ...{ kind, writtenMs: NOW_MS, salt: 1, text: JSON.stringify({ id, card: {} }) },
    });
    const entries = [entry('live', 0), entry('gone', 1), entry('alone', 2)];
    contacts.put('p-', { payload: packs.sealPack('p-', { isFull: true, entries }) });
    contacts.put('p-1', { payload: packs.sealPack('p-2', { isFull: false, entries }) });
    const known = bodiesOf('contacts').map(({ id }) => id);
    const seen = [...recordsOf(await view(), 'contacts', NOW_MS)];
    expect(
      seen.flatMap(({ id, body }) => (known.includes(id) ? [] : [[id, body?.deleted ?? body?.id]])),
    ).toEqual([
      ['live', 'live'],
      [wireId('gone'), true],
      ['p-1', undefined],
    ]);
  });

  test('keeps what does not open as it is', async () => {
    const { kinto } = served();
    const gone = syntheticAccount({ ...{ records: 0, passwords: 0, seed: 1 }, own: new Map() });
    const [user] = gone.store.users.values();
    const [one] = account.store.users.values();
    const [bso] = one?.collections.get('contacts')?.inArrivalOrder(NOW_MS) ?? [];
    user?.write('contacts', [{ id: 'broken', payload: '{}' }], NOW_MS);
    user?.write('contacts', [{ id: `${bso?.id}`, payload: `${bso?.payload}` }], NOW_MS);
    seedKinto(kinto.store, 'account:bob', gone, ['contacts'], NOW_MS);
    const seen = await kintoView(
      kinto.fetch,
      { url: URL, kB: gone.kB, authorization: async () => 'good' },
      ['contacts'],
    );
    const bodies = [...recordsOf(seen, 'contacts', NOW_MS)].map(({ body }) => body?.id ?? null);
    expect(bodies).toEqual([null, bso?.id]);
  });

  test('has nothing where nothing was made, and cannot be read by a stranger', async () => {
    const { view } = served();
    expect(serverBodies(await view('good', ['settings']), 'settings', NOW_MS)).toEqual([]);
    await expect(view('bad')).rejects.toThrow('the account cannot be read: the Kinto answered 401');
  });
});
