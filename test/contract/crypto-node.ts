// What node:crypto makes of a record, and of one that no honest client would write: the reference
// of the crypto contract.

import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { BsoCrypto, OpenedBso } from '../../crypto/bso.ts';
import { type KeyBundle, keyBundle } from '../../crypto/keys.ts';
import type { CipherParts } from '../../platform/crypto-port.ts';
import type { Entropy } from '../../platform/ports.ts';

/** What becomes of one record. */
export function openersOf(crypto: BsoCrypto) {
  async function openOne(payload: string, id = 'A', bundle = someBundle): Promise<OpenedBso> {
    const [opened] = await crypto.open(bundle, [{ id, payload }]);
    if (opened === undefined) throw new Error('no answer');
    return opened;
  }

  const codeOf = async (payload: string, id?: string) => {
    const opened = await openOne(payload, id);
    return opened.ok ? 'ok' : opened.code;
  };

  return { openOne, codeOf };
}

export const goodEntropy: Entropy = { random: (count) => new Uint8Array(randomBytes(count)) };
export const someBundle: KeyBundle = keyBundle(
  new Uint8Array(32).map((_, at) => at * 7),
  new Uint8Array(32).map((_, at) => at * 11 + 3),
);

export function sealByNode(text: string | Buffer, iv: Buffer = randomBytes(16)): CipherParts {
  const bytes = Buffer.from(text);
  const padding = 16 - (bytes.length % 16);
  return encryptRaw(Buffer.concat([bytes, Buffer.alloc(padding, padding)]), iv);
}

/** Encrypts whole blocks as they are. */
export function encryptRaw(blocks: Buffer, iv: Buffer = randomBytes(16)): CipherParts {
  const cipher = createCipheriv('aes-256-cbc', someBundle.encKey, iv).setAutoPadding(false);
  const ciphertext = Buffer.concat([cipher.update(blocks), cipher.final()]).toString('base64');
  return { ciphertext, IV: iv.toString('base64'), hmac: macOf(ciphertext) };
}

export function unsealByNode(payload: string): string {
  const parts = JSON.parse(payload) as CipherParts;
  expect(parts.hmac).toBe(macOf(parts.ciphertext));
  const iv = Buffer.from(parts.IV, 'base64');
  const decipher = createDecipheriv('aes-256-cbc', someBundle.encKey, iv);
  return decipher.update(parts.ciphertext, 'base64', 'utf8') + decipher.final('utf8');
}

function macOf(ciphertext: string): string {
  return createHmac('sha256', someBundle.macKey).update(ciphertext).digest('hex');
}

export function withRightMac(ciphertext: string): string {
  return JSON.stringify({ ciphertext, IV: 'AAECAwQFBgcICQoLDA0ODw==', hmac: macOf(ciphertext) });
}

export function flipMac(payload: string): string {
  const parts = JSON.parse(payload) as CipherParts;
  return JSON.stringify({
    ...parts,
    hmac: parts.hmac.replace(/^./, (x) => (x === '0' ? '1' : '0')),
  });
}

/** The bytes, each time with another bit changed. */
export function* flips(bytes: Buffer): Generator<Buffer> {
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield flipped;
  }
}
