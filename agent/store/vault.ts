// Sealing at rest: a value's head and text, bound to its storage key, in pieces small enough that
// no piece holds the device up for long. A sealed value that was moved to another key, cut, or
// reordered does not open.

import { type RestCipher, restCipher } from '../../crypto/rest.ts';
import type { DeviceCrypto } from '../../platform/crypto-port.ts';
import type { Clock, Entropy } from '../../platform/ports.ts';

/** Characters of text in one box, which the device's own code seals in one call. */
const PIECE_CHARS = 4096;
const IV_BYTES = 16;
const LENGTH_BYTES = 2;
/** What a box can be longer than the first one: two numbers, and the end of a block. */
const LONGER_BYTES = 16;

export interface Vault {
  /** The head is one line. Errors: `CryptoError`, those of the device's cryptography. */
  seal(key: string, head: string, text: string): Promise<Uint8Array>;
  /**
   * Null if the value does not prove itself. Errors: those of the device's cryptography, which say
   * nothing of the value.
   */
  open(key: string, value: Uint8Array): Promise<Unsealed | null>;
}

interface Ports {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly crypto?: DeviceCrypto;
}

interface Unsealed {
  readonly head: string;
  text: string;
}

/** `restKey`: see crypto/rest.ts. The device's own cryptography seals where there is some. */
export function createVault(restKey: Uint8Array, { clock, crypto, entropy }: Ports): Vault {
  const pause = (): Promise<void> => clock.pause();
  let made: RestCipher | undefined;
  const cipher = async (): Promise<RestCipher> => {
    const by = crypto ?? (await import('../../crypto/software.ts')).softwareCipher(pause);
    made ??= restCipher(restKey, by);
    return made;
  };
  /** What a box holds; in the first one of a value the head is a line before the text. */
  const opened = async (place: string, box: Uint8Array): Promise<string | null> => {
    if (box[0] !== 1) return (made ?? (await cipher())).open(place, box);
    // As earlier builds have sealed.
    const open = (await import('../../crypto/rest-secretbox.ts')).openRest;
    const [key, index, count, head, text] = (await open(restKey, box, pause)) ?? [];
    if (placeOf(`${key}`, Number(index), Number(count)) !== place) return null;
    return index === 0 ? `${head}\n${text}` : `${text}`;
  };
  return {
    async seal(key, head, text) {
      const count = countOf(text);
      const sealed = createSealed(count);
      for (let at = 0, index = 0; index < count; index++) {
        const end = pieceEnd(text, at);
        const piece = (index === 0 ? `${head}\n` : '') + text.slice(at, end);
        const iv = entropy.random(IV_BYTES);
        sealed.add(await (made ?? (await cipher())).seal(iv, placeOf(key, index, count), piece));
        at = end;
      }
      return sealed.bytes();
    },

    async open(key, value) {
      const boxes = boxesOf(value);
      let result: Unsealed | null = null;
      for (const [index, box] of boxes.entries()) {
        const piece = await opened(placeOf(key, index, boxes.length), box);
        if (piece === null) return null;
        if (result === null) result = divided(piece);
        else result.text += piece;
      }
      return result;
    },
  };
}

/** A head and a text that were written one below the other. */
export function divided(value: string): Unsealed {
  const end = value.indexOf('\n');
  return { head: value.slice(0, end), text: value.slice(end + 1) };
}

/** Which box of a value it is, from 0, and how many there are. */
const placeOf = (key: string, index: number, count: number): string => `${key} ${index} ${count}`;

/** None where the lengths are not those of boxes. */
function boxesOf(value: Uint8Array): Uint8Array[] {
  const boxes: Uint8Array[] = [];
  for (let at = 0; at < value.length; ) {
    const from = at + LENGTH_BYTES;
    at = from + (((value[at] ?? 0) << 8) | (value[at + 1] ?? 0));
    if (at > value.length) return [];
    boxes.push(value.subarray(from, at));
  }
  return boxes;
}

/** Where the piece ends that begins at `at`: not inside a surrogate pair. */
function pieceEnd(text: string, at: number): number {
  const last = text.charCodeAt(at + PIECE_CHARS - 1);
  const inPair = last >= 0xd800 && last < 0xdc00;
  return at + PIECE_CHARS - (inPair ? 1 : 0);
}

/** Pieces of a text, at least one. */
function countOf(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at = pieceEnd(text, at)) count++;
  return Math.max(1, count);
}

/**
 * The boxes of a value, each behind its length, in one buffer that is made for as many as the first
 * one: they are in memory once.
 */
function createSealed(count: number): { add(box: Uint8Array): void; bytes(): Uint8Array } {
  let bytes = new Uint8Array(0);
  let end = 0;
  return {
    add(box) {
      const next = end + LENGTH_BYTES + box.length;
      if (next > bytes.length) {
        // Later boxes may have other scripts.
        const more = end === 0 ? (count - 1) * (next + LONGER_BYTES) : bytes.length >> 1;
        const larger = new Uint8Array(next + more);
        larger.set(bytes);
        bytes = larger;
      }
      bytes[end] = box.length >> 8;
      bytes[end + 1] = box.length & 0xff;
      bytes.set(box, end + LENGTH_BYTES);
      end = next;
    },
    bytes: () => (end === bytes.length ? bytes : bytes.slice(0, end)),
  };
}
