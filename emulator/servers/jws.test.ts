import { createHmac, generateKeyPairSync } from 'node:crypto';
import { expect, it, test } from 'vitest';
import { publicPart, readJws, signJws, verifyJws } from './jws.ts';

const keyPair = () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ format: 'jwk' });
};
const OURS = keyPair();
const PAYLOAD = { sub: 'ä', exp: 7 };
const token = signJws(OURS, PAYLOAD, { kid: 'k1' });
const [header = '', payload = '', signature = ''] = token.split('.');
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

it('says what was signed, by the key that signed it', () => {
  const said = { header: { alg: 'RS256', kid: 'k1' }, payload: PAYLOAD };
  expect(readJws(token)).toEqual(said);
  expect(verifyJws(publicPart(OURS), token)).toEqual(said);
  expect(signJws(OURS, PAYLOAD, { kid: 'k1' })).toBe(token);
  expect(Object.keys(publicPart(OURS)).sort()).toEqual(['e', 'kty', 'n']);
});

it('proves nothing under another key, or under one that is none', () => {
  expect(verifyJws(publicPart(keyPair()), token)).toBeNull();
  expect(verifyJws({ kty: 'oct', k: 'AA' }, token)).toBeNull();
  expect(verifyJws({}, token)).toBeNull();
});

test.each([
  ['another payload', `${header}.${encode({ ...PAYLOAD, exp: 8 })}.${signature}`],
  ['another header', `${encode({ alg: 'RS256', kid: 'k2' })}.${payload}.${signature}`],
  ['another signature', `${header}.${payload}.${signature.slice(0, -8)}AAAAAAAA`],
  ['no algorithm', `${encode({ alg: 'none' })}.${payload}.${signature}`],
  [
    'a signature that the public key makes as a secret',
    (() => {
      const signed = `${encode({ alg: 'HS256' })}.${payload}`;
      const mac = createHmac('sha256', JSON.stringify(publicPart(OURS))).update(signed);
      return `${signed}.${mac.digest('base64url')}`;
    })(),
  ],
])('proves nothing with %s', (_, changed) => {
  expect(readJws(changed)).not.toBeNull();
  expect(verifyJws(publicPart(OURS), changed)).toBeNull();
});

test.each([
  ['', 'nothing'],
  [`${header}.${payload}`, 'no signature'],
  [`${header}.${payload}.`, 'an empty signature'],
  [`${token}.${signature}`, 'four parts'],
  [`${encode([])}.${payload}.${signature}`, 'a header that is a list'],
  [`${header}.${encode('x')}.${signature}`, 'a payload that is a text'],
  [`${header}.!.${signature}`, 'a payload that is no JSON'],
])('%s is no token: %s', (text) => {
  expect(readJws(text)).toBeNull();
  expect(verifyJws(publicPart(OURS), text)).toBeNull();
});
