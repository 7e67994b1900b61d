// The device's own crypto on Node: node:crypto, a call a step.
// It answers exactly as the JavaScript of crypto/ does, refusals included
// (test/contract/crypto.ts); it imports nothing of it, so that neither can hide the other's
// mistakes.

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  timingSafeEqual,
} from 'node:crypto';
import type { Algorithm, CipherParts, CipherRefusal, DeviceCrypto } from '../crypto-port.ts';
import { computeTexts } from './text-crypto.ts';

export function nodeDeviceCrypto(): DeviceCrypto {
  // What is at rest is sealed one by one, all of it under one key.
  let chain: Chain | null = null;
  return {
    async open(encKey, macKey, items) {
      const proven = items.map((item) => proved(macKey, item));
      const texts = decrypted(
        encKey,
        proven.filter((one): one is Proven => 'sealed' in one),
      );
      return proven.map((one) => ('sealed' in one ? textIn(texts.shift() ?? null) : one));
    },
    async seal(encKey, macKey, texts, ivs) {
      if (chain === null || !chain.key.equals(encKey)) chain = startChain(encKey);
      const { encrypt } = chain;
      return texts.map((text, index) => sealOne(encrypt, macKey, text, ivs[index]));
    },
    async compute(algorithm, key, items) {
      return items.map((item) => WORKERS[algorithm](key, item));
    },
    computeTexts,
  };
}

type Worker = (key: Uint8Array, item: readonly Uint8Array[]) => Uint8Array | null;

const NO_BYTES = new Uint8Array(0);

const WORKERS: { readonly [algorithm in Algorithm]: Worker } = {
  sha256: (_, [bytes = NO_BYTES]) => createHash('sha256').update(bytes).digest(),
  hmac: (key, [bytes = NO_BYTES]) => createHmac('sha256', key).update(bytes).digest(),
  cbcEncrypt(key, [iv = NO_BYTES, bytes = NO_BYTES]) {
    const cipher = createCipheriv(CIPHER, key, iv);
    return Buffer.concat([cipher.update(bytes), cipher.final()]);
  },
  cbcDecrypt(key, [iv = NO_BYTES, bytes = NO_BYTES]) {
    const decipher = createDecipheriv(CIPHER, key, iv).setAutoPadding(false);
    return unpadded(Buffer.concat([decipher.update(bytes), decipher.final()]));
  },
  gcmEncrypt(key, [iv = NO_BYTES, aad = NO_BYTES, bytes = NO_BYTES]) {
    const cipher = createCipheriv(AUTHENTICATED, key, iv).setAAD(aad);
    return Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  },
  gcmDecrypt(key, [iv = NO_BYTES, aad = NO_BYTES, bytes = NO_BYTES]) {
    const end = bytes.length - BLOCK_BYTES;
    const decipher = createDecipheriv(AUTHENTICATED, key, iv).setAAD(aad);
    const plain = decipher.setAuthTag(bytes.subarray(end)).update(bytes.subarray(0, end));
    try {
      decipher.final();
    } catch {
      // A wrong tag: nothing else can be wrong here.
      return null;
    }
    return plain;
  },
};

interface Proven {
  readonly iv: Buffer;
  /** Whole blocks, one at least. */
  readonly sealed: Buffer;
}

/** What is to be decrypted of a record whose MAC is right. */
function proved(
  macKey: Uint8Array,
  { ciphertext, IV, hmac }: CipherParts,
): Proven | { code: CipherRefusal } {
  if (!/^[0-9a-f]{64}$/i.test(hmac)) return { code: 'badMac' };
  // As digits, and into memory that is there: a new buffer takes as long as the MAC.
  rightMac.write(macOf(macKey, ciphertext), 'latin1');
  saidMac.write(hmac.toLowerCase(), 'latin1');
  if (!timingSafeEqual(rightMac, saidMac)) return { code: 'badMac' };
  const iv = fromBase64(IV);
  if (iv?.length !== BLOCK_BYTES) return { code: 'badIv' };
  const sealed = fromBase64(ciphertext);
  if (sealed === null) return { code: 'badBase64' };
  if (sealed.length === 0 || sealed.length % BLOCK_BYTES !== 0) return { code: 'badPadding' };
  return { iv, sealed };
}

/**
 * The texts' bytes, null where the padding is wrong. One cipher for all of them, called once: to
 * make one takes longer than a record. See `startChain`.
 */
function decrypted(encKey: Uint8Array, items: readonly Proven[]): (Buffer | null)[] {
  let before: Buffer = NO_BLOCK;
  const decipher = createDecipheriv(CIPHER, encKey, before).setAutoPadding(false);
  const plain = decipher.update(Buffer.concat(items.map(({ sealed }) => sealed)));
  let end = 0;
  return items.map(({ iv, sealed }) => {
    const bytes = plain.subarray(end, end + sealed.length);
    end += sealed.length;
    rebind(bytes, iv, before);
    before = sealed.subarray(-BLOCK_BYTES);
    return unpadded(bytes);
  });
}

function textIn(bytes: Buffer | null): { text: string } | { code: CipherRefusal } {
  if (bytes === null) return { code: 'badPadding' };
  try {
    return { text: strictUtf8.decode(bytes) };
  } catch {
    return { code: 'badUtf8' };
  }
}

function macOf(macKey: Uint8Array, ciphertext: string): string {
  return createHmac('sha256', macKey).update(ciphertext).digest('hex');
}

function sealOne(
  encrypt: Chain['encrypt'],
  macKey: Uint8Array,
  text: string,
  iv: Uint8Array | undefined,
): CipherParts {
  if (iv?.length !== BLOCK_BYTES) throw new RangeError('an IV has 16 bytes');
  const ciphertext = encrypt(text, iv).toString('base64');
  const IV = Buffer.from(iv).toString('base64');
  return { ciphertext, IV, hmac: macOf(macKey, ciphertext) };
}

interface Chain {
  readonly key: Buffer;
  /** AES-256-CBC of the text's UTF-8. */
  encrypt(text: string, iv: Uint8Array): Buffer;
}

/**
 * One cipher for many texts: to make one takes longer than a record. To CBC they are one message,
 * and the block before a text's first is the last of the text before, in the place of its IV.
 */
function startChain(encKey: Uint8Array): Chain {
  const key = Buffer.from(encKey);
  let before: Buffer = NO_BLOCK;
  const cipher = createCipheriv(CIPHER, key, before).setAutoPadding(false);
  return {
    key,
    encrypt(text, iv) {
      const length = Buffer.byteLength(text);
      const padding = BLOCK_BYTES - (length % BLOCK_BYTES);
      const bytes = Buffer.allocUnsafe(length + padding).fill(padding, length);
      bytes.write(text);
      rebind(bytes, iv, before);
      const sealed = cipher.update(bytes);
      before = sealed.subarray(-BLOCK_BYTES);
      return sealed;
    },
  };
}

/** Puts a text's IV in the place of the block before it, or that in the place of the IV. */
function rebind(bytes: Buffer, iv: Uint8Array, before: Buffer): void {
  for (let at = 0; at < BLOCK_BYTES; at++) {
    bytes[at] = (bytes[at] ?? 0) ^ (iv[at] ?? 0) ^ (before[at] ?? 0);
  }
}

/** What the last byte says is padding is all of that byte (PKCS #7), or it is none. */
function unpadded(padded: Buffer): Buffer | null {
  const padding = padded.at(-1) ?? 0;
  const bytes = padded.subarray(0, padded.length - padding);
  const isPadded = padding > 0 && padding <= BLOCK_BYTES;
  const isWrong = !isPadded || padded.subarray(bytes.length).some((byte) => byte !== padding);
  return isWrong ? null : bytes;
}

/** Node reads past what is not base64, so only what it would write itself is believed. */
function fromBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}

const CIPHER = 'aes-256-cbc';
const AUTHENTICATED = 'aes-256-gcm';
const BLOCK_BYTES = 16;
const NO_BLOCK = Buffer.alloc(BLOCK_BYTES);
const [rightMac, saidMac] = [Buffer.alloc(64), Buffer.alloc(64)];
/** `ignoreBOM` keeps a byte order mark in the text, where it is data. */
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
