// What is in a record that has been opened.

import { expect, test } from 'vitest';
import { bodyOf } from './body-of.ts';

const read = (text: string, bytesMax = 1_000_000) => bodyOf(text, async () => undefined, bytesMax);

test('an object is its members, whatever they are called', async () => {
  expect(await read('{"a":1,"__proto__":2}')).toEqual(JSON.parse('{"a":1,"__proto__":2}'));
  const long = { text: 'x'.repeat(100_000) };
  expect(await read(JSON.stringify(long))).toEqual(long);
});

test('what is none has a code', async () => {
  expect(await read('{"a":')).toBe('badJson');
  expect(await read(`{"a":"${'x'.repeat(100_000)}`)).toBe('badJson');
  expect(await read('[1]')).toBe('notAnObject');
  expect(await read('null')).toBe('notAnObject');
  expect(await read(`{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`)).toBe('tooLarge');
  expect(await read(`{"a":[${'{},'.repeat(20_000)}{}]}`, 10_000)).toBe('tooLarge');
});
