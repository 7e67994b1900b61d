// The secretbox against NaCl's own, and against tampering.

import { fc, test } from '@fast-check/vitest';
import nacl from 'tweetnacl';
import { describe, expect, it } from 'vitest';
import { openSecretbox, secretbox } from './secretbox.ts';

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const message = fc.uint8Array({ maxLength: 400, size: 'max' });

describe('a secretbox', () => {
  test.prop([message, bytesOf(24), bytesOf(32)], { numRuns: 300 })(
    'is byte for byte the one of NaCl',
    (text, nonce, key) => {
      expect(secretbox(text, nonce, key)).toEqual(nacl.secretbox(text, nonce, key));
    },
  );

  it('is the one of NaCl for every length up to three blocks, also where the MAC wraps around', () => {
    const key = new Uint8Array(32).fill(0xff);
    const nonce = new Uint8Array(24).fill(0xff);
    for (let length = 0; length < 200; length++) {
      const text = new Uint8Array(length).fill(0xff);
      expect(secretbox(text, nonce, key)).toEqual(nacl.secretbox(text, nonce, key));
    }
  });

  test.prop([message, bytesOf(24), bytesOf(32)])('opens as it was sealed', (text, nonce, key) => {
    expect(openSecretbox(nacl.secretbox(text, nonce, key), nonce, key)).toEqual(text);
  });

  test.prop([message, bytesOf(24), bytesOf(32), fc.nat(), fc.integer({ min: 0, max: 7 })])(
    'does not open with any bit changed',
    (text, nonce, key, at, bit) => {
      const box = secretbox(text, nonce, key);
      const index = at % box.length;
      box[index] = (box[index] ?? 0) ^ (1 << bit);
      expect(openSecretbox(box, nonce, key)).toBeNull();
    },
  );

  it('does not open when it is shorter than its MAC', () => {
    expect(openSecretbox(new Uint8Array(15), new Uint8Array(24), new Uint8Array(32))).toBeNull();
  });
});
