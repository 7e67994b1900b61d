// Encrypted records of Sync storage format 5: what every way of computing them has in common.
// A record passes its proofs in one order: shape of the payload, MAC, decryption, UTF-8, JSON,
// and the id inside equal to the id outside. What fails is answered as a value with a code.
// The format leaves gaps, and this file cannot close them: the MAC covers the ciphertext alone, so
// only the id inside binds a record to its place, and only a body that begins with its id is
// protected against a changed IV. Hence: put `id` first in what is sealed.

import type { CipherParts, CipherRefusal, DeviceCrypto } from '../platform/crypto-port.ts';
import type { Entropy } from '../platform/ports.ts';
import { batches } from './batches.ts';
import { encodeHex } from './bytes.ts';
import { isObject, jsonOf } from './engine.ts';
import { CryptoError } from './error.ts';
import { flatBytes, isDense, JsonTooLarge, longJsonUnits } from './json.ts';
import type { KeyBundle } from './keys.ts';
import { parseLongJson } from './long-json.ts';
import { isWellFormed } from './utf8.ts';

type OpenRefusal =
  | CipherRefusal
  | 'badPayload'
  | 'badJson'
  | 'notAnObject'
  | 'idMismatch'
  | 'tooLarge';

/** A record as the server has it. */
export interface SealedBso {
  readonly id: string;
  /**
   * Emptied by `open`: held twice, a long one would not fit a small device. One whose MAC was wrong
   * is there again, unless it is long.
   */
  payload: string;
}

type Opened =
  | { readonly ok: true; readonly text: string; readonly body: Record<string, unknown> }
  | { readonly ok: false; readonly code: OpenRefusal };

export type OpenedBso = Opened & { readonly id: string };

/** What of the cleartext of the record with this id is its JSON. */
type Inside = (id: string, cleartext: string) => string;

export interface BsoCrypto {
  /**
   * One answer per record, in the same order. A bad record is an answer, never an exception.
   * `inside`: for who has said otherwise, and looks itself, whose record it is; left out: all of
   * the cleartext is JSON, with the id in it.
   */
  open(bundle: KeyBundle, items: readonly SealedBso[], inside?: Inside): Promise<OpenedBso[]>;
  /**
   * One payload per cleartext, in the same order.
   * Throws `CryptoError` `badText` (half a surrogate pair) or `badEntropy`.
   */
  seal(bundle: KeyBundle, texts: readonly string[]): Promise<string[]>;
}

/** Longer payloads are refused unread (`tooLarge`): a cleartext of 280 KiB fits. */
export const payloadUnitsMax = 384 * 1024;

/** A payload over this is long. */
export const longPayloadUnits = 64 * 1024;

/**
 * Records over a cipher, be it the device's or `softwareCipher`. `pause` lets the device do other
 * work and resolves in a later turn. A body that would take more memory than `bodyBytesMax` is
 * refused (`tooLarge`).
 */
export function bsoCrypto(
  cipher: DeviceCrypto,
  entropy: Entropy,
  pause: () => Promise<void>,
  bodyBytesMax = Number.MAX_VALUE,
): BsoCrypto {
  const drawIvs = ivSource(entropy);
  return {
    async open(bundle, items, inside) {
      const opened: OpenedBso[] = [];
      for (const batch of batches(items, (item) => item.payload.length)) {
        const texts = await decryptBatch(cipher, bundle, batch, pause);
        for (const [index, { id }] of batch.entries()) {
          const text = texts[index];
          if (text === undefined) throw new Error('the cipher left a record unanswered');
          const read =
            'code' in text
              ? refusal(text.code)
              : inside
                ? readBody(null, inside(id, text.text), pause, bodyBytesMax)
                : readBody(id, text.text, pause, bodyBytesMax);
          opened.push({ id, ...(read instanceof Promise ? await read : read) });
        }
      }
      return opened;
    },
    async seal(bundle, texts) {
      if (!texts.every(isWellFormed)) throw new CryptoError('badText', 'half a surrogate pair');
      const payloads: string[] = [];
      for (const batch of batches(texts, (text) => text.length)) {
        const ivs = drawIvs(batch.length);
        const sealed = await cipher.seal(bundle.encKey, bundle.macKey, batch, ivs);
        payloads.push(...sealed.map(writePayload));
      }
      return payloads;
    },
  };
}

/** Apart from `open`, so that the ciphertexts are gone when the texts are parsed. */
async function decryptBatch(
  cipher: DeviceCrypto,
  bundle: KeyBundle,
  items: readonly SealedBso[],
  pause: () => Promise<void>,
): Promise<({ text: string } | { code: OpenRefusal } | undefined)[]> {
  const payloads: (CipherParts | OpenRefusal)[] = [];
  for (const item of items) {
    const parts = readPayload(item.payload, pause);
    // Held beside its parts it would be there twice.
    if (parts instanceof Promise || typeof parts !== 'string') item.payload = '';
    payloads.push(parts instanceof Promise ? await parts : parts);
  }
  const shaped = payloads.filter((payload) => typeof payload !== 'string');
  const answers =
    shaped.length === 0 ? [] : await cipher.open(bundle.encKey, bundle.macKey, shaped);
  let next = 0;
  return payloads.map((payload, at) => {
    if (typeof payload === 'string') return { code: payload };
    const answer = answers[next++];
    const item = items[at];
    // Under other keys it may open.
    const isSuspect = item && answer && 'code' in answer && answer.code === 'badMac';
    if (isSuspect && payload.ciphertext.length <= longPayloadUnits) {
      item.payload = writePayload(payload);
    }
    return answer;
  });
}

/** At once, unless it takes a device longer than one turn. */
type Soon<Value> = Value | Promise<Value>;

function readPayload(payload: string, pause: () => Promise<void>): Soon<CipherParts | OpenRefusal> {
  if (payload.length > payloadUnitsMax) return 'tooLarge';
  if (payload.length > longJsonUnits) {
    return parseLong(payload, pause, flatBytes * payload.length).then(partsOf);
  }
  return partsOf(splitPayload(payload) ?? (isModest(payload) ? parseShort(payload) : 'badJson'));
}

/** The three members of a payload that storage format 5 names; others are not looked at. */
function partsOf(value: Record<string, unknown> | OpenRefusal): CipherParts | OpenRefusal {
  if (typeof value === 'string') return 'badPayload';
  const { ciphertext, IV, hmac } = value;
  if (typeof ciphertext !== 'string' || typeof IV !== 'string' || typeof hmac !== 'string') {
    return 'badPayload';
  }
  return { ciphertext, IV, hmac };
}

/**
 * A payload as clients write it, three plain strings without a space or an escape, at a third of
 * what parsing costs. Null: anything else.
 */
function splitPayload(payload: string): Record<string, unknown> | null {
  // Splitting is the fastest way in which an interpreter can look for a character.
  if (payload.split('\\', 2).length > 1) return null;
  const pieces = payload.split('"', 14);
  const marks = pieces.filter((_, at) => at % 2 === 0).join('');
  if (pieces.length !== 13 || marks !== '{:,:,:}') return null;
  return Object.fromEntries([1, 5, 9].map((at) => [pieces[at], pieces[at + 2]]));
}

/** Whether a text that nobody vouches for can be parsed without filling the memory. */
function isModest(text: string): boolean {
  const marks = ['{', '[', ','];
  return marks.every((mark) => text.split(mark, 33).length < 33);
}

function writePayload({ ciphertext, IV, hmac }: CipherParts): string {
  // Base64 and hexadecimal digits need no escapes.
  return `{"ciphertext":"${ciphertext}","IV":"${IV}","hmac":"${hmac}"}`;
}

function readBody(
  id: string | null,
  text: string,
  pause: () => Promise<void>,
  bytesMax: number,
): Soon<Opened> {
  const proven = (body: Record<string, unknown> | OpenRefusal): Opened => {
    if (typeof body === 'string') return refusal(body);
    if (id !== null && !hasIdInside(id, body)) return refusal('idMismatch');
    return { ok: true, text, body };
  };
  return text.length > longJsonUnits || isDense(text)
    ? parseLong(text, pause, bytesMax).then(proven)
    : proven(parseShort(text));
}

/**
 * Firefox's application-services write a deletion as `{"deleted":true}` and nothing else, so for
 * them alone the envelope's word has to do.
 */
function hasIdInside(id: string, body: Record<string, unknown>): boolean {
  return body.id === id || (body.deleted === true && Object.keys(body).length === 1);
}

function parseShort(text: string): Record<string, unknown> | OpenRefusal {
  const value = jsonOf(text);
  return value === undefined ? 'badJson' : asObject(value);
}

async function parseLong(
  text: string,
  pause: () => Promise<void>,
  bytesMax: number,
): Promise<Record<string, unknown> | OpenRefusal> {
  return parseLongJson(text, pause, bytesMax).then(asObject, whyNot);
}

function asObject(value: unknown): Record<string, unknown> | OpenRefusal {
  return isObject(value) ? value : 'notAnObject';
}

function whyNot(error: unknown): OpenRefusal {
  if (error instanceof JsonTooLarge) return 'tooLarge';
  if (error instanceof SyntaxError) return 'badJson';
  throw error;
}

function refusal(code: OpenRefusal): Opened {
  return { ok: false, code };
}

/**
 * Draws IVs of 16 random bytes. Refuses zeros (which servers refuse too) and an IV seen in the same
 * draw or as the last of the draw before: a source that is stuck seals nothing.
 */
function ivSource(entropy: Entropy): (count: number) => Uint8Array[] {
  let last = '';
  return (count) => {
    const bytes = entropy.random(count * ivBytes);
    if (bytes.length !== count * ivBytes) {
      throw new CryptoError('badEntropy', 'fewer random bytes than asked for');
    }
    const seen = new Set([encodeHex(new Uint8Array(ivBytes)), last]);
    const ivs: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += ivBytes) {
      const iv = bytes.slice(at, at + ivBytes);
      last = encodeHex(iv);
      if (seen.has(last)) throw new CryptoError('badEntropy', 'an IV of zeros or one used before');
      seen.add(last);
      ivs.push(iv);
    }
    return ivs;
  };
}

const ivBytes = 16;
