import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { remoteBench } from '../../test/support/remote.ts';
import { DEFAULT_BUNDLE, testServer } from '../../test/support/server.ts';
import { openTestStore, pageBody, testPass } from '../../test/support/store.ts';
import { testOffer, testRemote } from '../../test/support/sync.ts';
import { generic } from '../collections/generic.ts';
import { history } from '../collections/history.ts';
import { SyncError } from '../errors.ts';
import type { Codec, Listed, Page } from '../remotes/remote.ts';
import { pull } from './pull.ts';

const HELD_MAX = 60;
const nobody = (): never => {
  throw new TypeError('fetch failed');
};

test('what is too much history is gone before a batch is told of', async () => {
  const server = await testServer();
  for (let n = 0; n < 200; n++)
    await server.put('history', `page${n}`, pageBody(n), 1_000 + 10 * n);
  const storage = new MemoryStorage();
  const store = await openTestStore(storage, history);
  const { config, ...rest } = testPass(store);
  const held: number[] = [];
  const pass = {
    ...rest,
    config: { ...config, historyRecordsMax: HELD_MAX },
    remote: testRemote(remoteBench(nobody).options, server),
    offer: testOffer(store, DEFAULT_BUNDLE),
    emit: ({ kind }: { readonly kind: string }) => {
      if (kind === 'progress') held.push(store.state.held);
    },
  };
  await pull(pass);
  expect(held.length).toBeGreaterThan(3);
  expect(Math.max(...held)).toBe(HELD_MAX);
  expect(store.state.held).toBe(HELD_MAX);
});

test('a batch takes no record that would make it too long, unless it is the only one', async () => {
  const server = await testServer();
  const longs = [6_500, 6_500, 6_500, 30_000, 60_000, 1_000];
  for (const [n, chars] of longs.entries()) {
    const body = { ...pageBody(n), title: 'x'.repeat(chars) };
    await server.put('history', `page${n}`, body, 1_000 + 10 * n);
  }
  const store = await openTestStore(new MemoryStorage(), history);
  const pulled: number[] = [];
  await pull({
    ...testPass(store),
    remote: testRemote(remoteBench(nobody).options, server),
    offer: testOffer(store, DEFAULT_BUNDLE),
    emit: (event) => {
      if (event.kind === 'progress') pulled.push(event.pulled);
    },
  });
  // Sealed, a text is a third longer: 9,000 characters each, then 40,000 and 80,000; the last of
  // a batch needs its room twice.
  expect(pulled).toEqual([2, 3, 4, 5, 6]);
});

describe('a link that breaks in the middle of a list', () => {
  /** A server whose lists end after `records` records, the first `breaks` times. */
  async function pulled(records: number, breaks: number) {
    const server = await testServer();
    for (let n = 0; n < 200; n++)
      await server.put('history', `page${n}`, pageBody(n), 1_000 + 10 * n);
    const store = await openTestStore(new MemoryStorage(), history);
    let asked = 0;
    const remote: typeof server = {
      ...server,
      async changes(name, cursor) {
        const page = await server.changes(name, cursor);
        if (page === null || page === 'restart' || asked++ >= breaks) return page;
        const all: Listed[] = [];
        await page.next(all);
        return {
          ...page,
          async next(out) {
            if (all.length === 0) throw new SyncError('truncated', 'it broke');
            out.push(...all.splice(0, records));
            all.length = 0;
            return true;
          },
        };
      },
    };
    const { config, ...rest } = testPass(store);
    const pass = {
      ...rest,
      config: { ...config, historyRecordsMax: 1_000 },
      remote: testRemote(remoteBench(nobody).options, remote),
      offer: testOffer(store, DEFAULT_BUNDLE),
    };
    const error = await pull(pass).catch((why: unknown) => why);
    return { error, asked, held: store.state.held };
  }

  test('costs one more request for what has not come yet', async () => {
    expect(await pulled(120, 1)).toEqual({ error: undefined, asked: 2, held: 200 });
  });

  test('ends the pass when nothing has come', async () => {
    expect(await pulled(0, 1)).toMatchObject({ error: { code: 'truncated' }, asked: 1, held: 0 });
  });

  test('ends the pass after the third time, with what has come', async () => {
    const { error, asked, held } = await pulled(52, 9);
    expect(error).toMatchObject({ code: 'truncated' });
    expect(asked).toBe(4);
    expect(held).toBeGreaterThan(150);
  });
});

test('what its page says is older than what is known is passed over', async () => {
  const store = await openTestStore(new MemoryStorage(), generic('things'));
  const opened: string[] = [];
  const read = (versions: readonly string[], older?: Page['older']): Promise<void> => {
    const shown = versions.map(
      (version): Listed => ({
        ...{ ok: true, chars: 9 },
        envelope: { id: `page${version[0]}`, version, modifiedMs: 1, payload: 'x' },
      }),
    );
    const page: Page = {
      ...{ serverNowMs: 1, hasNext: () => false, cancel: () => undefined },
      ...{ position: () => 'behind them', next: async (out) => out.push(...shown) < 0 },
      ...(older && { older }),
    };
    const { remote, ...rest } = testPass(store);
    const open: Codec['open'] = async (envelopes) =>
      envelopes.splice(0).map(({ version }, n) => {
        opened.push(version);
        return { kind: 'live', body: { n }, text: JSON.stringify({ n }) };
      });
    const offer = { ...testOffer(store), codec: { ...testOffer(store).codec, open } };
    return pull({ ...rest, offer, remote: { ...remote, changes: async () => page } });
  };
  await read(['1.4', '2.4']);
  const asked: string[][] = [];
  await read(['1.3', '2.4', '3.1'], (...given) => {
    asked.push(given);
    return 'from there';
  });
  expect(asked).toEqual([['1.3', '1.4', 'behind them']]);
  expect(opened).toEqual(['1.4', '2.4', '3.1']);
  expect(store.state.position).toBe('from there');
  const entries = await store.load(['page1', 'page2', 'page3']);
  expect(entries.map(({ mirror }) => mirror?.version)).toEqual(['1.4', '2.4', '3.1']);
});
