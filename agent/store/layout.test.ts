import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeId, isRecordId, KEY_ID_CHARS_MAX } from '../collections/record-id.ts';
import { collectionKeys, idOfIndexKey, rangeEnd, unescapeId } from './layout.ts';

const KEY = /^[!-~]{1,240}$/;
const PRINTABLE = Array.from({ length: 95 }, (_, at) => String.fromCharCode(0x20 + at));
const recordId = fc
  .string({ unit: fc.constantFrom(...PRINTABLE, '%', '!', ' ', '.', '/'), maxLength: 64 })
  .filter(isRecordId);
/** What `Collection.index` promises. */
const suffix = fc.string({
  unit: fc.constantFrom(...PRINTABLE.slice(2, -1)),
  minLength: 1,
  maxLength: 101,
});
const place = fc.record({
  generation: fc.nat(1_000_000).map((n) => n.toString(36)),
  letter: fc.constantFrom('h', 'p', 'b'),
});

function isInside(key: string, prefix: string): boolean {
  return key >= prefix && key < rangeEnd(prefix);
}

describe('a record id', () => {
  test('is 1 to 64 printable ASCII characters', () => {
    for (const id of ['a', '{0-9}', '-_', ' ', '__proto__', '~'.repeat(64)]) {
      expect(isRecordId(id), id).toBe(true);
    }
    for (const id of [
      '',
      '.',
      '..',
      'é',
      '\n',
      '\x7f',
      '\x00',
      'a'.repeat(65),
      7,
      null,
      undefined,
      {},
    ]) {
      expect(isRecordId(id), String(id)).toBe(false);
    }
  });

  test('that no key could hold when it is escaped is none', () => {
    expect(escapeId('%'.repeat(33)).length).toBeLessThanOrEqual(KEY_ID_CHARS_MAX);
    expect(isRecordId('%'.repeat(33))).toBe(true);
    expect(isRecordId('%'.repeat(34))).toBe(false);
  });

  test.each(PRINTABLE)('with %j in it comes back from every kind of key', (character) => {
    for (const id of [character, `a${character}`, `${character}${character}z`]) {
      const keys = collectionKeys('1z', 'h');
      expect(unescapeId(escapeId(id))).toBe(id);
      expect(unescapeId(keys.record(id).slice(keys.record().length))).toBe(id);
      expect(unescapeId(keys.outbox(id).slice(keys.outbox().length))).toBe(id);
      expect(idOfIndexKey(keys.index('uhttps://a/', id))).toBe(id);
      for (const key of [keys.record(id), keys.outbox(id), keys.quarantine(id)]) {
        expect(key).toMatch(KEY);
      }
    }
  });

  test('comes back whatever it is, and no two share a key', () => {
    fc.assert(
      fc.property(recordId, recordId, suffix, (a, b, entry) => {
        const keys = collectionKeys('0', 'p');
        expect(unescapeId(escapeId(a))).toBe(a);
        expect(idOfIndexKey(keys.index(entry, a))).toBe(a);
        expect(keys.index(entry, a)).toMatch(KEY);
        expect(keys.record(a) === keys.record(b)).toBe(a === b);
      }),
    );
  });
});

describe('the ranges of keys', () => {
  test('hold their own collection and generation, and nothing of any other', () => {
    fc.assert(
      fc.property(place, place, recordId, suffix, (a, b, id, entry) => {
        const [mine, theirs] = [a, b].map((p) => collectionKeys(p.generation, p.letter));
        if (mine === undefined || theirs === undefined) return;
        const isSame = a.generation === b.generation && a.letter === b.letter;
        const kinds = [
          [mine.record(), theirs.record(id)],
          [mine.outbox(), theirs.outbox(id)],
          [mine.quarantine(), theirs.quarantine(id)],
          [mine.indexes, theirs.index(entry, id)],
        ] as const;
        for (const [at, [prefix]] of kinds.entries()) {
          for (const [other, [, key]] of kinds.entries()) {
            expect(isInside(key, prefix)).toBe(isSame && at === other);
          }
          expect(isInside(theirs.cursor, prefix)).toBe(false);
        }
        const everything = `${a.generation}.`;
        for (const key of [theirs.cursor, theirs.record(id), theirs.index(entry, id)]) {
          expect(isInside(key, everything)).toBe(a.generation === b.generation);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('go on behind one key with everything that comes after it', () => {
    fc.assert(
      fc.property(recordId, recordId, (a, b) => {
        const keys = collectionKeys('0', 'h');
        const isBehind = keys.record(b) >= `${keys.record(a)}!`;
        expect(isBehind).toBe(keys.record(b) > keys.record(a));
      }),
    );
  });
});
