// What is at rest: boxes that open whole and under their own key, as tweetnacl's would.

import { randomBytes } from 'node:crypto';
import nacl from 'tweetnacl';
import { expect, it } from 'vitest';
import type { CborValue } from './cbor.ts';
import { restKey } from './rest.ts';
import { nonceBytes, openRest, sealRest } from './rest-secretbox.ts';

const bytes = (count: number) => new Uint8Array(randomBytes(count));
const pause = async () => {};
const key = restKey(new Uint8Array(32).fill(5));
const values = ['text ü 😀', 0, 2 ** 53 - 1, new Uint8Array([1, 2, 255]), ''];

const sealed = (list: readonly CborValue[]) => sealRest(key, bytes(nonceBytes), list, pause);
const opened = (box: Uint8Array, under = key) => openRest(under, box, pause);

it('opens what it sealed, in the order in which it was sealed', async () => {
  expect(await opened(await sealed(values))).toEqual(values);
  expect(await opened(await sealed([]))).toEqual([]);
});

it('carries every length around the borders of blocks', async () => {
  for (let length = 0; length < 200; length++) {
    const list = [new Uint8Array(length).map((_, at) => at * 7)];
    expect(await opened(await sealed(list))).toEqual(list);
  }
});

it('writes a byte of format, the nonce, and a box that tweetnacl opens', async () => {
  const nonce = bytes(nonceBytes);
  const box = await sealRest(key, nonce, ['a'], pause);
  expect(box[0]).toBe(1);
  expect(box.slice(1, 25)).toEqual(nonce);
  // A list of one text, in CBOR.
  expect(nacl.secretbox.open(box.slice(25), nonce, key)).toEqual(
    new Uint8Array([0x81, 0x61, 0x61]),
  );
});

it('refuses a box with any bit changed', async () => {
  const box = await sealed(values);
  for (let bit = 0; bit < 8 * box.length; bit++) {
    const changed = box.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(await opened(changed), `bit ${bit}`).toBeNull();
  }
});

it('refuses a box that is cut, longer, or sealed under another key', async () => {
  const box = await sealed(values);
  const refused = async (wrong: Uint8Array, under = key) =>
    expect(await opened(wrong, under)).toBeNull();
  for (let length = 0; length < box.length; length++) await refused(box.slice(0, length));
  await refused(new Uint8Array([...box, 0]));
  await refused(box, restKey(new Uint8Array(32).fill(6)));
});

it('has no word for what was sealed under its key and is no list', async () => {
  const nonce = bytes(nonceBytes);
  const inside = nacl.secretbox(new Uint8Array([0xa0]), nonce, key);
  await expect(opened(new Uint8Array([1, ...nonce, ...inside]))).rejects.toMatchObject({
    code: 'badSeal',
  });
});
