// The keys of a Sync account and the sealing of records (Sync storage format 5), with node:crypto.
// It is the servers' own, apart from the code under test, so that the two prove each other.

import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync } from 'node:crypto';

/** An AES-256 key and an HMAC-SHA256 key, 32 bytes each. */
export interface KeyPair {
  readonly encKey: Buffer;
  readonly macKey: Buffer;
}

/** The first 16 bytes of SHA-256(kB): what X-Client-State carries, in hex. */
export function clientState(kB: string): string {
  return createHash('sha256').update(kB, 'hex').digest('hex').slice(0, 32);
}

/** The client state as base64url: the second half of X-KeyID. */
export function keyFingerprint(kB: string): string {
  return Buffer.from(clientState(kB), 'hex').toString('base64url');
}

/** The key pair that seals `crypto/keys`, made from kB. */
export function accountKeys(kB: string): KeyPair {
  const info = 'identity.mozilla.com/picl/v1/oldsync';
  const okm = Buffer.from(hkdfSync('sha256', Buffer.from(kB, 'hex'), '', info, 64));
  return { encKey: okm.subarray(0, 32), macKey: okm.subarray(32) };
}

/** A record's payload: `{"ciphertext","IV","hmac"}` of the cleartext under the keys. */
export function sealPayload(keys: KeyPair, cleartext: string, iv: Uint8Array): string {
  const cipher = createCipheriv('aes-256-cbc', keys.encKey, iv);
  const ciphertext = Buffer.concat([cipher.update(cleartext, 'utf8'), cipher.final()]);
  const text = ciphertext.toString('base64');
  const hmac = createHmac('sha256', keys.macKey).update(text).digest('hex');
  return JSON.stringify({ ciphertext: text, IV: Buffer.from(iv).toString('base64'), hmac });
}

/** The cleartext of a payload. Throws when its MAC is wrong. */
export function openPayload(keys: KeyPair, payload: string): string {
  const { ciphertext, IV, hmac } = JSON.parse(payload);
  const mac = createHmac('sha256', keys.macKey).update(ciphertext).digest('hex');
  if (mac !== hmac) throw new Error('the MAC is wrong');
  const decipher = createDecipheriv('aes-256-cbc', keys.encKey, Buffer.from(IV, 'base64'));
  return decipher.update(ciphertext, 'base64', 'utf8') + decipher.final('utf8');
}

/** The key pair of all collections that have none of their own, of a `crypto/keys` payload. */
export function defaultKeys(kB: string, payload: string): KeyPair {
  const { default: pair } = JSON.parse(openPayload(accountKeys(kB), payload));
  const [encKey, macKey] = pair.map((text: string) => Buffer.from(text, 'base64'));
  return { encKey, macKey };
}
