// What compaction leaves: the rule, and its portions.

import { describe, expect, test } from 'vitest';
import { memoryStorage } from '../storage/local-storage.ts';
import { keysUnder, type ServerStorage } from '../storage/server-storage.ts';
import { compact } from './compaction.ts';
import { keptLogs } from './log.ts';
import { Pen } from './testing.ts';

const DAY_MS = 86_400_000;
const ALL = { items: 10_000, chars: 1e9 };

async function written(counts: readonly number[], nowMs: (n: number) => number) {
  const storage = memoryStorage();
  const logs = keptLogs(storage);
  for (const [index, count] of counts.entries()) {
    const pen = new Pen();
    for (let n = 1; n <= count; n++) {
      const change = pen.write(`k${n % 3}`, `v${n}`);
      await logs.write('user', `name${index}`, (log) => log.append([change], nowMs(n)));
    }
  }
  const look = (name: string) =>
    logs.read('user', name, async (log) => ({
      oldest: log.row?.oldest,
      changes: (await log.changes(log.row?.oldest ?? 0, ALL)).items.map(({ seqnum }) => seqnum),
      records: (await log.records({ start: null, end: null }, ALL)).items.map(
        ({ key, payload }) => `${key}=${payload}`,
      ),
    }));
  return { storage, look, logs };
}

const RECORDS = ['pr', 'pr', 'pr'];

/** As an older version has written it. */
async function takeApart(storage: ServerStorage): Promise<void> {
  await storage.transaction('x', async (tx) => {
    for (const [key, text] of await tx.scan(keysUnder('pl/', 100))) {
      const { payload, ...row } = JSON.parse(text) as { readonly payload: string };
      tx.put(key, JSON.stringify(row));
      tx.put(key.replace('pl/', 'pv/'), payload);
    }
  });
}

describe('compaction', () => {
  test('keeps the newest changes, those that are young, and all records', async () => {
    const { storage, look } = await written([10, 4], (n) => n * DAY_MS);
    const compacted = await compact(storage, { changes: 3, ageMs: 2 * DAY_MS }, 10 * DAY_MS);
    expect(compacted).toEqual({ collections: 2, changes: 8 });
    const first = await look('name0');
    expect([first.oldest, first.changes]).toEqual([8, [8, 9, 10]]);
    expect(first.records).toEqual(['k0=v9', 'k1=v10', 'k2=v8']);
    expect((await look('name1')).oldest).toBe(2);
  });

  test('never ends a history at its head, and does nothing a second time', async () => {
    const { storage, look } = await written([5], () => 0);
    const keep = { changes: 1, ageMs: 0 };
    expect((await compact(storage, keep, 0)).changes).toBe(4);
    expect((await look('name0')).changes).toEqual([5]);
    expect((await compact(storage, keep, 0)).changes).toBe(0);
    expect((await look('name0')).records).toEqual(['k0=v3', 'k1=v4', 'k2=v5']);
  });

  test('goes over more than one portion, and leaves one entry for each record', async () => {
    const { storage, look } = await written([2_500], () => 0);
    expect((await compact(storage, { changes: 1, ageMs: 0 }, 0)).changes).toBe(2_499);
    expect((await look('name0')).records).toEqual(['k0=v2499', 'k1=v2500', 'k2=v2498']);
    const keys = await storage.read('x', (reader) =>
      reader.keys({ from: '!', to: '~', limit: 100 }),
    );
    expect(keys.map((key) => key.slice(0, 2))).toEqual(['ph', ...Array(3).fill('pl'), ...RECORDS]);
  });

  test('takes payloads that are apart from their changes with them', async () => {
    const { storage, look, logs } = await written([9], () => 0);
    await takeApart(storage);
    const before = await look('name0');
    expect(before.records).toEqual(['k0=v9', 'k1=v7', 'k2=v8']);
    const long = 'x'.repeat(1_025);
    const pen = new Pen(9);
    const changes = ['k1', 'k1', 'k2'].map((key) => pen.write(key, long));
    await logs.write('user', 'name0', (log) => log.append(changes, 0));
    await compact(storage, { changes: 2, ageMs: 0 }, 0);
    const after = await look('name0');
    expect(after.records).toEqual(['k0=v9', `k1=${long}`, `k2=${long}`]);
    const keys = await storage.read('x', (reader) => reader.keys(keysUnder('pv/', 100)));
    expect(keys.map((key) => Number(key.slice(-4)))).toEqual([9, 11, 12]);
  });

  test('leaves nothing behind of a record that goes or changes afterwards', async () => {
    const { storage, look, logs } = await written([3], () => 0);
    await compact(storage, { changes: 1, ageMs: 0 }, 0);
    const pen = new Pen(3);
    const [set, gone] = [pen.write('k1', 'new'), pen.write('k2', null)];
    await logs.write('user', 'name0', (log) => log.append([set, gone], 0));
    expect((await look('name0')).records).toEqual(['k0=v3', 'k1=new']);
    const keys = await storage.read('x', (reader) =>
      reader.keys({ from: 'pl/', to: 'pl0', limit: 9 }),
    );
    expect(keys.map((key) => Number(key.slice(-4)))).toEqual([3, 4, 5]);
  });

  test('of a clock that was ahead waits, unless age does not matter', async () => {
    const { storage } = await written([3], () => 99 * DAY_MS);
    expect((await compact(storage, { changes: 1, ageMs: 1 }, DAY_MS)).changes).toBe(0);
    expect((await compact(storage, { changes: 1, ageMs: 0 }, DAY_MS)).changes).toBe(2);
  });
});
