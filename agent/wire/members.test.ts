import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMembers, type MemberPart } from './members.ts';

/** Name and text of each member of a document that comes in these pieces. */
function membersOf(pieces: readonly string[], nameCharsMax = 50): [string, string][] {
  const members = createMembers(nameCharsMax, 4);
  const parts: MemberPart[] = [];
  for (const piece of pieces) members.push(piece, parts);
  members.end();
  const found: [string, string][] = [];
  for (const part of parts) {
    if ('name' in part) found.push([part.name, '']);
    else found.splice(-1, 1, [found.at(-1)?.[0] ?? '', (found.at(-1)?.[1] ?? '') + part.text]);
  }
  return found;
}

describe('an object that is taken apart while it arrives', () => {
  test.each([
    ['{}', []],
    [' \n{ \t} \r\n', []],
    ['{"a":1}', [['a', '1']]],
    [
      '{"a" : 1 , "a":[2,{"b":3}]}',
      [
        ['a', ' 1 '],
        ['a', '[2,{"b":3}]'],
      ],
    ],
    [
      '{"":"","__proto__":null}',
      [
        ['', '""'],
        ['__proto__', 'null'],
      ],
    ],
    ['{"q\\"\\u00e9":"},:\\\\"}', [['q"é', '"},:\\\\"']]],
  ])('has its members as they were written: %s', (text, members) => {
    for (let at = 0; at <= text.length; at++) {
      expect(membersOf([text.slice(0, at), text.slice(at)])).toEqual(members);
    }
  });

  test('gives all of any object, wherever it is cut', () => {
    const cuts = fc.array(fc.nat(200), { maxLength: 8 });
    const values = fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }));
    fc.assert(
      fc.property(values, cuts, fc.constantFrom(0, 1), (object, at, indent) => {
        const text = JSON.stringify(object, null, indent);
        const places = [0, ...at.sort((a, b) => a - b), text.length];
        const pieces = places.slice(1).map((end, index) => text.slice(places[index], end));
        const found = membersOf(pieces).map(([name, value]) => [name, JSON.parse(value)]);
        expect(found).toEqual(
          Object.entries(object).map(([n, v]) => [n, JSON.parse(JSON.stringify(v))]),
        );
      }),
    );
  });

  test('holds nothing of a value: it is there as soon as it came', () => {
    const parts: MemberPart[] = [];
    const members = createMembers(50, 4);
    members.push('{"a":"xx', parts);
    members.push('yy', parts);
    members.push('"}', parts);
    expect(parts).toEqual([
      { name: 'a' },
      { text: '"xx', isLast: false },
      { text: 'yy', isLast: false },
      { text: '"', isLast: true },
    ]);
  });

  test.each([
    '[]',
    'null',
    '"{}"',
    '{1:2}',
    '{"a"}',
    '{"a",',
    '{,',
    '{"a":1,}',
    '{"a":1]',
    '{]',
    '{"a":1}{',
    '{}x',
    '<html>',
    `{"${'x'.repeat(60)}":1}`,
    '{"a":[[[[[1]]]]]}',
  ])('is refused where it is none, or more than is allowed: %s', (text) => {
    expect(() => membersOf([text])).toThrow(expect.objectContaining({ code: 'badResponse' }));
  });

  test('what is too much of it is named, with its limit', () => {
    const why = (text: string, message: string) => expect(() => membersOf([text])).toThrow(message);
    why(`{"${'x'.repeat(60)}":1}`, 'a name in the document has more than 50 characters');
    why('{"a":[[[[[1]]]]]}', 'JSON nests deeper than 4');
  });

  test.each(['', ' ', '{', '{"a', '{"a":', '{"a":"}', '{"a":1', '{"a":1,'])(
    'is truncated where it has no end: %s',
    (text) => {
      expect(() => membersOf([text])).toThrow(expect.objectContaining({ code: 'truncated' }));
    },
  );
});
