// From the account's key to the keys that open records (Sync 1.5: onepw protocol, scoped keys, and
// storage format 5). A bundle is two keys that belong together: one for AES, one for the MAC.
// Bundles and errors show no key, however they are printed.

import type { SyncKeyB, SyncKeyJwk } from '../platform/ports.ts';
import { decodeBase64, decodeHex, encodeHex } from './bytes.ts';
import { isObject } from './engine.ts';
import { CryptoError } from './error.ts';
import { hkdf } from './hmac.ts';
import { sha256 } from './sha256.ts';
import { encodeUtf8 } from './utf8.ts';

export interface KeyBundle {
  /** 32 bytes for AES-256. */
  readonly encKey: Uint8Array;
  /** 32 bytes for HMAC-SHA256. */
  readonly macKey: Uint8Array;
}

/** The keys of every collection, as `crypto/keys` has them. */
export interface CollectionKeys {
  /** The collection's own bundle, or the default one. The same object at every call. */
  bundleFor(collection: string): KeyBundle;
  /** 16 hexadecimal digits that change when the collection's keys do and tell nothing of them. */
  fingerprint(collection: string): string;
}

/**
 * The bundle that opens `crypto/keys`: derived from kB, or delivered as a scoped key.
 * Throws `CryptoError` `badKey`.
 */
export function syncKeyBundle(key: SyncKeyB | SyncKeyJwk): KeyBundle {
  if ('kB' in key) return bundleOf(hkdf(bytesOfKB(key), syncInfo(), 2 * keyBytes));
  if (key.kty !== 'oct') throw new CryptoError('badKey', 'kty is not oct');
  const bytes = typeof key.k === 'string' ? decodeBase64(key.k, 'url') : null;
  if (bytes?.length !== 2 * keyBytes) {
    throw new CryptoError('badKey', 'k is not 64 bytes of base64url');
  }
  return bundleOf(bytes);
}

/**
 * The client state, 32 hexadecimal digits: the first 16 bytes of SHA-256 of kB, which a scoped key
 * carries in the second half of its `kid`. Throws `CryptoError` `badKey`.
 */
export function clientState(key: SyncKeyB | SyncKeyJwk): string {
  if ('kB' in key) return encodeHex(sha256(bytesOfKB(key)).subarray(0, stateBytes));
  const state = /^\d+-([\w-]+)$/.exec(key.kid)?.[1];
  const bytes = state === undefined ? null : decodeBase64(state, 'url');
  if (bytes?.length !== stateBytes) {
    throw new CryptoError('badKey', 'kid is not a time and 16 bytes of base64url');
  }
  return encodeHex(bytes);
}

/** Reads the cleartext of `crypto/keys`, parsed. Throws `CryptoError` `badKeys`. */
export function parseCryptoKeys(body: unknown): CollectionKeys {
  const fields = objectOf(body, 'the body');
  const byDefault = bundleOfPair(fields.default, 'default');
  const own = new Map<string, KeyBundle>();
  for (const [name, pair] of Object.entries(objectOf(fields.collections ?? {}, 'collections'))) {
    own.set(name, bundleOfPair(pair, 'collections'));
  }
  const bundleFor = (collection: string) => own.get(collection) ?? byDefault;
  return {
    bundleFor,
    fingerprint(collection) {
      const { encKey, macKey } = bundleFor(collection);
      return encodeHex(hkdf(macKey, encodeUtf8(fingerprintInfo), 8, encKey));
    },
  };
}

/** A bundle whose keys no printer, serializer or loop over its properties comes across. */
export function keyBundle(encKey: Uint8Array, macKey: Uint8Array): KeyBundle {
  const bundle = Object.create(hidden) as KeyBundle;
  return Object.defineProperties(bundle, { encKey: { value: encKey }, macKey: { value: macKey } });
}

const keyBytes = 32;
const stateBytes = 16;
const fingerprintInfo = 'kitsync/v1/fingerprint';
const hidden = { toJSON: () => '[key bundle]' };

function syncInfo(): Uint8Array {
  return encodeUtf8('identity.mozilla.com/picl/v1/oldsync');
}

function bytesOfKB(key: SyncKeyB): Uint8Array {
  const bytes = typeof key.kB === 'string' ? decodeHex(key.kB) : null;
  if (bytes?.length !== keyBytes) throw new CryptoError('badKey', 'kB is not 64 hex digits');
  return bytes;
}

function bundleOf(bytes: Uint8Array): KeyBundle {
  return keyBundle(bytes.slice(0, keyBytes), bytes.slice(keyBytes));
}

function bundleOfPair(pair: unknown, field: string): KeyBundle {
  if (!Array.isArray(pair) || pair.length !== 2) {
    throw new CryptoError('badKeys', `${field} is not a pair`);
  }
  return keyBundle(keyOf(pair[0], field), keyOf(pair[1], field));
}

function keyOf(text: unknown, field: string): Uint8Array {
  const bytes = typeof text === 'string' ? decodeBase64(text) : null;
  if (bytes?.length !== keyBytes) {
    throw new CryptoError('badKeys', `${field} has a key that is not 32 bytes of base64`);
  }
  return bytes;
}

function objectOf(value: unknown, field: string): Record<string, unknown> {
  if (isObject(value)) return value;
  throw new CryptoError('badKeys', `${field} is not an object`);
}
