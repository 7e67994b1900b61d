import { expect, test } from 'vitest';
import { MemoryStorage } from '../platform/memory/storage.ts';
import { DEFAULT_BUNDLE, testServer } from '../test/support/server.ts';
import { openTestStore, pageBody, testPass } from '../test/support/store.ts';
import { history } from './collections/history.ts';
import { pull } from './pull.ts';

const HELD_MAX = 60;

test('what is too much history is gone before a batch is told of and the next one comes', async () => {
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
    remote: server,
    keys: { bundle: () => DEFAULT_BUNDLE, recheck: async () => false },
    emit: ({ kind }: { readonly kind: string }) => {
      if (kind === 'progress') held.push(store.state.held);
    },
  };
  await pull(pass);
  expect(held.length).toBeGreaterThan(3);
  expect(Math.max(...held)).toBe(HELD_MAX);
  expect(store.state.held).toBe(HELD_MAX);
});
