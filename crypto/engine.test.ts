import { expect, test } from 'vitest';
import { isEngineFailure, jsonOf } from './engine.ts';

test('a text that is no JSON has no value', () => {
  expect(['', '{', 'undefined', '{"a":1}', 'null'].map(jsonOf)).toEqual([
    undefined,
    undefined,
    undefined,
    { a: 1 },
    null,
  ]);
});

test('what the engine throws while it parses is no word about the text', () => {
  const parse = JSON.parse;
  const refused = Object.assign(new Error('out of memory'), { name: 'InternalError' });
  JSON.parse = () => {
    throw refused;
  };
  try {
    expect(() => jsonOf('{}')).toThrow(refused);
  } finally {
    JSON.parse = parse;
  }
});

test('an engine without memory throws its own kinds of errors, or what is none', () => {
  const inQuickJs = Object.assign(new Error('out of memory'), { name: 'InternalError' });
  for (const thrown of [
    inQuickJs,
    new RangeError('Invalid string length'),
    null,
    'out of memory',
  ]) {
    expect(isEngineFailure(thrown)).toBe(true);
  }
  for (const thrown of [new TypeError('x'), new SyntaxError('x'), new Error('x'), undefined, 'x']) {
    expect(isEngineFailure(thrown)).toBe(false);
  }
});
