import { describe, expect, it, test } from 'vitest';
import {
  accountOf,
  envelopeChars,
  KINDS,
  LONG_ID,
  longest,
  OTHERS,
  sealed,
} from './record-kinds.ts';
import { recordsOf } from './server-records.ts';
import { TEST_NOW_MS } from './servers/testing.ts';

const CHARS = 20_000;

test.each([...KINDS])('%s: the longest fills the wire, and one more does not fit', (_, kind) => {
  const body = longest(kind, CHARS);
  expect(envelopeChars(body)).toBeLessThanOrEqual(CHARS);
  expect(envelopeChars(body)).toBeGreaterThan(CHARS - 600);
  expect(envelopeChars(longest(kind, CHARS + 1_000))).toBeGreaterThan(CHARS);
  // At least one value, however little room there is.
  expect(Object.keys(longest(kind, 1)).length).toBeGreaterThan(0);
  expect(kind.edit === null || kind.edit.id === LONG_ID).toBe(true);
});

describe('an account of such records', () => {
  const kind = [...KINDS.values()][0];
  const long = { collection: 'history', body: { histUri: 'https://long.example/' } };

  it('has the long one under its id, the others under theirs, and opens', () => {
    const account = accountOf([long, ...OTHERS]);
    const records = [...recordsOf(account, 'history', TEST_NOW_MS)];
    expect(records.map(({ id }) => id)).toEqual([LONG_ID, ...OTHERS.map(({ body }) => body.id)]);
    expect(records[0]?.body).toEqual({ id: LONG_ID, ...long.body });
    expect(kind?.collection).toBe('history');
  });

  it('names every collection that a kind is of, bookmarks in their form', () => {
    const { store } = accountOf([]);
    const [user] = store.users.values();
    const meta = JSON.parse(
      user?.collections.get('meta')?.get('global', TEST_NOW_MS)?.payload ?? '',
    );
    const names = [...KINDS.values()].map(({ collection }) => collection);
    expect(Object.keys(meta.engines)).toEqual(expect.arrayContaining(names));
    expect([meta.engines.bookmarks.version, meta.engines.history.version]).toEqual([2, 1]);
  });

  it('seals the same text the same way', () => {
    expect(sealed('text')).toBe(sealed('text'));
    expect(sealed('text')).not.toBe(sealed('other'));
  });
});
