// Payloads: AES-256-GCM with the record's place (collection, key, number) as what is authenticated
// beside it, so that none can be put to another key, number or collection.
// Source: docs/picl.md. A payload is base64url of a version, an IV, the ciphertext and its tag.

import type { BulkCrypto } from '../../../crypto/bulk.ts';
import { concatBytes, encodeBase64 } from '../../../crypto/bytes.ts';
import type { Entropy } from '../../../platform/ports.ts';
import { asciiBytes, bytesOfCodes, type Codes, textOfUtf8, utf8Bytes } from './codes.ts';
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
  readonly bulk: BulkCrypto;
  readonly entropy: Entropy;
  /** 32 bytes. */
  readonly key: Uint8Array;
  readonly collection: string;
  /** The device's UUID, which goes before what it seals; left out: nobody is named. */
  readonly author?: string;
  /** Of payloads that were looked at before. */
  readonly codes?: Pick<Codes, 'take'>;
}

/**
 * Seals texts, each into its place, one payload for each. Errors: `CryptoError` `badText` (half a
 * surrogate pair); those of `BulkCrypto`.
 */
export async function sealPayloads(
  { bulk, entropy, key, collection, author }: SealOptions,
  items: readonly (Placed & { readonly text: string })[],
): Promise<string[]> {
  const prepared = items.map((item) => ({
    iv: entropy.random(IV_BYTES),
    aad: placeBytes(collection, item),
    bytes: utf8Bytes(author === undefined ? item.text : `${author}\n${item.text}`),
  }));
  const sealed = await bulk.encrypt('gcm', key, prepared);
  return sealed.map((bytes, at) =>
    encodeBase64(concatBytes(VERSION_BYTE, prepared[at]?.iv ?? NONE, bytes), 'url'),
  );
}

/** One answer per payload. A bad payload is an answer. Errors: those of `BulkCrypto`. */
export async function openPayloads(
  { bulk, key, collection, codes }: Omit<SealOptions, 'entropy'>,
  items: readonly (Placed & { readonly payload: string })[],
): Promise<Unsealed[]> {
  const taken = items.map(({ payload }) => shapedBytes(payload, codes));
  const shaped = items.flatMap((item, at) => {
    const bytes = taken[at];
    if (!(bytes instanceof Uint8Array)) return [];
    const iv = bytes.subarray(1, 1 + IV_BYTES);
    return [{ iv, aad: placeBytes(collection, item), bytes: bytes.subarray(1 + IV_BYTES) }];
  });
  const opened = shaped.length === 0 ? [] : await bulk.decrypt('gcm', key, shaped);
  return taken.map((one): Unsealed => {
    if (typeof one === 'string') return { ok: false, code: one };
    const plain = opened.shift();
    if (!plain) return { ok: false, code: 'badMac' };
    const text = textOfUtf8(behindAuthor(plain));
    return text === null ? { ok: false, code: 'badUtf8' } : { ok: true, text };
  });
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 1;
const VERSION_BYTE = /* @__PURE__ */ new Uint8Array([VERSION]);
const NONE = /* @__PURE__ */ new Uint8Array(0);

function shapedBytes(payload: string, codes: SealOptions['codes']): Uint8Array | Refusal {
  if (payload.length > PAYLOAD_CHARS_MAX) return 'tooLarge';
  const bytes = bytesOfCodes(codes?.take(payload) ?? asciiBytes(payload));
  if (bytes === null || bytes.length === 0) return 'badPayload';
  if (bytes[0] !== VERSION) return 'unknownVersion';
  return bytes.length < 1 + IV_BYTES + TAG_BYTES ? 'badPayload' : bytes;
}

function placeBytes(collection: string, { key, seqnum }: Placed): Uint8Array {
  return asciiBytes(`picl-payload-v1\n${collection}\n${key}\n${seqnum}\n`);
}

/** What a device has written behind its UUID; an object by itself names nobody. */
function behindAuthor(plain: Uint8Array): Uint8Array {
  const isNamed = plain[0] !== BRACE && plain[AUTHOR_BYTES - 1] === LINE_END;
  return isNamed ? plain.subarray(AUTHOR_BYTES) : plain;
}

const AUTHOR_BYTES = 37;
const BRACE = 0x7b;
const LINE_END = 0x0a;
