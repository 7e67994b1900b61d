// When an entry was changed, as it is written and as a time.

import { expect, it, test } from 'vitest';
import { stampIn, stampMs } from './stamp.ts';

it.each([
  ['{"last_modified":1316560000.2500}', '1316560000.2500'],
  ['{ "a" : {"last_modified":1}, "last_modified" : 2 , "b":[{"last_modified":3}] }', '2'],
  ['{"last_modified":1,"last_modified":2}', '2'],
  ['{"last\\u005fmodified":5}', '5'],
  ['{"x":"\\",\\"last_modified\\":9"}', 'none'],
  ['{"last_modified":"1316560000.25"}', '1316560000.25'],
  ['{"last_modified":1.5e9}', '1.5e9'],
  ['{"last_modified":"yesterday"}', 'none'],
  ['{"last_modified":null}', 'none'],
  ['{"last_modified":[1]}', 'none'],
  ['{}', 'none'],
  ['[1,2]', 'none'],
  ['"last_modified"', 'none'],
  ['7', 'none'],
])('%s was changed at %s', (text, stamp) => {
  expect(stampIn(text)).toBe(stamp);
});

test('O62: milliseconds of old clients are the times that they mean', () => {
  expect(stampMs('1316560000257')).toBe(1_316_560_000_257);
  expect(stampMs('1316560000.257')).toBe(1_316_560_000_257);
});

test('no time is before 1970 or behind the year 3000', () => {
  expect(['none', '-7', '0', '1e300', '90000000000'].map(stampMs)).toEqual([
    ...[0, 0, 0],
    ...[32_503_680_000_000, 32_503_680_000_000],
  ]);
});
