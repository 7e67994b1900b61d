import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Kind, PropertyValue } from './card.ts';
import { readParam, readValue, writeParam, writeValue } from './escapes.ts';

describe('a value', () => {
  test.each<[Kind, string, PropertyValue, PropertyValue]>([
    ['text', 'a\\,b\\;c\\nd\\Ne\\\\n\\:;,\\', 'a,b;c\nd\ne\\n:;,\\', 'a,b;c\\nd\\Ne\\n:;,\\'],
    ['list', 'a\\,b,c,', ['a,b', 'c', ''], ['a,b', 'c', '']],
    ['structure', 'a;b\\;,c\\,d;;', ['a', ['b;', 'c,d'], '', ''], ['a', 'b;,c,d', '', '']],
    ['uri', 'http\\://a/\\,;,', 'http://a/,;,', 'http://a/,;,'],
    ['raw', 'a;b\\;c,\\n', 'a;b\\;c,\\n', 'a;b\\;c,\\n'],
  ])('of kind %s is read, of version 3.0 and of 2.1', (kind, written, value, old) => {
    expect(readValue(kind, written, false)).toEqual(value);
    expect(readValue(kind, written, true)).toEqual(old);
  });

  test('is decoded after it is taken apart', () => {
    const decode = (text: string): string => text.replace('=3B', ';');
    expect(readValue('structure', 'a=3Bb;c', true, decode)).toEqual(['a;b', 'c']);
    expect(readValue('raw', 'a', false, () => 'b\r\nc\nd')).toBe('b\\nc\\nd');
  });

  test('that is written is read again', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '\\', ',', ';', ':', '\n', 'n', 'ë', '"'),
    });
    const lists = fc.array(text, { minLength: 2, maxLength: 3 });
    const some = { minLength: 1, maxLength: 4 };
    const cases: [Kind, fc.Arbitrary<PropertyValue>][] = [
      ['text', text],
      ['uri', text],
      ['list', fc.array(text, some)],
      ['structure', fc.array(fc.oneof(text, lists), some)],
    ];
    for (const [kind, values] of cases) {
      fc.assert(
        fc.property(values, fc.boolean(), (value, isText) => {
          const written = writeValue(kind, value, isText);
          expect(written).not.toMatch(/[\r\n]/);
          expect(readValue(kind, written, false)).toEqual(value);
        }),
      );
    }
    expect(writeValue('raw', 'a;\\n\r\nb')).toBe('a;\\n\\nb');
    expect(writeValue('uri', 'http://a/,;')).toBe('http://a/,;');
    expect(writeValue('uri', 'Ann, Bea', true)).toBe('Ann\\, Bea');
  });
});

test('a parameter has quotes where it needs them, and signs for what quotes cannot hold', () => {
  expect(writeParam('a,b')).toBe('"a,b"');
  expect(writeParam('a"b^\nc\r\n')).toBe("a^'b^^^nc^n");
  expect(readParam('^a^')).toBe('^a^');
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('^', 'n', "'", '"', '\n', ';') }), (value) => {
      expect(readParam(writeParam(value).replace(/^"|"$/g, ''))).toBe(value);
    }),
  );
});
