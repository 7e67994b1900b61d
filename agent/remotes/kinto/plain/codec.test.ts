// Records as other clients write them, and how ours leave.

import { describe, expect, test } from 'vitest';
import type { Envelope } from '../../remote.ts';
import { PLAIN, plainCodec } from './codec.ts';

const codec = plainCodec(async () => undefined);
const envelope = (payload: string | null): Envelope => ({
  ...{ id: 'a', version: '7', modifiedMs: 7, payload },
});

describe('a record of the server', () => {
  test('is its members beside Kinto’s own, its id first', () => {
    const record = { text: 'x', last_modified: 7, id: 'a', schema: 3 };
    expect(PLAIN.read(record)).toEqual({
      ...{ id: 'a', modifiedMs: 7, deleted: false },
      payload: '{"id":"a","text":"x","schema":3}',
    });
  });

  test('is deleted where it says that and nothing else', () => {
    const read = (record: object) => PLAIN.read({ id: 'a', last_modified: 7, ...record });
    expect(read({ deleted: true })).toMatchObject({ deleted: true, payload: undefined });
    expect(read({ deleted: true, text: 'x' })).toMatchObject({ deleted: false });
    expect(read({ deleted: 1 })).toMatchObject({ deleted: false });
  });

  test.each([[null], [7], ['x'], [[]]])('%j is none', (value) => {
    expect(PLAIN.read(value).id).toBeUndefined();
  });

  test('opens as it is, and a tombstone of the server is a deletion', async () => {
    const text = '{"id":"a","__proto__":{"x":1}}';
    const many = `{"id":"a","all":[${'1,'.repeat(90_000)}1]}`;
    expect(await codec.open([envelope(text), envelope(null), envelope(many)])).toEqual([
      { kind: 'live', body: JSON.parse(text), text },
      { kind: 'tombstone' },
      { kind: 'malformed', code: 'tooLarge', proven: true },
    ]);
  });
});

test('a change leaves without the server’s members, a deletion without anything', async () => {
  const change = { id: 'a', base: '7', changedAtMs: 1 };
  const body = { id: 'a', text: 'x', last_modified: 1, deleted: true };
  const sealed = await codec.seal({ ...change, body });
  expect(sealed).toEqual({ id: 'a', base: '7', beside: {}, payload: '{"id":"a","text":"x"}' });
  expect(PLAIN.data(sealed.payload ?? '')).toEqual({ id: 'a', text: 'x' });
  expect(await codec.seal({ ...change, body: null })).toMatchObject({ payload: null });
});
