import { expect, test } from 'vitest';
import { signIn, startAccounts } from '../../../test/support/accounts.ts';
import { EMPTY_STATE } from '../account-state.ts';
import { TEST_NOW_MS } from '../testing.ts';
import {
  endedRange,
  endKey,
  endOf,
  heldKey,
  keyOfEnd,
  ownerOf,
  rowsOf,
  stateOf,
  uidKey,
} from './account-rows.ts';

test('a state is what its rows hold, but for the index of uids', async () => {
  const { ask, accounts } = startAccounts();
  await signIn(ask);
  const rows = rowsOf(accounts.state());
  const { uid = '', email = '' } = accounts.state().accounts[0] ?? {};
  expect(rows.get(uidKey(uid))).toBe(ownerOf(email.toUpperCase()));
  const held = [...rows].filter(([key]) => !key.startsWith('au/'));
  expect(held).toHaveLength(3);
  expect(stateOf(held)).toEqual(accounts.state());
  expect(rowsOf(EMPTY_STATE).size).toBe(0);
});

test('a row says when it ends, and its end names it', async () => {
  const { ask, accounts } = startAccounts();
  await signIn(ask);
  const ends = [...rowsOf(accounts.state())].map(([key, text]) => endOf(key, text).endMs);
  expect(ends.filter((endMs) => endMs !== null)).toHaveLength(2);
  const key = heldKey('any');
  const entry = endKey(TEST_NOW_MS, key);
  expect(keyOfEnd(entry)).toBe(key);
  const at = (nowMs: number) => {
    const { from, to } = endedRange(nowMs, 1);
    return entry >= from && entry < to;
  };
  expect([at(TEST_NOW_MS - 1), at(TEST_NOW_MS)]).toEqual([false, true]);
});

test.each([
  ['ac/x', '{}'],
  ['ac/x', '{"email":"e"'],
  ['at/x', '{"owner":"o"}'],
  ['at/x', '[]'],
  ['ad/x', '["id"]'],
])('%s with %s is damaged, and says where', (key, text) => {
  expect(() => stateOf([[key, text]])).toThrow(key);
});
