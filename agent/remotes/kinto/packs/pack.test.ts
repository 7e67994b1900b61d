// A pack as bytes, and the way of a record down the tree of packs.

import { encode } from 'cbor-x';
import { describe, expect, test } from 'vitest';
import { packIdAt } from '../../../../test/support/kinto-packs.ts';
import {
  ALONE,
  bytesOfPack,
  DELETED,
  decodePack,
  encodePack,
  LEVELS,
  LIVE,
  levelOf,
  type PackEntry,
  packIdOf,
  placeOfVersion,
  saltOf,
  versionOf,
} from './pack.ts';

const idOf = (n: number): string => `h-${Buffer.alloc(32, n * 37 + 1).toString('base64url')}`;
const entry = (kind: PackEntry['kind'], text: string): PackEntry => ({
  ...{ writtenMs: 1_795_000_000_000, salt: 0xabcdef, kind, text },
});
const pack = {
  isFull: true,
  entries: new Map([
    [idOf(1), entry(LIVE, '{"id":"ü"}')],
    [idOf(2), entry(DELETED, '')],
    [idOf(3), entry(ALONE, '')],
    [idOf(4), entry(ALONE, '{"id":"on its way out"}')],
  ]),
};

test('a pack is read as it was written', () => {
  expect(decodePack(encodePack(pack))).toEqual(pack);
  const empty = { isFull: false, entries: new Map() };
  expect(decodePack(encodePack(empty))).toEqual(empty);
});

test('its bytes are no more than they were said to be', () => {
  const said = bytesOfPack(pack);
  const { length } = encodePack(pack);
  expect(length).toBeLessThanOrEqual(said);
  expect(said - length).toBeLessThan(16);
});

const hash = Buffer.alloc(32, 7);
test.each([
  ['of another form', [2, 0]],
  ['neither full nor not', [1, 2]],
  ['with half an entry', [1, 0, hash, 1n, 1]],
  ['with a short hash', [1, 0, hash.subarray(1), 1n, 1, LIVE, '{}']],
  ['with a kind that nobody knows', [1, 0, hash, 1n, 1, 3, '{}']],
  ['with a live record without a text', [1, 0, hash, 1n, 1, LIVE, '']],
  ['with a deleted record with a text', [1, 0, hash, 1n, 1, DELETED, '{}']],
  ['with a time behind all times', [1, 0, hash, 2n ** 50n, 1, LIVE, '{}']],
  ['with a salt of four bytes', [1, 0, hash, 1n, 0x1000000, LIVE, '{}']],
  ['with a text for a number', [1, 0, hash, '1', 1, LIVE, '{}']],
  ['that is no list', { isFull: true }],
])('bytes %s are no pack', (_, value) => {
  expect(decodePack(new Uint8Array(encode(value)))).toBeNull();
});

test('no shortened pack is a pack, and none with a byte more', () => {
  const bytes = encodePack(pack);
  for (let end = 0; end < bytes.length; end++)
    expect(decodePack(bytes.subarray(0, end))).toBeNull();
  expect(decodePack(new Uint8Array([...bytes, 0]))).toBeNull();
});

describe('the way of a record', () => {
  test('is two bits of its hash for each level, as other clients count them', () => {
    for (let n = 0; n < 7; n++) {
      for (let level = 0; level < LEVELS; level++) {
        const id = packIdOf(idOf(n), level);
        expect(id).toBe(packIdAt(idOf(n), level));
        expect(levelOf(id)).toBe(level);
      }
    }
  });

  test.each(['h-x', 'p', 'p-4', `p-${'0'.repeat(LEVELS)}`, 'epoch', 'xp-1'])(
    '%s is no pack on it',
    (id) => expect(levelOf(id)).toBeNull(),
  );

  test('is of hashed ids alone', () => {
    expect(() => packIdOf('one', 1)).toThrow(TypeError);
  });
});

test('a version says the level, and is no stamp of a server', () => {
  const version = versionOf(11, entry(LIVE, '{}'));
  expect(version).toBe('11.1795000000000.11259375');
  expect(placeOfVersion(version)).toEqual({
    ...{ level: 11, writtenMs: 1_795_000_000_000, salt: 0xabcdef },
  });
  for (const other of [null, '', '1795000000000', '!1.2', '1.2', '1.2.3.4', 'a.1.1']) {
    expect(placeOfVersion(other)).toBeNull();
  }
});

test('a salt has three bytes', () => {
  expect(saltOf(new Uint8Array([1, 2, 3]))).toBe(0x010203);
});
