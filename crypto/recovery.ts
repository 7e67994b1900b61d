// The user's key on a server without Firefox accounts: 128 random bits that the user keeps, written
// as nine words that can be read aloud, eight of them the bits and the last one a check. Whoever
// has the words has the key; nobody else does, and they cannot be asked for again.
// Source: proquints (arXiv 0901.4016) for the words; RFC 5869 for the key.

import { encodeHex } from './bytes.ts';
import { CryptoError } from './error.ts';
import { hkdf } from './hmac.ts';
import { sha256 } from './sha256.ts';
import { encodeUtf8 } from './utf8.ts';

const CODE_BYTES = 16;
const CONSONANTS = 'bdfghjklmnprstvz';
const VOWELS = 'aiou';
const CONTEXT = 'kitsync/v1/recovery';

/** `lusab-babad-...`, nine words of five letters. Throws an Error for other than 16 bytes. */
export function recoveryCode(bytes: Uint8Array): string {
  if (bytes.length !== CODE_BYTES) throw new Error(`not ${CODE_BYTES} bytes`);
  const all = [...bytes, ...checkOf(bytes)];
  const words: string[] = [];
  for (let at = 0; at < all.length; at += 2) {
    words.push(wordOf(((all[at] ?? 0) << 8) | (all[at + 1] ?? 0)));
  }
  return words.join('-');
}

/**
 * The key of the words, as an account's kB: in any case, with anything between them that is no
 * letter. Throws `CryptoError` `badKey` that says which word is none, or that the check fails.
 */
export function keyOfRecoveryCode(text: string): { readonly kB: string } {
  const words = text.toLowerCase().match(/[a-z]+/g) ?? [];
  if (words.length !== CODE_BYTES / 2 + 1) {
    throw new CryptoError('badKey', `the code has ${words.length} words, and not nine`);
  }
  const bytes = new Uint8Array(CODE_BYTES + 2);
  for (const [at, word] of words.entries()) {
    const bits = bitsOf(word);
    if (bits === null) throw new CryptoError('badKey', `word ${at + 1} of the code is none`);
    bytes[2 * at] = bits >> 8;
    bytes[2 * at + 1] = bits & 0xff;
  }
  const code = bytes.slice(0, CODE_BYTES);
  const check = checkOf(code);
  if (check.some((byte, at) => byte !== bytes[CODE_BYTES + at])) {
    throw new CryptoError('badKey', 'the words of the code do not belong together');
  }
  return { kB: encodeHex(hkdf(code, encodeUtf8(CONTEXT), 32)) };
}

function checkOf(bytes: Uint8Array): Uint8Array {
  const text = new Uint8Array([...encodeUtf8(`${CONTEXT}/check`), ...bytes]);
  return sha256(text).subarray(0, 2);
}

/** A consonant has four bits, a vowel two. */
function wordOf(bits: number): string {
  const consonant = (shift: number): string => CONSONANTS[(bits >> shift) & 15] ?? '';
  const vowel = (shift: number): string => VOWELS[(bits >> shift) & 3] ?? '';
  return consonant(12) + vowel(10) + consonant(6) + vowel(4) + consonant(0);
}

function bitsOf(word: string): number | null {
  if (word.length !== 5) return null;
  let bits = 0;
  for (const [at, letter] of [...word].entries()) {
    const [digits, width] = at % 2 === 0 ? [CONSONANTS, 4] : [VOWELS, 2];
    const digit = digits.indexOf(letter);
    if (digit < 0) return null;
    bits = (bits << width) | digit;
  }
  return bits;
}
