// The key that the words of a recovery code stand for, with node:crypto, apart from the code under
// test: docs/kinto-encryption.md.

import { hkdfSync } from 'node:crypto';

const CONSONANTS = 'bdfghjklmnprstvz';
const VOWELS = 'aiou';
/** The last of the nine words is a check, which is not looked at here. */
const KEY_WORDS = 8;

/** As an account's kB, of a code that was made by a device. */
export function keyOfCode(code: string): string {
  const bytes = code.split('-').slice(0, KEY_WORDS).flatMap(bytesOf);
  const key = hkdfSync('sha256', Buffer.from(bytes), '', 'kitsync/v1/recovery', 32);
  return Buffer.from(key).toString('hex');
}

function bytesOf(word: string): number[] {
  const bits = [...word].reduce(
    (sum, letter, at) =>
      at % 2 === 0 ? sum * 16 + CONSONANTS.indexOf(letter) : sum * 4 + VOWELS.indexOf(letter),
    0,
  );
  return [bits >> 8, bits & 0xff];
}
