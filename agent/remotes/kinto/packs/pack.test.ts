// A pack as bytes, and the way of a record down the tree of packs.

import { decodeMultiple, encode } from 'cbor-x';
import { describe, expect, test } from 'vitest';
import { packIdAt } from '../../../../test/support/kinto-packs.ts';
import {
  ALONE,
  bytesOfPack,
  DELETED,
  decodePack,
  encodePack,
  isOlder,
  LEVELS,
  LIVE,
  levelOf,
  type PackEntry,
  packIdOf,
  placeOfVersion,
  saltOf,
  versionOf,
} from './pack.ts';
import { piecesOf } from './texts.ts';

const idOf = (n: number): string => `h-${Buffer.alloc(32, n * 37 + 1).toString('base64url')}`;
const entry = (kind: PackEntry['kind'], text: string): PackEntry => ({
  ...{ writtenMs: 1_795_000_000_000, salt: 0xabcdef, kind, ...piecesOf(text) },
});
const NUMBERS = '0 1795000000000 11259375';
/** Two pieces: no character is cut. */
const MIXED = `{"id":"a fünf, another part","n":"${'plain '.repeat(15)}€, and its end"}`;
const pack = {
  isFull: true,
  entries: new Map([
    [idOf(1), entry(LIVE, MIXED)],
    [idOf(2), entry(DELETED, '')],
    [idOf(3), entry(ALONE, '')],
    [idOf(4), entry(ALONE, '{"id":"on its way out"}')],
  ]),
};

test('a pack is read as it was written', () => {
  expect(decodePack('p-2', encodePack('p-2', pack))).toEqual(pack);
  const empty = { isFull: false, entries: new Map() };
  expect(decodePack('p-', encodePack('p-', empty))).toEqual(empty);
});

test('a CBOR library reads it, and what the library has written is a pack', () => {
  const text = encodePack('p-2', pack);
  const items = decodeMultiple(Buffer.from(text)) as string[];
  expect(items.slice(0, 4)).toEqual(['p-2'.padEnd(16), '1 1', idOf(1).slice(2), `${NUMBERS} 2`]);
  const written = Buffer.concat(items.map((item) => Buffer.from(encode(item)))).toString('utf8');
  expect(written).toBe(text);
});

test.each([
  ['of one byte a character', 'x', 127],
  ['of two bytes', 'ü', 63],
  ['of three bytes', '\u20ac', 42],
  ['of four bytes', '\u{1f600}', 31],
])('a text %s is kept in pieces, whatever its length', (_, char, perItem) => {
  for (let count = 1; count < 300; count += count < 140 ? 1 : 37) {
    const one = { isFull: false, entries: new Map([[idOf(1), entry(LIVE, char.repeat(count))]]) };
    const text = encodePack('p-', one);
    expect(decodePack('p-', text)).toEqual(one);
    const items = decodeMultiple(Buffer.from(text)) as string[];
    expect(items).toHaveLength(4 + Math.ceil(count / perItem));
    expect(Buffer.from(text).length).toBeLessThanOrEqual(bytesOfPack(one));
  }
});

test('its bytes are no more than they were said to be, and not much less', () => {
  const said = bytesOfPack(pack);
  const { length } = Buffer.from(encodePack('p-2', pack));
  expect(length).toBeLessThanOrEqual(said);
  expect(said - length).toBeLessThan(20 * pack.entries.size);
});

test('every pack begins with a block of AES that is of its id alone', () => {
  for (const id of ['p-', 'p-0', `p-${'3'.repeat(LEVELS - 1)}`]) {
    const beginning = encodePack(id, pack).slice(0, 17);
    expect(beginning).toBe(`p${id.padEnd(16)}`);
    expect(decodePack(id, `q${encodePack(id, pack).slice(1)}`)).toBeNull();
  }
  expect(decodePack('p-', encodePack('p-0', pack))).toBeNull();
});

const HASH = idOf(1).slice(2);
test.each([
  ['of another form', ['2 0']],
  ['neither full nor not', ['1 2']],
  ['without a form', []],
  ['with half an entry', ['1 0', HASH]],
  ['with fewer pieces than it says', ['1 0', HASH, '0 1 1 2', '{}']],
  ['with a short hash', ['1 0', HASH.slice(1), '0 1 1 1', '{}']],
  ['with a kind that nobody knows', ['1 0', HASH, '3 1 1 1', '{}']],
  ['with a live record without a text', ['1 0', HASH, '0 1 1 0']],
  ['with a deleted record with a text', ['1 0', HASH, '1 1 1 1', '{}']],
  ['with a time behind all times', ['1 0', HASH, '0 999999999999999 1 1', '{}']],
  ['with a salt of four bytes', ['1 0', HASH, '0 1 16777216 1', '{}']],
  ['with numbers that are none', ['1 0', HASH, '0 x 1 1', '{}']],
  ['with three numbers', ['1 0', HASH, '0 1 1', '{}']],
])('texts %s are no pack', (_, texts) => {
  const items = ['p-'.padEnd(16), ...texts].map((item) => Buffer.from(encode(item)));
  expect(decodePack('p-', Buffer.concat(items).toString('utf8'))).toBeNull();
});

test.each([
  ['a number', '\x01'],
  ['a text of 24 bytes that says so in one', `${'\x78\x17'}${'x'.repeat(23)}`],
  ['a longer text than there is', '\x63ab'],
  ['a text of more than 127 bytes', `\x78\x80${'x'.repeat(128)}`],
  ['a text that ends within a character', '\x61ü'],
])('CBOR with %s is no pack', (_, end) => {
  expect(decodePack('p-', `${encodePack('p-', pack)}${end}`)).toBeNull();
});

test('no shortened pack is the whole one', () => {
  const text = encodePack('p-', pack);
  for (let end = 0; end < text.length; end++) {
    expect(decodePack('p-', text.slice(0, end))?.entries.size ?? 0).toBeLessThan(4);
  }
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

test('a version is older by its time, and in a pack than alone', () => {
  const OLDER: readonly [version: string, known: string][] = [
    ['0.5.9', '0.6.1'],
    ['1.5.1', '0.6.1'],
    ['0.5.1', '4'],
    ['3', '4'],
  ];
  for (const [version, known] of OLDER) {
    expect([isOlder(version, known), isOlder(known, version)], version).toEqual([true, false]);
  }
  for (const same of ['0.5.1', '4']) expect(isOlder(same, same)).toBe(false);
  // Of two that were written at one time, and of what did not open, nobody knows.
  expect([isOlder('0.5.1', '0.5.2'), isOlder('!0.4', '0.5.1'), isOlder('!0.4', '5')]).toEqual([
    ...[false, false, false],
  ]);
});
