// What the page of an accounts server does with an account's key: it seals it for the device that
// asks, in a JWE (RFC 7516) with ECDH-ES over P-256 and A256GCM. With node:crypto, apart from the
// code under test.

import { createCipheriv, createECDH, createHash, type ECDH } from 'node:crypto';
import { problem } from './account-call.ts';
import { OLDSYNC_SCOPE } from './onepw.ts';
import { accountKeys, keyFingerprint } from './sync-keys.ts';

/** The scoped key for Sync of an account, as a JWK. */
export function scopedKey({ kB, keysChangedAtMs }: { kB: string; keysChangedAtMs: number }) {
  const { encKey, macKey } = accountKeys(kB);
  return {
    kty: 'oct',
    scope: OLDSYNC_SCOPE,
    k: Buffer.concat([encKey, macKey]).toString('base64url'),
    kid: `${keysChangedAtMs}-${keyFingerprint(kB)}`,
  };
}

/**
 * Seals a text for the owner of `keysJwk`, base64url of a public JWK. Errors: HttpError 400, errno
 * 109.
 */
export function sealJwe(
  keysJwk: string,
  cleartext: string,
  random: (count: number) => Uint8Array,
): string {
  const sender = createECDH('prime256v1');
  sender.setPrivateKey(Buffer.from(random(32)));
  const point = sender.getPublicKey();
  const epk = {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  };
  const header = encode(Buffer.from(JSON.stringify({ alg: 'ECDH-ES', enc: 'A256GCM', epk })));
  const key = derive(secretWith(sender, keysJwk));
  const iv = random(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(header));
  const sealed = Buffer.concat([cipher.update(cleartext, 'utf8'), cipher.final()]);
  return [header, '', encode(iv), encode(sealed), encode(cipher.getAuthTag())].join('.');
}

/** RFC 7518 4.6.2, no party named. */
function derive(secret: Uint8Array): Buffer {
  const algorithm = Buffer.from('A256GCM');
  return createHash('sha256')
    .update(uint32(1))
    .update(secret)
    .update(uint32(algorithm.length))
    .update(algorithm)
    .update(uint32(0))
    .update(uint32(0))
    .update(uint32(256))
    .digest();
}

function secretWith(sender: ECDH, keysJwk: string): Buffer {
  try {
    const { kty, crv, x, y } = JSON.parse(Buffer.from(keysJwk, 'base64url').toString());
    if (kty !== 'EC' || crv !== 'P-256') throw new TypeError(crv);
    const point = [Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')];
    return sender.computeSecret(Buffer.concat(point));
  } catch {
    throw problem(400, 109, 'Invalid request parameter: keys_jwk');
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
