import { describe, expect, test } from 'vitest';
import { contentLine } from './content-line.ts';

const parse = (text: string, isOld = false) => {
  const { line, params, ...rest } = contentLine({ line: 7, text }, isOld);
  return { ...rest, params: Object.fromEntries(params) };
};

describe('a content line', () => {
  test('has a group, a name, parameters and a value', () => {
    expect(parse('Item1.Tel;Type=HOME,Cell;type=PREF;X-A="b;c:d,e",f;X-B=:+1:2')).toEqual({
      group: 'Item1',
      name: 'tel',
      params: { type: ['home', 'cell', 'pref'], 'x-a': ['b;c:d,e', 'f'], 'x-b': [''] },
      written: '+1:2',
    });
    expect(parse('NOTE:')).toMatchObject({ name: 'note', params: {}, written: '' });
    expect(parse('TEL;TYPE="voice,home":1').params).toEqual({ type: ['voice', 'home'] });
  });

  test('may have parameters without a name', () => {
    expect(parse('PHOTO;JPEG;BASE64;:x', true).params).toEqual({
      type: ['jpeg'],
      encoding: ['BASE64'],
    });
    expect(parse('A;quoted-printable;URL;8BIT:x', true).params).toEqual({
      encoding: ['quoted-printable', '8BIT'],
      value: ['URL'],
    });
  });

  test('has signs of RFC 6868 in its parameters, in version 2.1 none', () => {
    expect(parse("A;L=a^nb^'^^:x").params).toEqual({ l: ['a\nb"^'] });
    expect(parse('A;L=a^n:x', true).params).toEqual({ l: ['a^n'] });
  });

  test('keeps bytes of other letters as they are', () => {
    expect(parse('A;TYPE=\u00c3\u0084B:x').params).toEqual({ type: ['\u00c3\u0084b'] });
  });

  test.each([
    ['no colon', 'no property: "no colon"'],
    ['', 'no property: ""'],
    [`${'x'.repeat(50)} y`, `no property: "${'x'.repeat(40)}"`],
    [':x', 'no property: ":x"'],
    ['TEL;TYPE=HOME', 'no ":" behind TEL and its parameters'],
    ['TEL;TYPE="HOME:1', 'no ":" behind TEL and its parameters'],
    [`${'N'.repeat(65)}:x`, 'a name of 65 characters, at most 64'],
  ])('that is none is told: %s', (text, message) => {
    expect(() => parse(text)).toThrow(message);
    expect(() => parse(text)).toThrow(expect.objectContaining({ line: 7 }));
  });

  test('is read in a time that grows with its length', () => {
    const long = `A${';X="a"b'.repeat(20_000)}`;
    const fromMs = performance.now();
    expect(() => parse(long)).toThrow();
    expect(() => parse(`A${';'.repeat(100_000)}`)).toThrow();
    expect(() => parse('x'.repeat(1_000_000))).toThrow();
    expect(performance.now() - fromMs).toBeLessThan(2_000);
  });
});
