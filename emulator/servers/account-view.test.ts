// An account as another client of its user reads it: what is asked for, that all pages come, and
// what is said where it cannot be read.

import { expect, test } from 'vitest';
import { accountView, ViewError } from './account-view.ts';
import { Collection } from './store.ts';
import { emptyAccount, startWorld, TEST_KB, TEST_NOW_MS } from './testing.ts';

const ALWAYS = ['meta', 'crypto', 'clients', 'history', 'passwords'];

/** A world whose account holds so many records of a collection, and notes what is asked for. */
function worldWith(name: string, records: number) {
  const account = emptyAccount();
  const [user] = account.store.users.values();
  const collection = new Collection();
  for (let index = 0; index < records; index++)
    collection.set({
      ...{ id: `r${index}`, modifiedMs: TEST_NOW_MS - 10_000 + index, payload: `p${index}` },
      ...{ sortindex: 5, expiresMs: null },
    });
  user?.collections.set(name, collection);
  const asked: URL[] = [];
  let answers: Record<string, () => Response> = {};
  const world = startWorld({
    account,
    // The view goes by the clock of this machine, which the storage tells from a wrong one.
    nowMs: () => Date.now(),
    intercept(server, request) {
      if (server === 'sync15') asked.push(new URL(request.url));
      return server === 'accounts' ? null : (answers[server]?.() ?? null);
    },
  });
  return {
    asked,
    answer(server: string, how: () => Response) {
      answers = { [server]: how };
    },
    methods: () => asked.map(({ pathname }) => pathname.split('/').at(-1)),
    view: (...names: string[]) => accountView(world.fetch, world.urls.token, world.device, names),
  };
}

test('has the key, and of each record what the storage has', async () => {
  const { view } = worldWith('bookmarks', 3);
  const { kB, store } = await view('bookmarks');
  expect(kB).toBe(TEST_KB);
  const [user] = store.users.values();
  const held = [...(user?.collections.get('bookmarks')?.inArrivalOrder(TEST_NOW_MS) ?? [])];
  expect(held.map(({ id, payload }) => [id, payload]).sort()).toEqual([
    ['r0', 'p0'],
    ['r1', 'p1'],
    ['r2', 'p2'],
  ]);
  for (const { modifiedMs } of held)
    expect(Math.abs(modifiedMs - TEST_NOW_MS)).toBeLessThan(10_010);
  expect(user?.keyFingerprint).toBe([...emptyAccount().store.users.values()][0]?.keyFingerprint);
});

test('reads what is needed to open and to judge, what it is asked for, and each once', async () => {
  const { view, methods } = worldWith('bookmarks', 1);
  const { store } = await view('history', 'bookmarks');
  expect(methods().sort()).toEqual([...ALWAYS, 'bookmarks'].sort());
  const [user] = store.users.values();
  expect([...(user?.collections ?? [])].map(([name, held]) => [name, held.count(0)])).toEqual([
    ...ALWAYS.map((name) => [name, 0]),
    ['bookmarks', 1],
  ]);
});

test('reads a long collection to its last page', async () => {
  const { view, asked } = worldWith('history', 2_001);
  const { store } = await view();
  expect([...store.users.values()][0]?.collections.get('history')?.count(0)).toBe(2_001);
  const pages = asked.filter(({ pathname }) => pathname.endsWith('/history'));
  expect(pages.map(({ searchParams }) => searchParams.get('limit'))).toEqual([
    '1000',
    '1000',
    '1000',
  ]);
  expect(new Set(pages.map(({ searchParams }) => searchParams.get('offset'))).size).toBe(3);
});

test.each([
  ['token', new Response('{}', { status: 401 }), 'token.test answered 401'],
  ['token', new Response('no JSON'), 'JSON'],
  ['sync15', new Response('[]', { status: 503 }), 'sync15.test answered 503'],
  ['sync15', new Response('<html>'), 'JSON'],
  ['sync15', Response.json({ no: 'list' }), 'iterable'],
])('where %s answers something else, it says so in one line', async (server, response, said) => {
  const { view, answer } = worldWith('history', 1);
  answer(server, () => response);
  const failure = await view().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ViewError);
  expect((failure as Error).message).toMatch(/^the account cannot be read: [^\n]+$/);
  expect((failure as Error).message).toContain(said);
});

test('who is not let in is told that, too', async () => {
  const { fetch, urls } = startWorld();
  const { device } = startWorld({
    accounts: {},
    intercept: () => new Response('', { status: 401 }),
  });
  await expect(accountView(fetch, urls.token, device, [])).rejects.toThrow(ViewError);
});
