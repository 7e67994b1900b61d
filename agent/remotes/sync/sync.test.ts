// Firefox Sync as a remote: positions out of listings, and what makes it begin anew.

import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../../platform/memory/storage.ts';
import { json, remoteBench } from '../../../test/support/remote.ts';
import { type TestServer, testServer } from '../../../test/support/server.ts';
import { openTestStore, pageBody } from '../../../test/support/store.ts';
import { syncOptions } from '../../../test/support/sync.ts';
import { history } from '../../collections/history.ts';
import type { Listed, Page } from '../remote.ts';
import type { Account } from './documents.ts';
import type { SyncPage } from './storage.ts';
import { openSync } from './sync.ts';

/** A remote over a server in the same process; `meta` as the account was read before. */
async function remote(
  change: (server: TestServer) => Partial<TestServer> = () => ({}),
  meta: { readonly place: string } | null = null,
) {
  const server = await testServer();
  await server.put('history', 'AAAAAAAAAAAA', pageBody(1), 2_000);
  await server.put('history', 'BBBBBBBBBBBB', pageBody(2), 4_000);
  const store = await openTestStore(new MemoryStorage(), history);
  const seen = { startedOver: 0 };
  const account = { meta, keysModifiedMs: null, refreshMeta: async () => undefined };
  const options = syncOptions(remoteBench(() => json({})).options, account as unknown as Account, {
    startOver: async () => void seen.startedOver++,
    owner: null,
  });
  return { store, seen, ...openSync(options, { ...server, ...change(server) }) };
}

const isPage = (answer: object | null): answer is Page => answer !== null && 'next' in answer;

async function listed(at: string, change?: Parameters<typeof remote>[0]) {
  const { changes, store } = await remote(change);
  const answer = await changes(store, at);
  if (!isPage(answer)) return { answer, ids: [], position: null };
  const out: Listed[] = [];
  while (await answer.next(out));
  const ids = out.map((one) => (one.ok ? one.envelope.id : ''));
  return { answer, ids, position: answer.position(out, true) };
}

describe('a listing', () => {
  test('from nothing shows everything, and reads up to the collection’s version', async () => {
    const { answer, ids, position } = await listed('');
    expect(ids).toEqual(['AAAAAAAAAAAA', 'BBBBBBBBBBBB']);
    expect(position).toBe('4000 0 -1');
    expect(answer).toMatchObject({ serverNowMs: 10_000 });
  });

  test('goes on behind what was read', async () => {
    expect((await listed('2000 0 -1')).ids).toEqual(['BBBBBBBBBBBB']);
  });

  test('of which nothing is new is none', async () => {
    const { answer } = await listed('4000 0 -1', () => ({ changes: async () => null }));
    expect(answer).toBeNull();
  });

  test('that moved while it was read goes on behind all that has surely arrived', async () => {
    const { answer } = await listed('1000 5000 3000 page', () => ({
      changes: async () => 'restart',
    }));
    expect(answer).toEqual({ restart: '3000 0 -1' });
  });

  test('of a server whose time went backwards begins anew, and given up', async () => {
    const cancelled: string[] = [];
    const { answer } = await listed('9000 0 -1', (server) => ({
      async changes(...of) {
        const page = (await server.changes(...of)) as SyncPage;
        return { ...page, cancel: () => void cancelled.push('page') };
      },
    }));
    expect([answer, cancelled]).toEqual([{ restart: '' }, ['page']]);
  });

  test('has another page as long as the server names one', async () => {
    const paged = (next: string | null) => async (server: TestServer) =>
      listed('', () => ({
        async changes(...of) {
          const page = (await server.changes(...of)) as SyncPage;
          return { ...page, nextPage: () => next };
        },
      }));
    const server = await testServer();
    await server.put('history', 'AAAAAAAAAAAA', pageBody(1), 2_000);
    const more = await paged('token')(server);
    expect([(more.answer as Page).hasNext(), more.position]).toEqual([true, '-1 2000 1990 token']);
    const last = await paged(null)(server);
    expect((last.answer as Page).hasNext()).toBe(false);
  });

  test('does not ask for the next page before this one is at its end', async () => {
    const { changes, store } = await remote((server) => ({
      async changes(...of) {
        const page = (await server.changes(...of)) as SyncPage;
        const nextPage = () => {
          throw new Error('not read to the end');
        };
        return { ...page, nextPage };
      },
    }));
    const page = (await changes(store, '')) as Page;
    expect(page.position([], false)).toBe('-1 4000 -1');
  });
});

describe('an upload', () => {
  const ended = async (
    end: Awaited<ReturnType<Awaited<ReturnType<TestServer['upload']>>['commit']>>,
  ) => {
    const asked: unknown[] = [];
    const { store, upload } = await remote((server) => ({
      async upload(name, cursor) {
        asked.push(cursor.sinceMs);
        return { ...(await server.upload(name, cursor)), commit: async () => end };
      },
    }));
    const held = { position: '4000 0 -1', plan: null, each: async () => undefined };
    const { commit } = await upload(store, held);
    return { asked, end: await commit() };
  };

  test('stands on where the collection was read to, and leaves it behind itself', async () => {
    const { asked, end } = await ended({ kind: 'stored', version: '7000', modifiedMs: 7_000 });
    expect(asked).toEqual([4_000]);
    expect(end).toEqual({
      ...{ kind: 'stored', version: '7000', modifiedMs: 7_000, position: '7000 0 -1' },
    });
  });

  test.each(['moved', 'none'] as const)('that ends with `%s` moves no position', async (kind) => {
    expect((await ended({ kind })).end).toEqual({ kind });
  });
});

describe('the place of the user’s data', () => {
  test.each<[{ place: string } | null, number]>([
    [null, 0],
    [{ place: 'https://here.test' }, 0],
    [{ place: 'https://elsewhere.test' }, 1],
  ])('that was %j before: what was agreed on is void %i times', async (meta, times) => {
    const { begin, seen } = await remote(() => ({ poll: async () => [false, false] }), meta);
    await begin([]);
    expect(seen.startedOver).toBe(times);
  });
});
