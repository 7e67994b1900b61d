// AES-256-GCM: the vectors of its specification, agreement with node:crypto, and forgeries.

import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gcmCases } from '../test/contract/bulk-cases.ts';
import { decodeHex, encodeHex } from './bytes.ts';
import { gcmKey, gcmOpen, gcmSeal } from './gcm.ts';
import { turnTaker } from './turn.ts';

const hex = (text: string) => decodeHex(text) ?? new Uint8Array(0);
const turn = turnTaker(async () => {});
const none = new Uint8Array(0);
const KEY = 'feffe9928665731c6d6a8f9467308308'.repeat(2);

function sealByNode(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, plain: Uint8Array): string {
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(aad);
  return (
    cipher.update(plain).toString('hex') + cipher.final('hex') + cipher.getAuthTag().toString('hex')
  );
}

it.each(gcmCases)('seals and opens the published messages (%#)', async (one) => {
  const options = { key: gcmKey(hex(one.key)), iv: hex(one.iv), aad: hex(one.aad), turn };
  expect(encodeHex(await gcmSeal(options, hex(one.plain)))).toBe(one.sealed);
  expect(await gcmOpen(options, hex(one.sealed))).toEqual(hex(one.plain));
});

it('does what node:crypto does, whatever the lengths', async () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const some = fc.uint8Array({ maxLength: 100 });
  await fc.assert(
    fc.asyncProperty(bytes(32), bytes(12), some, some, async (key, iv, aad, plain) => {
      const options = { key: gcmKey(key), iv, aad, turn };
      const theirs = sealByNode(key, iv, aad, plain);
      expect(encodeHex(await gcmSeal(options, plain))).toBe(theirs);
      expect(await gcmOpen(options, hex(theirs))).toEqual(plain);
    }),
  );
});

it('counts past 256 blocks, and gives the device its turns', async () => {
  let turns = 0;
  const options = {
    key: gcmKey(hex(KEY)),
    iv: new Uint8Array(12).fill(255),
    aad: none,
    turn: turnTaker(async () => {
      turns++;
    }),
  };
  const long = new Uint8Array(16 * 300 + 5).map((_, at) => at * 7);
  const theirs = sealByNode(hex(KEY), options.iv, none, long);
  expect(encodeHex(await gcmSeal(options, long))).toBe(theirs);
  expect(turns).toBe(1);
});

it('opens nothing that was changed by one bit, cut or lengthened', async () => {
  const options = { key: gcmKey(hex(KEY)), iv: new Uint8Array(12), aad: hex('0102'), turn };
  const box = await gcmSeal(options, new Uint8Array(20).fill(9));
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
    { key: gcmKey(new Uint8Array(32)) },
  ]) {
    expect(await gcmOpen({ ...options, ...wrong }, box)).toBeNull();
  }
});
