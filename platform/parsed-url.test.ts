import { expect, test } from 'vitest';
import { readSources } from '../test/support/sources.ts';
import { parsedUrl } from './parsed-url.ts';

test('a text with an umlaut is a URL the first time, and the ten thousandth', () => {
  const found = Array.from({ length: 20_000 }, () => parsedUrl('https://Exämple.org')?.host);
  expect(new Set(found)).toEqual(new Set(['xn--exmple-cua.org']));
});

test('what is no URL is null', () => {
  expect(['', 'no scheme', 'https://', 'http://a:b'].map(parsedUrl)).toEqual([
    null,
    null,
    null,
    null,
  ]);
});

test('nobody asks Node, which knows it for a while only', () => {
  const asking = [...readSources().values()].filter(({ text }) => /URL\.canParse\(/.test(text));
  expect(asking.map(({ path }) => path)).toEqual([]);
});
