// A record as an entry, and back.

import { expect, test } from 'vitest';
import { documentCodec } from './codec.ts';

const reads = { bodyBytesMax: 100_000, pause: async () => undefined };
const codec = documentCodec(reads, { aheadMs: () => 5_000, tell: () => undefined });
const change = { id: 'h-1', base: '100.5', changedAtMs: 200_000 };

test('an entry opens as it was written', async () => {
  const text = '{"id":"https://a.test","entry":{"last_modified":1.50}}';
  const broken = { id: 'b', version: '1', modifiedMs: 1, payload: '{"id":"b","entry":{}' };
  expect(await codec.open([{ ...broken, payload: text }, broken])).toEqual([
    { kind: 'live', body: JSON.parse(text), text },
    { kind: 'malformed', code: 'badJson', proven: true },
  ]);
});

test('an entry without a time gets that of its change, by the server’s clock', async () => {
  const sealed = async (entry: unknown, base: string | null = '100.5') => {
    const { payload } = await codec.seal({ ...change, base, body: { id: 'a', entry, after: 3 } });
    return JSON.parse(payload ?? '');
  };
  expect(await sealed({ x: 1 })).toEqual({ id: 'a', entry: { last_modified: 205, x: 1 } });
  // It is later than what it was made from, whatever the clocks say.
  expect(await sealed({ x: 1 }, '300')).toEqual({
    id: 'a',
    entry: { last_modified: 300.001, x: 1 },
  });
  expect(await sealed({ x: 1 }, 'none')).toMatchObject({ entry: { last_modified: 205 } });
  expect(await sealed({ x: 1 }, null)).toMatchObject({ entry: { last_modified: 205 } });
  expect(await sealed({ last_modified: 7 })).toEqual({ id: 'a', entry: { last_modified: 7 } });
  expect(await sealed('odd')).toEqual({ id: 'a', entry: 'odd' });
});

test('a deletion is an entry that says so', async () => {
  const { payload } = await codec.seal({ ...change, body: null });
  expect(JSON.parse(payload ?? '')).toEqual({
    id: 'h-1',
    entry: { last_modified: 205, deleted: true },
  });
});
