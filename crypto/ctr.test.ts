// Counter mode: agreement with node:crypto, across the bytes of the counter, in pieces or at once.

import { createCipheriv } from 'node:crypto';
import { expect, test } from 'vitest';
import { encryptionKey } from './aes.ts';
import { bytesOfWords, wordsOfBytes } from './bytes.ts';
import { ctr, roundsOf } from './ctr.ts';

const key = new Uint8Array(32).map((_, at) => at * 73 + 5);
const iv = new Uint8Array(12).map((_, at) => at * 41 + 200);
const ready = roundsOf(encryptionKey(wordsOfBytes(key)));

function byNode(counter: number, plain: Uint8Array): Buffer {
  const start = Buffer.alloc(16);
  start.set(iv);
  start.writeUInt32BE(counter, 12);
  return createCipheriv('aes-256-ctr', key, start).update(plain);
}

test.each([0, 1, 2, 254, 255, 256, 65_534, 65_535, 0xff_fffe])(
  'what node:crypto encrypts is what it encrypts, from block %i on',
  (counter) => {
    const plain = new Uint8Array(16 * 5).map((_, at) => at * 29);
    const words = wordsOfBytes(plain);
    ctr(ready, words, 0, words.length, wordsOfBytes(iv), counter);
    expect(Buffer.from(bytesOfWords(words))).toEqual(byNode(counter, plain));
  },
);

test('a message in pieces is the message at once, past many counters', () => {
  const plain = new Uint8Array(16 * 600).map((_, at) => at * 31 + (at >> 8));
  for (const pieceBlocks of [1, 7, 600]) {
    const words = wordsOfBytes(plain);
    for (let block = 0; block < 600; block += pieceBlocks) {
      const end = Math.min(block + pieceBlocks, 600);
      ctr(ready, words, 4 * block, 4 * end, wordsOfBytes(iv), 250 + block);
    }
    expect(Buffer.from(bytesOfWords(words)).equals(byNode(250, plain))).toBe(true);
  }
});
