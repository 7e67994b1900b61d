import { expect, test } from 'vitest';
import { openKeyBundle, passwordKeys, sealKeyBundle, tokenKeys, xor } from './onepw.ts';

// The test vectors of the onepw protocol's specification.
const KEY_FETCH_TOKEN = Buffer.from(
  '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
  'hex',
);
const KA = '202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f';
const WRAP_KB = '7effe354abecbcb234a8dfc2d7644b4ad339b525589738f2d27341bb8622ecd8';
const BUNDLE =
  'ee5c58845c7c9412b11bbd20920c2fddd83c33c9cd2c2de2d66b222613364636fc7e59d854d599f10e212801de3a' +
  '47c34333f3b838ee3471e0f285649c332bbb4c17f42a0b319bbba327d2b326ad23e937219b4de32e3ec7b3e3f740' +
  '522ad6ef';

test('a password gives the published keys', () => {
  const { authPW, unwrapBKey } = passwordKeys('andré@example.org', 'pässwörd');
  expect(authPW.toString('hex')).toBe(
    '247b675ffb4c46310bc87e26d712153abe5e1c90ef00a4784594f97ef54f2375',
  );
  expect(xor(Buffer.from(WRAP_KB, 'hex'), unwrapBKey).toString('hex')).toBe(
    'a095c51c1c6e384e8d5777d97e3c487a4fc2128a00ab395a73d57fedf41631f0',
  );
});

test('a key fetch token opens the published bundle, and no other', () => {
  const { id, bundleKey } = tokenKeys(KEY_FETCH_TOKEN, 'keyFetchToken');
  expect(id).toBe('3d0a7c02a15a62a2882f76e39b6494b500c022a8816e048625a495718998ba60');
  const bundle = Buffer.from(BUNDLE, 'hex');
  expect(sealKeyBundle(bundleKey, Buffer.from(KA + WRAP_KB, 'hex'))).toEqual(bundle);
  expect(openKeyBundle(bundleKey, bundle)?.toString('hex')).toBe(KA + WRAP_KB);
  bundle[0] = 0;
  expect(openKeyBundle(bundleKey, bundle)).toBeNull();
  expect(openKeyBundle(bundleKey, bundle.subarray(0, 95))).toBeNull();
});

test('a session token is shown as the published id', () => {
  const token = Buffer.from('0f'.repeat(32), 'hex');
  expect(tokenKeys(token, 'sessionToken').id).toBe(
    '923ee512d6153af6796ecb3aaddb1e8a48a713ef79cf0dbcfcc124456fd3ed6a',
  );
});
