import { expect, test } from 'vitest';
import { decodeHex, encodeHex } from '../../../crypto/bytes.ts';
import { scopedSyncKey } from '../../../crypto/onepw.ts';
import { VECTORS } from '../../../test/support/picl-vectors.ts';
import { piclKeys, piclKeysOf } from './keys.ts';

const { root_hex: kB, k_sign_hex, k_enc_hex, k_sign_bookmarks_hex } = VECTORS.keys;

test('each collection has a key to sign with and one to seal with, as the vectors say', () => {
  const keys = piclKeysOf(decodeHex(kB) ?? new Uint8Array());
  expect(encodeHex(keys.signKey('passwords'))).toBe(k_sign_hex);
  expect(encodeHex(keys.sealKey('passwords'))).toBe(k_enc_hex);
  expect(encodeHex(keys.signKey('bookmarks'))).toBe(k_sign_bookmarks_hex);
  // Not derived again for every change.
  expect(keys.signKey('passwords')).toBe(keys.signKey('passwords'));
});

test('whoever has kB and whoever has the scoped key of it have the same keys', () => {
  const scoped = scopedSyncKey(kB, 1_000);
  expect(piclKeys(scoped).signKey('a')).toEqual(piclKeys({ kB }).signKey('a'));
  expect(piclKeys(scoped).sealKey('a')).toEqual(piclKeys({ kB }).sealKey('a'));
});

test('a scoped key has keys of its own, and both halves of it count', () => {
  const scoped = (fill: number) => {
    const k = Buffer.from(new Uint8Array(64).fill(1, 0, 32).fill(fill, 32)).toString('base64url');
    return piclKeys({ kty: 'oct', kid: '1-AAAAAAAAAAAAAAAAAAAAAA', k });
  };
  expect(scoped(2).signKey('a')).not.toEqual(scoped(3).signKey('a'));
  expect(scoped(2).signKey('a')).not.toEqual(scoped(2).sealKey('a'));
  expect(() => piclKeys({ kB: 'short' })).toThrowError(/64 hex/);
});
