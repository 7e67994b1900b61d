// Sealing at rest: a value's head and text, bound to its storage key, in pieces small enough that no
// piece holds the device up for long.
// A sealed value that was moved to another key, cut, or reordered does not open.

import { CryptoError } from '../crypto/error.ts';
import { openRest, sealRest } from '../crypto/rest.ts';
import type { Clock, Entropy } from '../platform/ports.ts';

/** Characters of text in one box: sealing costs some 14,000 instructions a byte in JavaScript. */
const PIECE_CHARS = 160;
const NONCE_BYTES = 24;
const LENGTH_BYTES = 2;

export interface Vault {
  seal(key: string, head: string, text: string): Promise<Uint8Array>;
  /** Null if the value does not prove itself. */
  open(key: string, value: Uint8Array): Promise<{ head: string; text: string } | null>;
}

export function createVault(restKey: Uint8Array, entropy: Entropy, clock: Clock): Vault {
  return {
    async seal(key, head, text) {
      const pieces = cut(text);
      const boxes: Uint8Array[] = [];
      for (const [index, piece] of pieces.entries()) {
        await clock.pause();
        const values = [key, index, pieces.length, index === 0 ? head : '', piece];
        boxes.push(sealRest(restKey, entropy.random(NONCE_BYTES), values));
      }
      return joined(boxes);
    },

    async open(key, value) {
      let head = '';
      let text = '';
      const boxes = split(value);
      for (const [index, box] of boxes.entries()) {
        await clock.pause();
        const values = opened(restKey, box);
        if (values === null || values[0] !== key) return null;
        if (values[1] !== index || values[2] !== boxes.length) return null;
        if (index === 0) head = String(values[3]);
        text += String(values[4]);
      }
      return boxes.length === 0 ? null : { head, text };
    },
  };
}

/** Pieces of a text, at least one, none of which ends inside a surrogate pair. */
function cut(text: string): string[] {
  const pieces: string[] = [];
  let at = 0;
  do {
    const last = text.charCodeAt(at + PIECE_CHARS - 1);
    const inPair = last >= 0xd800 && last < 0xdc00;
    const end = at + PIECE_CHARS - (inPair ? 1 : 0);
    pieces.push(text.slice(at, end));
    at = end;
  } while (at < text.length);
  return pieces;
}

function opened(restKey: Uint8Array, box: Uint8Array): unknown[] | null {
  try {
    return openRest(restKey, box);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    return null;
  }
}

function joined(boxes: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(boxes.reduce((sum, box) => sum + LENGTH_BYTES + box.length, 0));
  let at = 0;
  for (const box of boxes) {
    bytes[at] = box.length >> 8;
    bytes[at + 1] = box.length & 0xff;
    bytes.set(box, at + LENGTH_BYTES);
    at += LENGTH_BYTES + box.length;
  }
  return bytes;
}

/** The boxes of a value; none, if their lengths are not its length. */
function split(bytes: Uint8Array): Uint8Array[] {
  const boxes: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    const end = at + LENGTH_BYTES + length;
    if (end > bytes.length) return [];
    boxes.push(bytes.subarray(at + LENGTH_BYTES, end));
    at = end;
  }
  return boxes;
}
