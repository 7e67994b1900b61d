import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { accountsJwk } from './access-tokens.ts';
import { isClientKey, signCertificate, verifyAssertion } from './browserid.ts';
import { toDsaKey } from './browserid-dsa.ts';
import { ACCOUNTS_TEST_KEY } from './test-keys.ts';

const NOW_MS = 1_795_323_280_000;

/** The numbers of a DSA key, read from its DER by hand: the test does not trust the writer. */
function numbersOf(key: KeyObject): Record<string, string> {
  const der = key.export({ format: 'der', type: 'spki' });
  const integers: string[] = [];
  const walk = (bytes: Buffer): void => {
    for (let at = 0; at < bytes.length; ) {
      const tag = bytes[at] ?? 0;
      let length = bytes[at + 1] ?? 0;
      at += 2;
      if (length > 0x80) {
        const count = length - 0x80;
        length = Number.parseInt(bytes.subarray(at, at + count).toString('hex'), 16);
        at += count;
      }
      const content = bytes.subarray(at, at + length);
      if (tag === 0x30) walk(content);
      if (tag === 0x03) walk(content.subarray(1));
      if (tag === 0x02) integers.push(content.toString('hex').replace(/^00/, ''));
      at += length;
    }
  };
  walk(der);
  const [p = '', q = '', g = '', y = ''] = integers;
  return { algorithm: 'DS', p, q, g, y };
}

const b64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function bundle(bits: 1024 | 2048, alg: 'DS128' | 'DS256', change: object = {}): string {
  const { publicKey, privateKey } = generateKeyPairSync('dsa', {
    modulusLength: bits,
    divisorLength: bits === 1024 ? 160 : 256,
  });
  const certificate = signCertificate(ACCOUNTS_TEST_KEY, {
    ...{ issuer: 'accounts.test', publicKey: numbersOf(publicKey), email: 'user@example.test' },
    ...{ uid: 'u', generation: 1, keysChangedAtMs: 1, nowMs: NOW_MS, durationMs: 60_000 },
  });
  const claims = { aud: 'https://token.test/', exp: NOW_MS + 60_000 };
  const signed = `${b64({ alg })}.${b64(claims)}`;
  const hash = alg === 'DS128' ? 'sha1' : 'sha256';
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' as const };
  const signature = sign(hash, Buffer.from(signed), key).toString('base64url');
  const shown =
    Object.keys(change).length === 0 ? signed : `${b64({ alg })}.${b64({ ...claims, ...change })}`;
  return `${certificate}~${shown}.${signature}`;
}

const judged = (text: string) =>
  verifyAssertion(text, {
    accountsKey: accountsJwk(),
    issuer: 'accounts.test',
    audiences: ['https://token.test/', 'https://other.test/'],
    nowMs: NOW_MS,
  });

describe('an assertion that a DSA key signed', () => {
  test.each([
    [1024, 'DS128'],
    [2048, 'DS256'],
  ] as const)('of %i bits (%s) is believed', (bits, alg) => {
    expect(judged(bundle(bits, alg))).toMatchObject({ uid: 'u' });
  });

  test('is not believed when it says something else than what was signed', () => {
    expect(judged(bundle(1024, 'DS128', { aud: 'https://other.test/' }))).toBe('signature');
  });
});

test.each([
  ['no numbers', { algorithm: 'DS' }],
  ['a number that is none', { algorithm: 'DS', p: 'x', q: '1', g: '1', y: '1' }],
  ['a number without an end', { algorithm: 'DS', p: 'f'.repeat(769), q: '1', g: '1', y: '1' }],
  ['another kind', { algorithm: 'ES', p: '17', q: '0b', g: '04', y: '08' }],
])('%s: no key', (_, key) => {
  expect(toDsaKey(key)).toBeNull();
  expect(isClientKey(key)).toBe(false);
});
