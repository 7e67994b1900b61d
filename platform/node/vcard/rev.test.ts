import { expect, test } from 'vitest';
import { instantOf, revOf } from './rev.ts';

const TIME_MS = Date.UTC(2012, 2, 4, 5, 6, 7);

test.each([
  ['20120304T050607Z', TIME_MS],
  ['2012-03-04T05:06:07Z', TIME_MS],
  ['2012-03-04T05:06:07.25Z', TIME_MS + 250],
  ['2012-03-04T05:06:07', TIME_MS],
  ['20120304T070607+0200', TIME_MS],
  ['20120304T070607+02', TIME_MS],
  ['2012-03-04T03:36:07-01:30', TIME_MS],
  ['2012-03-04', Date.UTC(2012, 2, 4)],
  ['20121304T050607Z', null],
  ['yesterday', null],
  ['19121304', null],
  ['1912-03-04', null],
  ['', null],
])('%s', (text, timeMs) => {
  expect(instantOf(text)).toBe(timeMs);
});

test('a time is written as each version has it', () => {
  expect(instantOf(['2012'])).toBeNull();
  expect(revOf(TIME_MS, true)).toBe('2012-03-04T05:06:07Z');
  expect(revOf(TIME_MS, false)).toBe('20120304T050607Z');
  expect(instantOf(revOf(TIME_MS + 5, true))).toBe(TIME_MS + 5);
  expect(instantOf(revOf(TIME_MS + 5, false))).toBe(TIME_MS);
});
