// What is at rest: boxes that open for their own place and under their own key, whoever computes.

import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { nodeDeviceCrypto } from '../platform/node/crypto.ts';
import { restCipher, restKey } from './rest.ts';
import { softwareCipher } from './software.ts';

const bytes = (count: number) => new Uint8Array(randomBytes(count));
const key = restKey(new Uint8Array(32).fill(5));
const software = () => softwareCipher(async () => {});
const KINDS = [
  ['JavaScript', software],
  ['the device', nodeDeviceCrypto],
] as const;

it('is as it is published: key, IV and text to a box', async () => {
  const iv = Uint8Array.from({ length: 16 }, (_, at) => at);
  const hmac = (under: Uint8Array, text: string) =>
    createHmac('sha256', under).update(text).digest();
  const cipher = createCipheriv('aes-256-cbc', hmac(key, 'encrypt'), iv);
  const sealed = Buffer.concat([cipher.update('i 0 1           \nd\n{"a":"ü"}'), cipher.final()]);
  const mac = hmac(hmac(key, 'authenticate'), sealed.toString('base64'));
  const box = new Uint8Array(Buffer.concat([Uint8Array.of(2), iv, mac, sealed]));
  expect(Buffer.from(box).toString('hex')).toBe(VECTOR);
  for (const [, make] of KINDS) {
    expect(await restCipher(key, make()).seal(iv, 'i 0 1', 'd\n{"a":"ü"}')).toEqual(box);
    expect(await restCipher(key, make()).open('i 0 1', box)).toBe('d\n{"a":"ü"}');
  }
});

/** The device's key is 32 bytes of 05, the IV counts from 00 to 0f. */
const VECTOR =
  '02000102030405060708090a0b0c0d0e0fbdde909e3e356c8d9de87dc3823e3981ee4d4611b155bafd2d' +
  '6739e60e9ed3d9764610d92a9a625896996b8c831a14933aef1d1ae184829bf3615c54824b51ce';

describe.each(KINDS)('a box that %s sealed', (_, make) => {
  const ours = restCipher(key, make());
  const text = 'head\ntext ü 😀\nmore';

  it('opens to its text, of every length around the borders of blocks', async () => {
    for (let length = 0; length < 70; length++) {
      const some = 'é'.repeat(length);
      expect(await ours.open('1.p.r.a 0 1', await ours.seal(bytes(16), '1.p.r.a 0 1', some))).toBe(
        some,
      );
    }
  });

  it('does not open with any bit changed, cut at any byte, or longer', async () => {
    const box = await ours.seal(bytes(16), 'i 0 1', text);
    for (let bit = 0; bit < 8 * box.length; bit++) {
      const changed = box.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(await ours.open('i 0 1', changed), `bit ${bit}`).toBeNull();
    }
    for (let length = 0; length < box.length; length++) {
      expect(await ours.open('i 0 1', box.subarray(0, length)), `${length} bytes`).toBeNull();
    }
    expect(await ours.open('i 0 1', Uint8Array.of(...box, 0))).toBeNull();
    expect(await ours.open('i 0 1', Uint8Array.of(...box, ...bytes(16)))).toBeNull();
  });

  it('does not open for a place that begins or ends like its own, nor under another', async () => {
    const box = await ours.seal(bytes(16), '1.p.r.a 0 1', text);
    for (const place of ['1.p.r.a 0 12', '1.p.r.a 0', '1.p.r.b 0 1', '']) {
      expect(await ours.open(place, box), place).toBeNull();
    }
    const other = restCipher(restKey(new Uint8Array(32).fill(6)), make());
    expect(await other.open('1.p.r.a 0 1', box)).toBeNull();
    expect(await ours.open('1.p.r.a 0 1', box)).toBe(text);
  });

  it('is not made of half a surrogate pair, which would be another text', async () => {
    await expect(ours.seal(bytes(16), 'i 0 1', 'a\ud83d')).rejects.toMatchObject({
      code: 'badText',
    });
  });
});

it('refuses what a device answers that is no box, and stores nothing of it', async () => {
  const parts = { ciphertext: 'AAAA', IV: '', hmac: '00'.repeat(32) };
  const answers = [[], [{ ...parts, hmac: 'x' }], [{ ...parts, ciphertext: '=' }], [parts]];
  for (const [at, answer] of answers.entries()) {
    const device = { ...nodeDeviceCrypto(), seal: async () => answer, open: async () => [] };
    const sealing = restCipher(key, device).seal(bytes(16), 'i 0 1', '');
    if (at < 3) await expect(sealing).rejects.toThrow('unanswered');
    const opening = restCipher(key, device).open('i 0 1', Uint8Array.of(2));
    await expect(opening).rejects.toThrow('unanswered');
  }
});

it('seals under a key that is not the device key itself', () => {
  const device = bytes(32);
  expect(restKey(device)).toHaveLength(32);
  expect(restKey(device)).toEqual(restKey(device));
  expect(restKey(device)).not.toEqual(device);
  expect(() => restKey(bytes(31))).toThrow(expect.objectContaining({ code: 'badKey' }));
});
