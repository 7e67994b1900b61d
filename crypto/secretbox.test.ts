// The secretbox against NaCl's own, and against tampering.

import { fc, test } from '@fast-check/vitest';
import nacl from 'tweetnacl';
import { describe, expect, it } from 'vitest';
import { openSecretbox, secretbox } from './secretbox.ts';

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const pause = async () => {};
const message = fc.uint8Array({ maxLength: 400, size: 'max' });

describe('a secretbox', () => {
  test.prop([message, bytesOf(24), bytesOf(32)], { numRuns: 300 })(
    'is byte for byte the one of NaCl',
    async (text, nonce, key) => {
      expect(await secretbox(text, nonce, key, pause)).toEqual(nacl.secretbox(text, nonce, key));
    },
  );

  it('is NaCl’s for every length up to three blocks, and where the MAC wraps', async () => {
    const key = new Uint8Array(32).fill(0xff);
    const nonce = new Uint8Array(24).fill(0xff);
    for (let length = 0; length < 200; length++) {
      const text = new Uint8Array(length).fill(0xff);
      expect(await secretbox(text, nonce, key, pause)).toEqual(nacl.secretbox(text, nonce, key));
    }
  });

  test.prop([message, bytesOf(24), bytesOf(32)])(
    'opens as it was sealed',
    async (text, nonce, key) => {
      const box = nacl.secretbox(text, nonce, key);
      expect(await openSecretbox(box, nonce, key, pause)).toEqual(text);
    },
  );

  test.prop([message, bytesOf(24), bytesOf(32), fc.nat(), fc.integer({ min: 0, max: 7 })])(
    'does not open with any bit changed',
    async (text, nonce, key, at, bit) => {
      const box = nacl.secretbox(text, nonce, key);
      const index = at % box.length;
      box[index] = (box[index] ?? 0) ^ (1 << bit);
      expect(await openSecretbox(box, nonce, key, pause)).toBeNull();
    },
  );

  it('does not open when it is shorter than its MAC', async () => {
    const zeros = (length: number) => new Uint8Array(length);
    expect(await openSecretbox(zeros(15), zeros(24), zeros(32), pause)).toBeNull();
  });
});
