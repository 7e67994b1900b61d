import { expect, test } from 'vitest';
import { countingRandom } from '../testing.ts';
import { type AuthOptions, holderOf, newAuth, renewed } from './auth.ts';

const random = countingRandom();
const at = (nowMs: number, more: Partial<AuthOptions> = {}): AuthOptions => ({
  ...{ secret: { secret: Buffer.alloc(32, 1) }, nowMs: () => nowMs, random },
  ...more,
});

test('a header is taken by whoever has the secret, until its time is over', () => {
  const auth = newAuth('user', at(1_000));
  expect(holderOf(auth, at(1_000))?.user).toBe('user');
  expect(holderOf(auth, at(86_400_999))?.user).toBe('user');
  expect(holderOf(auth, at(86_401_000))).toBe(null);
  const other = { secret: Buffer.alloc(32, 2) };
  expect(holderOf(auth, at(1_000, { secret: other }))).toBe(null);
  for (const header of [null, '', 'OWA ', auth.slice(4), `${auth}A`, auth.replace('OWA', 'owa')])
    expect(holderOf(header, at(1_000))).toBe(null);
});

test('a new one comes in the second half of a life, within that of the login', () => {
  const more = { authSeconds: 100, loginSeconds: 170 };
  const holder = holderOf(newAuth('user', at(0, more)), at(0, more));
  if (holder === null) throw new Error();
  expect(renewed(holder, at(49_999, more))).toBe(null);
  const next = renewed(holder, at(90_000, more));
  expect(holderOf(next, at(90_000, more))).toEqual({
    user: 'user',
    loginMs: 0,
    expiresMs: 170_000,
  });
  const last = holderOf(next, at(90_000, more)) ?? holder;
  expect(renewed(last, at(169_000, more))).toBe(null);
});
