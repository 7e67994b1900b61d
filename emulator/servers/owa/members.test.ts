import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HttpError } from '../http.ts';
import { OWA_LIMITS, type OwaLimits } from './limits.ts';
import { type Member, MemberSplitter, membersIn, memberText } from './members.ts';

/** The members of a text that comes in pieces of so many characters. */
function split(text: string, chars = 7, limits: Partial<OwaLimits> = {}): Member[] {
  const splitter = new MemberSplitter({ ...OWA_LIMITS, ...limits });
  const members: Member[] = [];
  for (let at = 0; at < text.length; at += chars)
    members.push(...splitter.push(text.slice(at, at + chars)));
  splitter.end();
  return members;
}

function refusalOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    if (error instanceof HttpError) return [error.status, error.json];
    throw error;
  }
  return null;
}

const JSON_TEXT = fc.json({ maxDepth: 4, noUnicodeString: false } as object);

test('an object falls into its members, wherever its pieces end', () => {
  const texts = fc.dictionary(fc.string(), JSON_TEXT);
  const falls = fc.property(texts, fc.integer({ min: 1, max: 40 }), fc.boolean(), (...given) => {
    const [object, chars, isSpaced] = given;
    const blank = isSpaced ? ' \n\t\r' : '';
    const members = Object.entries(object).map(([name, text]) => ({ name, text }));
    const inside = members.map(
      ({ name, text }) => `${blank}${JSON.stringify(name)}${blank}:${blank}${text}${blank}`,
    );
    const whole = `${blank}{${inside.join(',')}}${blank}`;
    expect(split(whole, chars)).toEqual(
      members.map(({ name, text }) => ({ name, text: text.trim() })),
    );
  });
  fc.assert(falls);
});

test('numbers stay as they were written, and a name that is there twice too', () => {
  const text = '{"a":1.2570,"\\u0061":12345678901234567890,"__proto__":{"b":1e400}}';
  const members = membersIn(text);
  expect(members.map(({ name }) => name)).toEqual(['a', 'a', '__proto__']);
  expect(`{${members.map(memberText).join(',')}}`).toBe(text.replace('\\u0061', 'a'));
});

describe('what is no object of JSON', () => {
  test.each([...['', ' ', '{', '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":"}']])(
    '%s breaks off',
    (text) => {
      expect(refusalOf(() => split(text))).toMatchObject([400, { error: 'bad-json' }]);
    },
  );

  test.each([
    ...['{,}', '{"a":1,}', '{"a"}', '{a:1}', '{"a":01}', "{'a':1}", '{"a":}', '{:1}', '{"a" 1}'],
    ...['{"a":[}]}', '{"a":1}}', '{}{}', '{"a":1}x', '{"a":tru}', '{"a":NaN}', '{"a":"\n"}'],
    ...['{"a":\u00a01}', '{1:1}', '{"a":1 2}', '{"a":"\\x"}', '{"\\":1}', '{,"a":1}'],
  ])('%s is refused', (text) => {
    expect(refusalOf(() => split(text))).toMatchObject([400, { error: 'bad-json' }]);
  });

  test.each(['[]', '1', 'null', '"{}"', '\u00a0{}', 'x'])('%s is no object', (text) => {
    expect(refusalOf(() => split(text))).toEqual([400, { error: 'not-an-object' }]);
  });
});

describe('a limit', () => {
  test('is of an entry, in UTF-8, wherever its pieces end', () => {
    const limits = { entryBytesMax: 10 };
    for (const chars of [1, 3, 1_000]) {
      expect(split('{"a":"12345678"}', chars, limits)).toHaveLength(1);
      for (const text of ['{"a":"123456789"}', '{"a":"ääää1"}'])
        expect(refusalOf(() => split(text, chars, limits))).toEqual([
          413,
          { error: 'too-large', field: 'entry', limit: 10, name: 'a' },
        ]);
    }
  });

  test('is of what never ends, before it has come', () => {
    const splitter = new MemberSplitter(OWA_LIMITS);
    splitter.push('{"a":"');
    let pieces = 0;
    const push = () => {
      for (; pieces < 1_000; pieces++) splitter.push('x'.repeat(1_024));
    };
    expect(refusalOf(push)).toEqual([413, { error: 'too-large', field: 'entry', limit: 65_536 }]);
    expect(pieces).toBeLessThan(80);
    expect(refusalOf(() => split(`{${' '.repeat(200_000)}}`, 999))).toMatchObject([413, {}]);
  });

  test('is of a name', () => {
    const named = (chars: number) => `{"${'n'.repeat(chars)}":1}`;
    expect(split(named(2_048))).toHaveLength(1);
    expect(refusalOf(() => split(named(2_049)))).toEqual([
      413,
      { error: 'too-large', field: 'name', limit: 2_048 },
    ]);
  });

  test('is of nesting, a million levels deep or one', () => {
    const nested = (levels: number) => `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    expect(split(nested(63))).toHaveLength(1);
    for (const text of [nested(64), `{"a":${'{"a":'.repeat(1e6)}`])
      expect(refusalOf(() => split(text, 65_536))).toEqual([
        400,
        { error: 'too-deep', field: 'nesting', limit: 64 },
      ]);
  });
});
