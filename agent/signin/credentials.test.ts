// What a sign-in leaves: which keys are keys for Sync, and whose data it is.

import { describe, expect, test } from 'vitest';
import { SyncError } from '../errors.ts';
import { OLDSYNC_SCOPE, readScopedKey, uidOf } from './credentials.ts';

const STATE = Buffer.alloc(16, 9).toString('base64url');
const KEY = {
  kty: 'oct',
  kid: `1700000000000-${STATE}`,
  k: Buffer.alloc(64, 5).toString('base64url'),
};
const kidAt = (timeMs: number): string => `${timeMs}-${STATE}`;

const codeOf = (jwk: unknown, knownKid?: string): string => {
  try {
    readScopedKey(jwk, knownKid);
    return 'a key';
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    expect(error.message).not.toContain(KEY.k);
    return `${error.code}: ${error.message}`;
  }
};

describe('a scoped key', () => {
  test('is taken with what it needs, and nothing else of it is kept', () => {
    expect(readScopedKey({ ...KEY, scope: OLDSYNC_SCOPE, alg: 'x', later: 1 })).toEqual(KEY);
  });

  test.each([
    null,
    undefined,
    7,
    'key',
    [KEY],
    { ...KEY, kty: 'EC' },
    { ...KEY, kty: undefined },
    { ...KEY, kid: undefined },
    { ...KEY, kid: 7 },
    { ...KEY, k: undefined },
    Object.create(KEY),
  ])('is none without its members: %j', (jwk) => {
    expect(codeOf(jwk)).toBe('keyMismatch: scoped key: kty, kid or k is missing');
  });

  test.each(['notes', '', null, 7, `${OLDSYNC_SCOPE}/x`])('for %j is none for Sync', (scope) => {
    expect(codeOf({ ...KEY, scope })).toBe('keyMismatch: scoped key: it is for another scope');
  });

  test.each([
    { k: KEY.k.slice(1) },
    { k: `${KEY.k}A` },
    { k: KEY.k.replace(/^./, '+') },
    { kid: STATE },
    { kid: `x-${STATE}` },
    { kid: `1700000000000-${STATE.slice(2)}` },
  ])('of another form is none: %j', (change) => {
    expect(codeOf({ ...KEY, ...change })).toMatch(/^keyMismatch/);
  });

  test('that is older than the one that is known is refused, the same one is not', () => {
    expect(codeOf(KEY, kidAt(1_700_000_000_001))).toMatch(/^keyMismatch: .*older than the known/);
    expect(codeOf(KEY, KEY.kid)).toBe('a key');
    expect(codeOf(KEY, kidAt(1_699_999_999_999))).toBe('a key');
    expect(codeOf(KEY)).toBe('a key');
  });
});

describe('the name of an account', () => {
  const UID = '0123456789abcdef'.repeat(2);
  const token = (payload: unknown): string => {
    const part = (value: unknown): string =>
      Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
    return `${part({ alg: 'x' })}.${part(payload)}.signature`;
  };
  const byKey = Buffer.alloc(16, 9).toString('hex');

  test('is the subject of a token that is a JWT', () => {
    expect(uidOf(token({ sub: UID }), readScopedKey(KEY))).toBe(UID);
  });

  test.each([
    'opaque',
    '',
    '..',
    'a.%%%.c',
    token('no JSON'),
    token([]),
    token(null),
    token({}),
    token({ sub: 7 }),
    token({ sub: '' }),
    token({ sub: UID.toUpperCase() }),
    token({ sub: `${UID}0` }),
    token({ sub: `${UID}\n` }),
    token('{"__proto__":{"sub":"x"}}'),
  ])('is by its key where the token says none: %s', (accessToken) => {
    expect(uidOf(accessToken, readScopedKey(KEY))).toBe(byKey);
  });
});
