// Texts to texts by node:crypto: what `DeviceCrypto.computeTexts` promises. It imports nothing of
// crypto/, so that neither can hide the other's mistakes (test/contract/texts.ts).

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  timingSafeEqual,
} from 'node:crypto';
import type { CipherRefusal, DeviceCrypto, TextAlgorithm, TextAnswer } from '../crypto-port.ts';

/** `DeviceCrypto.computeTexts`. */
export const computeTexts: NonNullable<DeviceCrypto['computeTexts']> = async (...of) => {
  const [algorithm, key, items] = of;
  return items.map((item) => WORKERS[algorithm](key, item));
};

type Worker = (key: Uint8Array, item: readonly string[]) => TextAnswer;

const WORKERS: { readonly [algorithm in TextAlgorithm]: Worker } = {
  sha256: (_, [text = '']) =>
    isWellFormed(text)
      ? { text: createHash('sha256').update(text).digest('base64url') }
      : refusal('badUtf8'),
  hmac: (key, [text = '']) =>
    isWellFormed(text) ? { text: macOf(key, text) } : refusal('badUtf8'),
  hmacCheck(key, [text = '', claimed = '']) {
    if (!isWellFormed(text)) return refusal('badUtf8');
    const [right, said] = [Buffer.from(macOf(key, text)), Buffer.from(claimed)];
    const isRight = right.length === said.length && timingSafeEqual(right, said);
    return isRight ? { text: '' } : refusal('badMac');
  },
  gcmEncrypt(key, [head = '', aad = '', text = '']) {
    if (!isWellFormed(text) || !isWellFormed(aad)) return refusal('badUtf8');
    const before = Buffer.from(head, 'base64url');
    const cipher = createCipheriv(CIPHER, key, before.subarray(IV_AT)).setAAD(Buffer.from(aad));
    const sealed = Buffer.concat([before, cipher.update(text), cipher.final()]);
    return { text: Buffer.concat([sealed, cipher.getAuthTag()]).toString('base64url') };
  },
  gcmDecrypt(key, [aad = '', sealed = '']) {
    if (!isWellFormed(aad)) return refusal('badUtf8');
    const bytes = Buffer.from(sealed, 'base64url');
    // Node reads past what is not base64url, so only what it would write itself is believed.
    if (bytes.toString('base64url') !== sealed) return refusal('badBase64');
    const end = bytes.length - TAG_BYTES;
    if (end < TEXT_AT) return refusal('badMac');
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(IV_AT, TEXT_AT));
    decipher.setAAD(Buffer.from(aad)).setAuthTag(bytes.subarray(end));
    try {
      const plain = Buffer.concat([
        decipher.update(bytes.subarray(TEXT_AT, end)),
        decipher.final(),
      ]);
      return textIn(plain);
    } catch {
      // A wrong tag: nothing else can be wrong here.
      return refusal('badMac');
    }
  },
};

function textIn(plain: Buffer): TextAnswer {
  try {
    return { text: strictUtf8.decode(plain) };
  } catch {
    return refusal('badUtf8');
  }
}

function macOf(key: Uint8Array, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}

/** Half a surrogate pair would become another character. */
function isWellFormed(text: string): boolean {
  return Buffer.from(text).toString() === text;
}

function refusal(code: CipherRefusal): TextAnswer {
  return { code };
}

const CIPHER = 'aes-256-gcm';
const IV_AT = 1;
const TEXT_AT = 13;
const TAG_BYTES = 16;
/** `ignoreBOM` keeps a byte order mark in the text, where it is data. */
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
