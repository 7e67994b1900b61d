// Sealing at rest: a value's head and text, bound to its storage key, in pieces small enough that
// no piece holds the device up for long. A sealed value that was moved to another key, cut, or
// reordered does not open.

import { CryptoError } from '../../crypto/error.ts';
import { openRest, sealRest } from '../../crypto/rest.ts';
import type { Clock, Entropy } from '../../platform/ports.ts';

/**
 * Characters of text in one box: sealing costs some 14,000 instructions a byte in JavaScript, and a
 * box is 85 bytes longer than its text.
 */
const PIECE_CHARS = 320;
/** The same of other scripts: up to three bytes a character. */
const WIDE_PIECE_CHARS = 160;
const NONCE_BYTES = 24;
const LENGTH_BYTES = 2;
/** What two numbers of a box can be longer than in the first one. */
const NUMBER_BYTES = 4;

export interface Vault {
  seal(key: string, head: string, text: string): Promise<Uint8Array>;
  /** Null if the value does not prove itself. */
  open(key: string, value: Uint8Array): Promise<{ head: string; text: string } | null>;
}

export function createVault(restKey: Uint8Array, entropy: Entropy, clock: Clock): Vault {
  const pause = (): Promise<void> => clock.pause();
  return {
    async seal(key, head, text) {
      const pieceChars = isAscii(text) ? PIECE_CHARS : WIDE_PIECE_CHARS;
      const count = countOf(text, pieceChars);
      const sealed = createSealed(count);
      for (let at = 0, index = 0; index < count; index++) {
        const end = pieceEnd(text, at, pieceChars);
        const values = [key, index, count, index === 0 ? head : '', text.slice(at, end)];
        sealed.add(await sealRest(restKey, entropy.random(NONCE_BYTES), values, pause));
        at = end;
      }
      return sealed.bytes();
    },

    async open(key, value) {
      let head = '';
      let text = '';
      let index = 0;
      let count: unknown = 0;
      for (let at = 0; at < value.length; index++) {
        const from = at + LENGTH_BYTES;
        at = from + (((value[at] ?? 0) << 8) | (value[at + 1] ?? 0));
        if (at > value.length) return null;
        const values = await openRest(restKey, value.subarray(from, at), pause).catch(unlessBad);
        if (values === null || values[0] !== key || values[1] !== index) return null;
        count = index === 0 ? values[2] : count;
        if (values[2] !== count) return null;
        if (index === 0) head = String(values[3]);
        text += String(values[4]);
      }
      return index === 0 || index !== count ? null : { head, text };
    },
  };
}

/** Where the piece ends that begins at `at`: not inside a surrogate pair. */
function pieceEnd(text: string, at: number, pieceChars: number): number {
  const last = text.charCodeAt(at + pieceChars - 1);
  const inPair = last >= 0xd800 && last < 0xdc00;
  return at + pieceChars - (inPair ? 1 : 0);
}

function isAscii(text: string): boolean {
  return !/[^ -~]/.test(text);
}

/** Pieces of a text, at least one. */
function countOf(text: string, pieceChars: number): number {
  let count = 0;
  for (let at = 0; at < text.length; at = pieceEnd(text, at, pieceChars)) count++;
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
        // Later boxes have longer numbers in them, or other scripts.
        const wanted = end === 0 ? count * (next + NUMBER_BYTES) : next + (bytes.length >> 1);
        const larger = new Uint8Array(wanted);
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

/** Null for a box that proves nothing; what the engine throws goes on. */
function unlessBad(error: unknown): null {
  if (error instanceof CryptoError) return null;
  throw error;
}
