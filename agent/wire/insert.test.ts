import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { withMembers } from './insert.ts';

const ADDED = [['new', { version: 1 }]] as const;

describe('members put into an object of a JSON text', () => {
  test.each([
    ['{"a":1,"o":{"x":1.0}}', '{"a":1,"o":{"new":{"version":1},"x":1.0}}'],
    ['{ "o" : { } , "a":1e2}', '{ "o" : {"new":{"version":1} } , "a":1e2}'],
    [
      '{"a":{"o":{}},"b":["o",{"o":{}}],"o":{"x":[]}}',
      '{"a":{"o":{}},"b":["o",{"o":{}}],"o":{"new":{"version":1},"x":[]}}',
    ],
    ['{"\\u006f":{"x":"\\u00e9"}}', '{"\\u006f":{"new":{"version":1},"x":"\\u00e9"}}'],
    ['{"o":{"first":1},"o":{"last":1}}', '{"o":{"first":1},"o":{"new":{"version":1},"last":1}}'],
    ['{"a":"\\"o\\":{"}', '{"o":{"new":{"version":1}},"a":"\\"o\\":{"}'],
    ['{}', '{"o":{"new":{"version":1}}}'],
  ])('leave the rest of %s as it is', (text, right) => {
    expect(withMembers(text, 'o', ADDED)).toBe(right);
  });

  test.each(['{"o":null}', '{"o":[{}]}', '{"o":"{"}', '{"o": 7 ,"a":{}}'])(
    'are none where something else is: %s',
    (text) => {
      expect(withMembers(text, 'o', ADDED)).toBeNull();
    },
  );

  const names = fc.oneof(fc.constantFrom('o', '__proto__', '"', '\\', '{'), fc.string());
  const anything = fc.jsonValue({ maxDepth: 3 });
  const object = fc
    .array(fc.tuple(names, anything))
    .map((members) => Object.fromEntries(members) as { readonly [name: string]: unknown });

  test('are all that a parser finds changed', () => {
    fc.assert(
      fc.property(object, object, fc.nat(2), names, (outer, inner, indent, key) => {
        const before = { ...outer, o: inner };
        const text = withMembers(JSON.stringify(before, null, indent), 'o', [[key, { a: 1 }]]);
        const after = JSON.parse(text ?? '');
        const right = {
          ...before,
          o: Object.fromEntries([[key, { a: 1 }], ...Object.entries(inner)]),
        };
        expect(after).toEqual(JSON.parse(JSON.stringify(right)));
      }),
    );
  });
});
