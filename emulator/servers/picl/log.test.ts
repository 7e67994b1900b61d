// Logs in a storage that holds something else where a log should be. What they do otherwise is in
// the contract of the server.

import { expect, test } from 'vitest';
import { memoryStorage } from '../storage/local-storage.ts';
import { keptLogs } from './log.ts';
import { Pen } from './testing.ts';

const ALL = { items: 10, chars: 1_000 };
const RANGE = { start: null, end: null };
/** Of a payload that is not with its change. */
const LONG = 'x'.repeat(1_025);
const OTHER = { key: 'a', changeid: 'b', signature: 'c', chars: 3, atMs: 1, payload: 'longer' };

test.each([
  ['ph/user/name', '{}'],
  ['ph/user/name', '{"seqnum":1,"changeid":"x","signature":"y","first":1,"oldest":"1"}'],
  ['pl/user/name/0000000000000001', null],
  ['pl/user/name/0000000000000001', '{"key":"a"}'],
  ['pl/user/name/0000000000000001', JSON.stringify(OTHER)],
  ['pv/user/name/0000000000000001', null],
  ['pv/user/name/0000000000000001', 'longer'],
  ['pr/user/name/a', 'x'],
])('a storage with something else at %s is no empty collection', async (key, value) => {
  const storage = memoryStorage();
  const logs = keptLogs(storage);
  const change = new Pen().write('a', LONG);
  await logs.write('user', 'name', (log) => log.append([change], 0));
  await storage.transaction('x', async (tx) => {
    if (value === null) tx.remove(key);
    else tx.put(key, value);
  });
  const reading = logs.read('user', 'name', (log) => log.records(RANGE, ALL));
  await expect(reading).rejects.toThrow(`the database holds something else at ${key}`);
});

test('nothing of what throws is kept', async () => {
  const logs = keptLogs(memoryStorage());
  const failing = logs.write('user', 'name', async (log) => {
    await log.append([new Pen().write('a', 'one')], 0);
    throw new Error('changed its mind');
  });
  await expect(failing).rejects.toThrow('changed its mind');
  expect(await logs.read('user', 'name', async ({ row }) => row)).toBeNull();
});

test('an append of nothing is none', async () => {
  const logs = keptLogs(memoryStorage());
  await logs.write('user', 'name', (log) => log.append([], 0));
  expect(await logs.read('user', 'name', async ({ row }) => row)).toBeNull();
});
