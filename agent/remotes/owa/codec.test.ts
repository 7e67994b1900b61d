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

test('an entry goes as it is, with a time or without one', async () => {
  for (const entry of [{ last_modified: 7 }, { x: 1 }, 'odd', null]) {
    const { payload } = await codec.seal({ ...change, body: { id: 'a', entry, after: 3 } });
    expect(JSON.parse(payload ?? '')).toEqual({ id: 'a', entry });
  }
});

test('a deletion is an entry that says so, by the server’s clock', async () => {
  const sealed = async (base: string | null) => {
    const { payload } = await codec.seal({ ...change, base, body: null });
    return JSON.parse(payload ?? '');
  };
  const at = (last_modified: number) => ({ id: 'h-1', entry: { last_modified, deleted: true } });
  expect(await sealed('100.5')).toEqual(at(205));
  // It is later than what it was made from, whatever the clocks say.
  expect(await sealed('300')).toEqual(at(300.001));
  expect(await sealed('none')).toEqual(at(205));
  expect(await sealed(null)).toEqual(at(205));
});
