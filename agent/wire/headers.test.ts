import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Header } from '../../platform/ports.ts';
import { STAMP_MS_MAX, WAIT_MS_MAX, WAIT_MS_MIN } from '../limits.ts';
import {
  dateHeaderMs,
  decimalHeader,
  etagMs,
  header,
  headerMs,
  httpDateMs,
  secondsMs,
  waitHeader,
} from './headers.ts';

const NOW_MS = 1_795_330_000_000;

const wait = (value: string) => waitHeader([['retry-after', value]], 'retry-after', NOW_MS);
const etag = (value: string) => etagMs([['etag', value]]);
const decimal = (value: string) => decimalHeader([['x', value]], 'x');

/** What a careless or hostile server may write where a number is expected. */
const NASTY = [
  ...['', ' ', 'NaN', 'Infinity', '-1', '+1', '1e9', '0x10', '1,5', '1.', '.5', '--', '1 2', '٣'],
  ...['9'.repeat(16), '9'.repeat(400), '1.0000000001', 'null', '[]', '\u0000', '1\n2', '-0'],
];

test('a header is found by its lower-case name; the first of several counts', () => {
  const headers: Header[] = [
    ['a', '1'],
    ['b', '2'],
    ['b', '3'],
  ];
  expect([header(headers, 'b'), header(headers, 'B'), header(headers, 'c')]).toEqual([
    '2',
    null,
    null,
  ]);
  expect(header([], '__proto__')).toBeNull();
});

describe('a header that a proxy has repeated', () => {
  const date = (ms: number) => new Date(ms).toUTCString();
  const twice = (name: string, a: string, b = a): Header[][] => [
    [[name, `${a}, ${b}`]],
    [[name, `${b},  ${a}`]],
    [
      [name, a],
      ['x-other', '1'],
      [name, b],
    ],
  ];

  test('is read once: a wait', () => {
    for (const headers of twice('backoff', '1800')) {
      expect(waitHeader(headers, 'backoff', NOW_MS)).toBe(1_800_000);
    }
    for (const headers of twice('retry-after', date(NOW_MS + 90_000))) {
      expect(waitHeader(headers, 'retry-after', NOW_MS)).toBe(90_000);
    }
    expect(['1800,1800', '1800, 1800, 1800'].map(wait)).toEqual([1_800_000, 1_800_000]);
  });

  test('is the larger where they differ, in whatever form they come', () => {
    for (const headers of twice('retry-after', '60', '1800')) {
      expect(waitHeader(headers, 'retry-after', NOW_MS)).toBe(1_800_000);
    }
    for (const headers of twice('retry-after', '60', date(NOW_MS + 90_000))) {
      expect(waitHeader(headers, 'retry-after', NOW_MS)).toBe(90_000);
    }
    for (const headers of twice('retry-after', 'soon', '1800')) {
      expect(waitHeader(headers, 'retry-after', NOW_MS)).toBe(1_800_000);
    }
  });

  test('is read once: a version, a count, a time', () => {
    for (const headers of twice('etag', '"1442849065120"')) {
      expect(etagMs(headers)).toBe(1_442_849_065_120);
    }
    for (const headers of twice('x', '7', '12')) expect(decimalHeader(headers, 'x')).toBe(12);
    for (const headers of twice('x', '1388635807.41')) {
      expect(headerMs(headers, 'x')).toBe(1_388_635_807_410);
    }
    for (const headers of twice('date', date(NOW_MS), date(NOW_MS - 1_000))) {
      expect(dateHeaderMs(headers)).toBe(NOW_MS);
    }
  });

  test('is the text itself: where to go on', () => {
    for (const headers of twice('next-page', 'https://a.test/?_token=a%2Cb')) {
      if (headers[0]?.[1].includes(',  ')) continue;
      expect(header(headers, 'next-page')).toBe('https://a.test/?_token=a%2Cb');
    }
    for (const text of ['', ',', ', ', 'a, b', 'a,a', 'a, a, a', 'aa']) {
      expect(header([['x', text]], 'x')).toBe(text === ', ' ? '' : text);
    }
  });
});

describe('a wish to wait', () => {
  test('is a number of seconds', () => {
    expect(['60', ' 60 ', '1.5', '0', '0.0'].map(wait)).toEqual([60_000, 60_000, 1_500, 0, 0]);
  });

  test('or a date, counted from now', () => {
    expect(wait(new Date(NOW_MS + 90_000).toUTCString())).toBe(90_000);
    expect(wait(new Date(NOW_MS - 90_000).toUTCString())).toBe(0);
    expect(wait(new Date(NOW_MS + 1e12).toUTCString())).toBe(WAIT_MS_MAX);
  });

  test('is at least a second and at most a day, if it is one at all', () => {
    expect(wait('0.001')).toBe(WAIT_MS_MIN);
    expect(wait('99999999999')).toBe(WAIT_MS_MAX);
    for (const text of NASTY) expect(wait(text), text).toBe(0);
    expect(waitHeader([], 'retry-after', NOW_MS)).toBe(0);
  });

  test('is bounded whatever it says', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double().map(String)), (text) => {
        const ms = wait(text);
        expect(ms === 0 || (ms >= WAIT_MS_MIN && ms <= WAIT_MS_MAX)).toBe(true);
      }),
    );
  });
});

describe('numbers of a server', () => {
  test('an entity tag is quoted milliseconds, weak or not', () => {
    expect(['"1442849065120"', 'W/"7"', '"0"'].map(etag)).toEqual([1_442_849_065_120, 7, 0]);
    for (const text of ['1442849065120', '"1.5"', '"-1"', '"a"', '""', "'1'", '"1', '*']) {
      expect(etag(text), text).toBeNull();
    }
    expect(etag(`"${STAMP_MS_MAX + 1}"`)).toBeNull();
    expect(etagMs([])).toBeNull();
  });

  test('decimals are plain and not negative', () => {
    expect(['0', '12', '1388635807.41', '0.5'].map(decimal)).toEqual([0, 12, 1388635807.41, 0.5]);
    for (const text of NASTY) expect(decimal(text), text).toBeNull();
    expect(decimalHeader([], 'x')).toBeNull();
  });

  test('decimal seconds are the milliseconds that they were written for', () => {
    expect(secondsMs(1388635807.41)).toBe(1_388_635_807_410);
    fc.assert(
      fc.property(fc.nat(400_000_000_000), (hundredths) => {
        const text = (hundredths / 100).toFixed(2);
        expect(headerMs([['x', text]], 'x')).toBe(hundredths * 10);
      }),
    );
    for (const value of [Number.NaN, Infinity, -1, 32_503_680_001, 1e300, '1', null, {}]) {
      expect(secondsMs(value)).toBeNull();
    }
  });
});

describe('an HTTP date', () => {
  test('is what Date.parse makes of it, in any year', () => {
    const fourDigitYears = { min: -62_135_596_800, max: 253_402_300_799 };
    fc.assert(
      fc.property(fc.integer(fourDigitYears), (seconds) => {
        const text = new Date(seconds * 1_000).toUTCString();
        expect(httpDateMs(text)).toBe(seconds * 1_000);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['Tue, 29 Feb 2000 23:59:59 GMT', 951_868_799_000],
    ['Mon, 01 Mar 2100 00:00:00 GMT', 4_107_542_400_000],
  ])('%s', (text, ms) => expect(httpDateMs(text)).toBe(ms));

  test.each([
    '',
    'Thu, 01 Jan 1970 00:00:00',
    'Thu, 01 Jan 1970 00:00:00 CET',
    'Thu, 1 Jan 1970 00:00:00 GMT',
    'Thursday, 01-Jan-70 00:00:00 GMT',
    'Thu, 01 Foo 1970 00:00:00 GMT',
    'Thu, 01 anF 1970 00:00:00 GMT',
    'Thu Jan  1 00:00:00 1970',
    '1970-01-01T00:00:00Z',
  ])('%j is none', (text) => expect(httpDateMs(text)).toBeNull());
});
