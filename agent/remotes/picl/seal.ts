// Payloads: AES-256-GCM with the record's place (collection, key, number) as what is authenticated
// beside it, so that none can be put to another key, number or collection.
// Source: docs/picl.md. A payload is base64url of a version, an IV, the ciphertext and its tag.

import { concatBytes, decodeBase64, encodeBase64 } from '../../../crypto/bytes.ts';
import { CryptoError } from '../../../crypto/error.ts';
import type { TextCrypto } from '../../../crypto/texts.ts';
import { isWellFormed } from '../../../crypto/utf8.ts';
import type { TextAnswer } from '../../../platform/crypto-port.ts';
import type { Entropy } from '../../../platform/ports.ts';
import { PAYLOAD_CHARS_MAX } from './limits.ts';

/** Where a payload belongs. */
interface Placed {
  readonly key: string;
  readonly seqnum: number;
}

type Unsealed =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly code: Refusal };

type Refusal = 'badPayload' | 'unknownVersion' | 'badMac' | 'badUtf8' | 'tooLarge';

export interface SealOptions {
  readonly crypto: TextCrypto;
  readonly entropy: Entropy;
  /** 32 bytes. */
  readonly key: Uint8Array;
  readonly collection: string;
  /** The device's UUID, which goes before what it seals; left out: nobody is named. */
  readonly author?: string;
}

/**
 * Seals texts, each into its place, one payload for each. Errors: `CryptoError` `badText` (half a
 * surrogate pair), `badEntropy`; those of `TextCrypto`.
 */
export async function sealPayloads(
  { crypto, entropy, key, collection, author }: SealOptions,
  items: readonly (Placed & { readonly text: string })[],
): Promise<string[]> {
  if (!items.every(({ text }) => isWellFormed(text))) {
    throw new CryptoError('badText', 'half a surrogate pair');
  }
  const prepared = items.map((item) => [
    headOf(entropy.random(IV_BYTES)),
    placeText(collection, item),
    author === undefined ? item.text : `${author}\n${item.text}`,
  ]);
  const sealed = await crypto('gcmEncrypt', key, prepared);
  return sealed.map((one) => ('text' in one ? one.text : ''));
}

/** One answer per payload. A bad payload is an answer. Errors: those of `TextCrypto`. */
export async function openPayloads(
  { crypto, key, collection }: Omit<SealOptions, 'entropy'>,
  items: readonly (Placed & { readonly payload: string })[],
): Promise<Unsealed[]> {
  const faults = items.map(({ payload }) => faultOf(payload));
  const shaped = items.filter((_, at) => faults[at] === null);
  const pieces = shaped.map((item) => [placeText(collection, item), item.payload]);
  const opened = shaped.length === 0 ? [] : await crypto('gcmDecrypt', key, pieces);
  return faults.map((fault): Unsealed => {
    if (fault !== null) return { ok: false, code: fault };
    const answer: TextAnswer = opened.shift() ?? { code: 'badMac' };
    if ('text' in answer) return { ok: true, text: behindAuthor(answer.text) };
    const { code } = answer;
    return { ok: false, code: code === 'badUtf8' || code === 'badMac' ? code : 'badPayload' };
  });
}

const IV_BYTES = 12;
const VERSION_BYTE = /* @__PURE__ */ new Uint8Array([1]);
/** How base64url begins whose first byte is the version. */
const VERSION = /^A[Q-Za-f]/;
/** Of the version, the IV and the tag. */
const SHORTEST_CHARS = 39;
const BASE64_URL = /^[A-Za-z0-9_-]+$/;

/** What goes before the ciphertext. */
function headOf(iv: Uint8Array): string {
  if (iv.length !== IV_BYTES) {
    throw new CryptoError('badEntropy', `an IV has not ${IV_BYTES} bytes`);
  }
  return encodeBase64(concatBytes(VERSION_BYTE, iv), 'url');
}

/** What is wrong with a payload as it looks; null: it may open. */
function faultOf(payload: string): Refusal | null {
  const { length } = payload;
  if (length > PAYLOAD_CHARS_MAX) return 'tooLarge';
  if (VERSION.test(payload)) return length < SHORTEST_CHARS ? 'badPayload' : null;
  const isBase64 =
    BASE64_URL.test(payload) && decodeBase64(payload.slice(length - (length % 4)), 'url') !== null;
  return isBase64 ? 'unknownVersion' : 'badPayload';
}

function placeText(collection: string, { key, seqnum }: Placed): string {
  return `picl-payload-v1\n${collection}\n${key}\n${seqnum}\n`;
}

/** What a device has written behind its UUID; an object by itself names nobody. */
function behindAuthor(text: string): string {
  const isNamed = text[0] !== '{' && text[AUTHOR_CHARS - 1] === '\n';
  return isNamed ? text.slice(AUTHOR_CHARS) : text;
}

const AUTHOR_CHARS = 37;
