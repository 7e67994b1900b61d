// AES-256-GCM: the vectors of its specification, agreement with node:crypto, and forgeries.

import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeHex, encodeHex } from './bytes.ts';
import { gcmOpen, gcmSeal } from './gcm.ts';

const hex = (text: string) => decodeHex(text) ?? new Uint8Array(0);
const pause = async () => {};
const none = new Uint8Array(0);

function sealByNode(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, plain: Uint8Array): string {
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(aad);
  return (
    cipher.update(plain).toString('hex') + cipher.final('hex') + cipher.getAuthTag().toString('hex')
  );
}

// McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, test cases 13 to 16.
const key = 'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308';
const plain =
  'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
  '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255';
const sealed =
  '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa' +
  '8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad';
const cases = [
  {
    key: '00'.repeat(32),
    iv: '00'.repeat(12),
    aad: '',
    plain: '',
    sealed: '530f8afbc74536b9a963b4f1c4cb738b',
  },
  {
    key: '00'.repeat(32),
    iv: '00'.repeat(12),
    aad: '',
    plain: '00'.repeat(16),
    sealed: 'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
  },
  {
    key,
    iv: 'cafebabefacedbaddecaf888',
    aad: '',
    plain,
    sealed: `${sealed}b094dac5d93471bdec1a502270e3cc6c`,
  },
  {
    key,
    iv: 'cafebabefacedbaddecaf888',
    aad: 'feedfacedeadbeeffeedfacedeadbeefabaddad2',
    plain: plain.slice(0, 120),
    sealed: `${sealed.slice(0, 120)}76fc6ece0f4e1768cddf8853bb2d551b`,
  },
];

it.each(cases)('seals and opens the published messages (%#)', async (one) => {
  const options = { key: hex(one.key), iv: hex(one.iv), aad: hex(one.aad), pause };
  expect(encodeHex(await gcmSeal(options, hex(one.plain)))).toBe(one.sealed);
  expect(await gcmOpen(options, hex(one.sealed))).toEqual(hex(one.plain));
});

it('does what node:crypto does, whatever the lengths', async () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const some = fc.uint8Array({ maxLength: 100 });
  await fc.assert(
    fc.asyncProperty(bytes(32), bytes(12), some, some, async (key, iv, aad, plain) => {
      const options = { key, iv, aad, pause };
      const theirs = sealByNode(key, iv, aad, plain);
      expect(encodeHex(await gcmSeal(options, plain))).toBe(theirs);
      expect(await gcmOpen(options, hex(theirs))).toEqual(plain);
    }),
  );
});

it('counts past 256 blocks, and gives the device its turns', async () => {
  let turns = 0;
  const options = {
    key: hex(key),
    iv: new Uint8Array(12).fill(255),
    aad: none,
    pause: async () => {
      turns++;
    },
  };
  const long = new Uint8Array(16 * 300 + 5).map((_, at) => at * 7);
  const theirs = sealByNode(options.key, options.iv, none, long);
  expect(encodeHex(await gcmSeal(options, long))).toBe(theirs);
  expect(turns).toBe(20);
});

it('opens nothing that was changed by one bit, cut or lengthened', async () => {
  const options = { key: hex(key), iv: new Uint8Array(12), aad: hex('0102'), pause };
  const box = await gcmSeal(options, hex(plain.slice(0, 40)));
  for (let bit = 0; bit < 8 * box.length; bit++) {
    const changed = box.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
    expect(await gcmOpen(options, changed)).toBeNull();
  }
  for (let length = 0; length < box.length; length++) {
    expect(await gcmOpen(options, box.slice(0, length))).toBeNull();
  }
  expect(await gcmOpen(options, Uint8Array.from([...box, 0]))).toBeNull();
  for (const wrong of [
    { aad: hex('0103') },
    { aad: hex('010200') },
    { iv: new Uint8Array(12).fill(1) },
    { key: new Uint8Array(32) },
  ]) {
    expect(await gcmOpen({ ...options, ...wrong }, box)).toBeNull();
  }
});
