import { client as hawk } from 'hawk';
import { describe, expect, test } from 'vitest';
import { type HawkRequest, isSignedBy, readHawk, signHawk } from './hawk.ts';

const NOW_MS = 1_353_832_234_000;

/** The examples of the Hawk specification. */
const KEY = 'werxhqb98rpaxn39848xrunpaw3489ruxnpa98w4rxn';
const GET: HawkRequest = {
  method: 'GET',
  url: new URL('http://example.com:8000/resource/1?b=1&a=2'),
};
const POST: HawkRequest = {
  ...GET,
  method: 'POST',
  contentType: 'text/plain',
  body: Buffer.from('Thank you for flying Hawk'),
};
const GET_HEADER =
  'id="dh37fgj492je", ts="1353832234", nonce="j4h3g2", ext="some-app-ext-data", mac="6R4rV5iE+N' +
  'Poym+WwjeHzjAGXUtLNIxmo1vpMofpLAE="';
const POST_HEADER =
  'id="dh37fgj492je", ts="1353832234", nonce="j4h3g2", hash="Yi9LfIIFRtBEPt74PVmbTF/xVAwPn7ub15' +
  'ePICfgnuY=", ext="some-app-ext-data", mac="aSe1DERmZuRl3pI36/9BdZmnErTw3sNzOOAUlfeKjVw="';

describe('a Hawk header', () => {
  test('of the specification is believed', () => {
    expect(isSignedBy(GET, readHawk(GET_HEADER), KEY, NOW_MS)).toBe(true);
    expect(isSignedBy(POST, readHawk(POST_HEADER), KEY, NOW_MS)).toBe(true);
  });

  test.each<[string, HawkRequest, string, string]>([
    ['another key', GET, GET_HEADER, 'another'],
    ['another method', { ...GET, method: 'DELETE' }, GET_HEADER, KEY],
    [
      'another query',
      { ...GET, url: new URL('http://example.com:8000/resource/1?b=1&a=3') },
      GET_HEADER,
      KEY,
    ],
    [
      'another port',
      { ...GET, url: new URL('http://example.com/resource/1?b=1&a=2') },
      GET_HEADER,
      KEY,
    ],
    ['another body', { ...POST, body: Buffer.from('no') }, POST_HEADER, KEY],
    ['another media type', { ...POST, contentType: 'text/html' }, POST_HEADER, KEY],
    ['no nonce', GET, GET_HEADER.replace('nonce', 'once'), KEY],
    ['no time', GET, GET_HEADER.replace('ts=', 't='), KEY],
    ['nothing', GET, '', KEY],
  ])('with %s is not', (_what, request, header, key) => {
    expect(isSignedBy(request, readHawk(header), key, NOW_MS)).toBe(false);
  });

  test.each(['/', '/a?', '/a?b=?', "/a?b='%27", '/a#b', '/a?#b', '/a//b?c=/'])(
    'of another implementation for %s is believed',
    (target) => {
      const url = `http://example.com:8000${target}`;
      const credentials = { id: 'id', key: KEY, algorithm: 'sha256' } as const;
      const timestamp = NOW_MS / 1000;
      const { header } = hawk.header(url, 'GET', { credentials, timestamp });
      const request = { method: 'GET', url: new URL(url) };
      expect(isSignedBy(request, readHawk(header.slice(5)), KEY, NOW_MS)).toBe(true);
    },
  );

  test('is made as other implementations make it', () => {
    const request = { method: 'POST', url: new URL('https://mysite.com/v1/api') };
    const header = signHawk(request, { id: 'id', key: 'key' }, 1_000_999, 'nonny');
    expect(header).toMatch(/^Hawk id="id", ts="1000", nonce="nonny", mac="[\w+/]{43}="$/);
    expect(isSignedBy(request, readHawk(header.slice(5)), 'key', 1_000_000)).toBe(true);
  });
});
