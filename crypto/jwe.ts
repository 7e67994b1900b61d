// Opens a JWE in compact form (RFC 7516) that was sealed for this device's public key: ECDH-ES in
// direct agreement over P-256 (RFC 7518 4.6) with A256GCM. That is how an accounts server's page
// hands over scoped keys (`keys_jwe`). Any other algorithm, and any extension, is refused.
// What is wrong with a text from outside is answered as a value, in the order of the proofs.

import { concatBytes, decodeBase64, wordsOfBytes } from './bytes.ts';
import { jsonOf } from './engine.ts';
import { gcmKey, gcmOpen } from './gcm.ts';
import { type EcPublicKey, ecdh, type Pause } from './p256.ts';
import { sha256 } from './sha256.ts';
import { turnTaker } from './turn.ts';
import { encodeUtf8, utf8Decoder } from './utf8.ts';

type JweRefusal =
  /** Not five parts of base64url, an encrypted key where none belongs, a wrong IV or tag. */
  | 'badShape'
  /** No JSON object, or not ECDH-ES with A256GCM and nothing besides. */
  | 'badHeader'
  /** The sender's key is no point of the curve. */
  | 'badPeerKey'
  /** Changed on its way, or sealed for another key. */
  | 'badTag'
  | 'badUtf8';

type OpenedJwe =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly code: JweRefusal };

/** Throws `CryptoError` `badEntropy` when `privateKey` is none. */
export async function openJwe(
  jwe: string,
  privateKey: Uint8Array,
  pause: Pause,
): Promise<OpenedJwe> {
  const parts = partsOf(jwe);
  if (parts === null) return refused('badShape');
  const header = headerOf(parts.header);
  if (header === null) return refused('badHeader');
  const secret = await ecdh(privateKey, header.epk, pause);
  if (secret === null) return refused('badPeerKey');
  const key = concatKdf(secret, cipherName, header.apu, header.apv, 256);
  const aad = encodeUtf8(parts.protectedText);
  await pause();
  const sealed = { key: gcmKey(key), iv: parts.iv, aad, turn: turnTaker(pause) };
  const plain = await gcmOpen(sealed, parts.sealed);
  if (plain === null) return refused('badTag');
  const text = textOf(plain);
  return text === null ? refused('badUtf8') : { ok: true, text };
}

/** One round of the KDF of SP 800-56A 5.8.1 as RFC 7518 4.6.2 fills it in: up to 256 bits. */
export function concatKdf(
  secret: Uint8Array,
  algorithm: string,
  apu: Uint8Array,
  apv: Uint8Array,
  keyBits: number,
): Uint8Array {
  const name = encodeUtf8(algorithm);
  const fields = [name, apu, apv].flatMap((field) => [uint32(field.length), field]);
  const digest = sha256(concatBytes(uint32(1), secret, ...fields, uint32(keyBits)));
  return digest.subarray(0, keyBits / 8);
}

interface Parts {
  readonly protectedText: string;
  readonly header: Uint8Array;
  readonly iv: Uint8Array;
  /** Ciphertext and tag. */
  readonly sealed: Uint8Array;
}

interface Header {
  readonly epk: Partial<EcPublicKey>;
  readonly apu: Uint8Array;
  readonly apv: Uint8Array;
}

const cipherName = 'A256GCM';
const ivBytes = 12;
const tagBytes = 16;
/** Ours has 300 characters; a longer one would only be work for a parser that recurses. */
const headerBytesMax = 1024;

function partsOf(jwe: string): Parts | null {
  const texts = jwe.split('.', 6);
  const [header, encryptedKey, iv, ciphertext, tag] = texts.map((text) =>
    decodeBase64(text, 'url'),
  );
  if (texts.length !== 5 || !header || !iv || !ciphertext || !tag) return null;
  if (encryptedKey?.length !== 0 || iv.length !== ivBytes || tag.length !== tagBytes) return null;
  return { protectedText: texts[0] ?? '', header, iv, sealed: concatBytes(ciphertext, tag) };
}

function headerOf(bytes: Uint8Array): Header | null {
  if (bytes.length > headerBytesMax) return null;
  const header = parse(textOf(bytes) ?? '');
  const { epk } = header;
  const [apu, apv] = [header.apu ?? '', header.apv ?? ''].map((info) =>
    typeof info === 'string' ? decodeBase64(info, 'url') : null,
  );
  const isOurs = header.alg === 'ECDH-ES' && header.enc === cipherName;
  const isExtended = header.crit !== undefined || header.zip !== undefined;
  if (!isOurs || isExtended || typeof epk !== 'object' || !epk || !apu || !apv) return null;
  return { epk, apu, apv };
}

/** The members of a JSON object; none of anything else. */
function parse(text: string): { readonly [name: string]: unknown } {
  return Object(jsonOf(text));
}

function textOf(bytes: Uint8Array): string | null {
  const whole = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  whole.set(bytes);
  const decoder = utf8Decoder();
  return decoder.push(wordsOfBytes(whole), 0, bytes.length) ? decoder.finish() : null;
}

function uint32(value: number): Uint8Array {
  return new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value]);
}

function refused(code: JweRefusal): OpenedJwe {
  return { ok: false, code };
}
