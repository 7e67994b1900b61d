// What a password turns into at an accounts server (the onepw protocol of Firefox Accounts), and
// how the account's key is taken out of what the server keeps. The server never sees the password.
// Version 1 stretches with 1,000 rounds, which an interpreter does in a second; version 2 with
// 650,000, which are computed as correctly and take it ten minutes.

import type { SyncKeyJwk } from '../platform/ports.ts';
import {
  bytesOfWords,
  concatBytes,
  decodeHex,
  encodeBase64,
  equalBytes,
  wordsOfBytes,
} from './bytes.ts';
import { hkdf, hmac, hmacKey } from './hmac.ts';
import { clientState, syncKeyBundle } from './keys.ts';
import type { Pause } from './p256.ts';
import { hashBlock } from './sha256.ts';
import { encodeUtf8 } from './utf8.ts';

/** 32 bytes each: what is shown to the server, and what is kept from it. */
interface PasswordKeys {
  readonly authPW: Uint8Array;
  readonly unwrapBKey: Uint8Array;
}

/** 32 bytes each. */
export interface TokenKeys {
  /** Names the token to the server. */
  readonly id: Uint8Array;
  /** Opens what the server answers to a key fetch token. */
  readonly bundleKey: Uint8Array;
}

/** Version 1. `email` is the address that the account was made with, as it was written then. */
export function stretchPassword(
  email: string,
  password: string,
  pause: Pause,
): Promise<Uint8Array> {
  return pbkdf2(encodeUtf8(password), named(`quickStretch:${email}`), 1000, pause);
}

/**
 * Version 2. `clientSalt` is 32 hexadecimal digits that the server tells. Impractical on a device:
 * half a trillion instructions of an interpreter, ten minutes of a television's processor.
 */
export function stretchPasswordV2(
  clientSalt: string,
  password: string,
  pause: Pause,
): Promise<Uint8Array> {
  return pbkdf2(encodeUtf8(password), named(`quickStretchV2:${clientSalt}`), 650_000, pause);
}

/** From a password as `stretchPassword` answers it. */
export function passwordKeys(stretched: Uint8Array): PasswordKeys {
  return {
    authPW: hkdf(stretched, named('authPW'), keyBytes),
    unwrapBKey: hkdf(stretched, named('unwrapBkey'), keyBytes),
  };
}

/** From a token of 32 bytes, as the server gave it. */
export function tokenKeys(token: Uint8Array, kind: 'sessionToken' | 'keyFetchToken'): TokenKeys {
  const bytes = hkdf(token, named(kind), 3 * keyBytes);
  return { id: bytes.slice(0, keyBytes), bundleKey: bytes.slice(2 * keyBytes) };
}

/**
 * kB, 32 bytes, from the key bundle of 96 bytes that the server answered to a key
 * fetch token. Null when the bundle was not sealed for that token. Nothing proves the password
 * here: the server did when it gave the token.
 */
export function openKeyBundle(
  bundleKey: Uint8Array,
  bundle: Uint8Array,
  unwrapBKey: Uint8Array,
): Uint8Array | null {
  const secrets = hkdf(bundleKey, named('account/keys'), 3 * keyBytes);
  const sealed = bundle.subarray(0, 2 * keyBytes);
  const mac = hmac(hmacKey(secrets.subarray(0, keyBytes)), sealed);
  if (!equalBytes(mac, bundle.subarray(2 * keyBytes))) return null;
  // The first half is kA, which Sync has no use for.
  return unwrapBKey.map(
    (byte, at) => byte ^ (sealed[keyBytes + at] as number) ^ (secrets[2 * keyBytes + at] as number),
  );
}

/** The scoped key for Sync, as an accounts server's page would deliver it. */
export function scopedSyncKey(kB: string, keysChangedAtMs: number): SyncKeyJwk {
  const { encKey, macKey } = syncKeyBundle({ kB });
  const state = decodeHex(clientState({ kB })) as Uint8Array;
  return {
    kty: 'oct',
    kid: `${keysChangedAtMs}-${encodeBase64(state, 'url')}`,
    k: encodeBase64(concatBytes(encKey, macKey), 'url'),
  };
}

/** PBKDF2 (RFC 8018 5.2) with HMAC-SHA256, its first block: 32 bytes. */
export async function pbkdf2(
  password: Uint8Array,
  salt: Uint8Array,
  rounds: number,
  pause: Pause,
): Promise<Uint8Array> {
  const key = hmacKey(password);
  // A MAC of 32 bytes is two blocks: the message, then the inner digest, each filled up the same
  // way.
  const block = new Int32Array(16);
  block.set(wordsOfBytes(hmac(key, concatBytes(salt, new Uint8Array([0, 0, 0, 1])))));
  block[8] = 1 << 31;
  block[15] = 8 * (64 + 32);
  const result = block.slice(0, 8);
  const state = new Int32Array(8);
  for (let round = 1; round < rounds; round++) {
    if (round % roundsPerSlice === 0) await pause();
    for (const start of [key.inner, key.outer]) {
      state.set(start);
      hashBlock(state, block);
      block.set(state);
    }
    for (let word = 0; word < 8; word++) {
      result[word] = (result[word] as number) ^ (state[word] as number);
    }
  }
  return bytesOfWords(result);
}

const keyBytes = 32;
/** A round costs 800,000 instructions of an interpreter. */
const roundsPerSlice = 32;

function named(name: string): Uint8Array {
  return encodeUtf8(`identity.mozilla.com/picl/v1/${name}`);
}
