import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  signAssertion,
  signCertificate,
  toBrowserIdKey,
  toJwk,
  verifyAssertion,
} from './browserid.ts';
import { publicPart, signJws, verifyJws } from './jws.ts';
import { ACCOUNTS_TEST_KEY, CLIENT_TEST_KEY } from './test-keys.ts';

const NOW_MS = 1_795_323_280_000;
const AUDIENCE = 'https://token.test/';
const OTHER_KEY = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  format: 'jwk',
});

interface Parts {
  accountsKey?: typeof OTHER_KEY;
  clientKey?: typeof OTHER_KEY;
  audience?: string;
  issuer?: string;
  durationMs?: number;
  expiresMs?: number;
}

function bundle(parts: Parts = {}): string {
  const certificate = signCertificate(parts.accountsKey ?? ACCOUNTS_TEST_KEY, {
    issuer: parts.issuer ?? 'accounts.test',
    publicKey: toBrowserIdKey(CLIENT_TEST_KEY),
    uid: 'abc',
    email: 'user@example.test',
    generation: 12,
    keysChangedAtMs: 11,
    nowMs: NOW_MS,
    durationMs: parts.durationMs ?? 60_000,
  });
  return signAssertion(parts.clientKey ?? CLIENT_TEST_KEY, certificate, {
    audience: parts.audience ?? AUDIENCE,
    issuedAtMs: NOW_MS,
    expiresMs: parts.expiresMs ?? NOW_MS + 1_000,
  });
}

function verify(text: string) {
  return verifyAssertion(text, {
    accountsKey: publicPart(ACCOUNTS_TEST_KEY),
    issuer: 'accounts.test',
    audiences: [AUDIENCE],
    nowMs: NOW_MS,
  });
}

describe('an assertion', () => {
  test('says who the user is', () => {
    expect(verify(bundle())).toEqual({
      ...{ uid: 'abc', generation: 12, keysChangedAtMs: 11 },
      email: 'user@example.test',
    });
  });

  test('is the same text for the same claims', () => {
    expect(bundle()).toBe(bundle());
  });

  test.each<[string, Parts, string]>([
    ['a certificate signed by somebody else', { accountsKey: OTHER_KEY }, 'signature'],
    ['an assertion signed by another client', { clientKey: OTHER_KEY }, 'signature'],
    ['another audience', { audience: 'https://evil.test/' }, 'audience'],
    ['another issuer', { issuer: 'evil.test' }, 'issuer'],
    ['an expired certificate', { durationMs: 0 }, 'expired'],
    ['an expired assertion', { expiresMs: NOW_MS }, 'expired'],
  ])('with %s is refused', (_what, parts, refusal) => {
    expect(verify(bundle(parts))).toBe(refusal);
  });

  test('with one character changed is refused', () => {
    const [certificate = '', assertion = ''] = bundle().split('~');
    const [header, , signature] = assertion.split('.');
    const payload = Buffer.from(JSON.stringify({ aud: AUDIENCE, exp: NOW_MS * 2 }));
    const changed = `${header}.${payload.toString('base64url')}.${signature}`;
    expect(verify(`${certificate}~${changed}`)).toBe('signature');
  });

  test.each(['', 'a', '~', 'a~b', 'a.b.c~d.e.f', `${bundle()}~x`])('%# is malformed', (text) => {
    expect(verify(text)).toBe('malformed');
  });

  test('without a signature algorithm is refused', () => {
    const [certificate = ''] = bundle().split('~');
    const none = signJws(CLIENT_TEST_KEY, { aud: AUDIENCE, exp: NOW_MS * 2 }, { alg: 'none' });
    expect(verify(`${certificate}~${none}`)).toBe('signature');
    expect(verifyJws(publicPart(CLIENT_TEST_KEY), none)).toBeNull();
  });
});

test('a key survives the way to decimal numbers and back', () => {
  expect(toJwk(toBrowserIdKey(CLIENT_TEST_KEY))).toEqual(publicPart(CLIENT_TEST_KEY));
  for (const key of [
    null,
    {},
    { algorithm: 'DS', n: '1', e: '1' },
    { algorithm: 'RS', n: 'x', e: '1' },
  ])
    expect(toJwk(key)).toBeNull();
});
