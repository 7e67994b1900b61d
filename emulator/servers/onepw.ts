// The derivations of the Firefox Accounts "onepw" protocol, version 1: what a password turns into,
// what a token turns into, and how the keys travel. Used by the accounts server and by its client.

import { createHmac, hkdfSync, pbkdf2Sync } from 'node:crypto';

const NAMESPACE = 'identity.mozilla.com/picl/v1/';
const STRETCH_ROUNDS = 1000;

/** The scope that the Sync key belongs to. */
export const OLDSYNC_SCOPE = 'https://identity.mozilla.com/apps/oldsync';

export type TokenKind = 'sessionToken' | 'keyFetchToken' | 'passwordChangeToken';

/** What stands before a token's id in `Authorization: Bearer`. */
export const BEARER_PREFIX: Readonly<Record<TokenKind, string>> = {
  sessionToken: 'fxs_',
  keyFetchToken: 'fxk_',
  passwordChangeToken: 'fxpc_',
};

/** What an email address and a password give: 32 bytes each. */
export function passwordKeys(email: string, password: string) {
  const salt = `${NAMESPACE}quickStretch:${email}`;
  const stretched = pbkdf2Sync(password, salt, STRETCH_ROUNDS, 32, 'sha256');
  return {
    authPW: derive(stretched, 'authPW', 32),
    unwrapBKey: derive(stretched, 'unwrapBkey', 32),
  };
}

/**
 * The id by which a token is shown to the server, the key that signs for it, and the one that its
 * answer is sealed with.
 */
export function tokenKeys(
  token: Uint8Array,
  kind: TokenKind,
): { id: string; hawkKey: Buffer; bundleKey: Buffer } {
  const bytes = derive(token, kind, 96);
  return {
    id: bytes.subarray(0, 32).toString('hex'),
    hawkKey: bytes.subarray(32, 64),
    bundleKey: bytes.subarray(64),
  };
}

/** kA and wrap(kB) sealed for the owner of a key fetch token: 96 bytes. */
export function sealKeyBundle(bundleKey: Uint8Array, keys: Uint8Array): Buffer {
  const { macKey, xorKey } = bundleKeys(bundleKey);
  const ciphertext = xor(keys, xorKey);
  return Buffer.concat([ciphertext, createHmac('sha256', macKey).update(ciphertext).digest()]);
}

/** kA and wrap(kB), 64 bytes, or null when the bundle was not made with this key. */
export function openKeyBundle(bundleKey: Uint8Array, bundle: Buffer): Buffer | null {
  const { macKey, xorKey } = bundleKeys(bundleKey);
  const ciphertext = bundle.subarray(0, 64);
  const mac = createHmac('sha256', macKey).update(ciphertext).digest();
  return bundle.length === 96 && mac.equals(bundle.subarray(64)) ? xor(ciphertext, xorKey) : null;
}

export function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)));
}

function bundleKeys(bundleKey: Uint8Array): { macKey: Buffer; xorKey: Buffer } {
  const bytes = derive(bundleKey, 'account/keys', 96);
  return { macKey: bytes.subarray(0, 32), xorKey: bytes.subarray(32) };
}

function derive(key: Uint8Array, name: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', NAMESPACE + name, length));
}
