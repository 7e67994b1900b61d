// What another device hands over: what is taken, and what is refused before the server is asked.

import { beforeAll, expect, it } from 'vitest';
import { failure, type SignInWorld, startSignIn } from '../../test/support/signin.ts';
import type { SignedIn } from './credentials.ts';
import { importSignIn } from './import.ts';
import { signInWithPassword } from './password.ts';
import { revokeToken } from './tokens.ts';

let world: SignInWorld;
let other: SignedIn;

beforeAll(async () => {
  world = startSignIn();
  other = await signInWithPassword(world.device, { ...world.client, ...world.account });
});

const imported = (change: object = {}, knownKid?: string) => {
  const json = JSON.stringify({ refresh_token: other.refreshToken, key: other.key, ...change });
  return importSignIn(world.device, world.client, json, knownKid);
};

it('is a sign-in of the same account, with a token of its own', async () => {
  const signedIn = await imported();
  expect({ ...signedIn, accessToken: '' }).toEqual({ ...other, accessToken: '' });
  expect(signedIn.accessToken).not.toBe(other.accessToken);
});

it('takes a key that says what it is for', async () => {
  const scope = 'https://identity.mozilla.com/apps/oldsync';
  expect((await imported({ key: { ...other.key, scope } })).key).toEqual(other.key);
});

it.each<[string, () => object, string]>([
  ['no refresh token', () => ({ refresh_token: undefined }), 'badInput'],
  ['an empty refresh token', () => ({ refresh_token: '' }), 'badInput'],
  ['no key', () => ({ key: undefined }), 'keyMismatch'],
  ['a key of another kind', () => ({ key: { ...other.key, kty: 'EC' } }), 'keyMismatch'],
  ['a key for something else', () => ({ key: { ...other.key, scope: 'notes' } }), 'keyMismatch'],
  ['half a key', () => ({ key: { ...other.key, k: other.key.k.slice(43) } }), 'keyMismatch'],
  ['a key without its time', () => ({ key: { ...other.key, kid: 'abc' } }), 'keyMismatch'],
])('is refused with %s, unasked', async (_, change, code) => {
  world.sent.length = 0;
  const error = await failure(imported(change()));
  expect(error.code).toBe(code);
  expect(error.printed).not.toContain(other.key.k.slice(43));
  expect(error.printed).not.toContain(other.refreshToken);
  expect(world.sent).toEqual([]);
});

it.each(['', '{', '[]', '7', 'x'.repeat(20_000), '['.repeat(10_000)])(
  'is refused when it is no such JSON (%#)',
  async (json) => {
    const error = await failure(importSignIn(world.device, world.client, json));
    expect(error.code).toBe('badInput');
  },
);

it('is refused with a key that is older than the known one', async () => {
  const { kid } = other.key;
  const later = `${Number(kid.slice(0, 13)) + 1}${kid.slice(13)}`;
  const error = await failure(imported({}, later));
  expect(error).toMatchObject({ code: 'keyMismatch', retry: 'afterUser' });
  const earlier = `${Number(kid.slice(0, 13)) - 1}${kid.slice(13)}`;
  expect((await imported({}, earlier)).key).toEqual(other.key);
});

it('is signedOut when the server took the token back', async () => {
  await revokeToken(world.device, world.client, other.refreshToken);
  expect((await failure(imported())).code).toBe('signedOut');
});
