// The sealed lists' CBOR against a general codec, and against damage.

import { fc, test } from '@fast-check/vitest';
import { decode, encode } from 'cbor-x';
import { describe, expect } from 'vitest';
import { type CborValue, decodeCbor, encodeCbor } from './cbor.ts';

const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ minLength: 200, maxLength: 400 }),
  fc.maxSafeNat(),
  fc.uint8Array({ maxLength: 300 }),
);
const values = fc.array(value, { maxLength: 30 });

const plain = (list: readonly unknown[]): unknown[] =>
  list.map((item) => {
    if (item instanceof Uint8Array) return [...item];
    return typeof item === 'bigint' ? Number(item) : item;
  });

describe('a sealed list as CBOR', () => {
  test.prop([values])('comes back as it was', (list) => {
    expect(plain(decodeCbor(encodeCbor(list)))).toEqual(plain(list));
  });

  test.prop([values])('is read by a general codec', (list) => {
    expect(plain(decode(encodeCbor(list)) as unknown[])).toEqual(plain(list));
  });

  test.prop([fc.array(fc.oneof(fc.string(), fc.nat()), { maxLength: 30 })])(
    'is read when a general codec wrote it',
    (list) => {
      expect(decodeCbor(new Uint8Array(encode(list)))).toEqual(list);
    },
  );

  test.prop([values, fc.nat()])(
    'is refused when it is cut short or has more behind it',
    (list, at) => {
      const bytes = encodeCbor(list);
      const cut = bytes.slice(0, at % bytes.length);
      const more = Uint8Array.from([...bytes, 0]);
      expect(() => decodeCbor(cut)).toThrow('badSeal');
      expect(() => decodeCbor(more)).toThrow('badSeal');
    },
  );

  test.prop([fc.uint8Array({ maxLength: 64 })])(
    'never yields anything else than a list',
    (bytes) => {
      let list: CborValue[] = [];
      try {
        list = decodeCbor(bytes);
      } catch (error) {
        expect(String(error)).toContain('badSeal');
      }
      expect(Array.isArray(list)).toBe(true);
    },
  );
});
