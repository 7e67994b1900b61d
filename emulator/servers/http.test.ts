import { describe, expect, it, test } from 'vitest';
import {
  authorization,
  bodyOf,
  HttpError,
  isObject,
  jsonResponse,
  parseObject,
  pathSegments,
  textOf,
} from './http.ts';

test.each([
  ['https://h/base/a/b%20c/', ['a', 'b c']],
  ['https://h/base', []],
  ['https://h/base/', []],
  ['https://h/base//', ['']],
  ['https://h/base/a%2Fb', ['a/b']],
  ['https://h/basement', null],
  ['https://h/other/a', null],
  ['https://h/base/%zz', null],
])('below its base %s is %j', (url, segments) => {
  expect(pathSegments(new URL(url), new URL('https://h/base/'))).toEqual(segments);
});

test('a server at the root has all paths', () => {
  expect(pathSegments(new URL('https://h/a'), new URL('https://h/'))).toEqual(['a']);
});

test.each([
  ['Hawk id="a b"', 'hawk', 'id="a b"'],
  ['BEARER   t', 'bearer', 't'],
  ['Bearer', '', ''],
  [null, '', ''],
])('Authorization: %s', (header, scheme, value) => {
  const headers = header === null ? {} : { authorization: header };
  expect(authorization(new Request('https://h/', { headers }))).toEqual({ scheme, value });
});

test('an object is neither a list, nor null, nor broken JSON', () => {
  expect(parseObject('{"a":1}')).toEqual({ a: 1 });
  for (const text of ['[]', 'null', '7', '{', '']) expect(parseObject(text)).toBeNull();
  expect([{}, [], null, 'x'].map(isObject)).toEqual([true, false, false, false]);
});

test('an answer is JSON with its headers, an error too', async () => {
  const response = jsonResponse(201, { a: 1 }, { 'X-A': 'b' });
  expect([response.status, response.headers.get('x-a')]).toEqual([201, 'b']);
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(await response.json()).toEqual({ a: 1 });
  expect(new HttpError(412, 0, { 'X-A': 'b' })).toMatchObject({
    message: 'HTTP 412',
    json: 0,
    headers: { 'X-A': 'b' },
  });
});

/** Pieces, of which it is known how many were taken, and whether somebody ended them. */
function pieces(count: number, bytes: number) {
  const seen = { taken: 0, isEnded: false };
  async function* make() {
    try {
      for (; seen.taken < count; ) {
        seen.taken++;
        yield new Uint8Array(bytes).fill(0x61);
      }
    } finally {
      seen.isEnded = true;
    }
  }
  return { seen, body: bodyOf(make()) };
}

describe('a body', () => {
  it('is read up to its limit and no further', async () => {
    const response = (count: number) => {
      const { seen, body } = pieces(count, 10);
      return { seen, message: new Response(body) };
    };
    expect(await textOf(response(3).message, 30)).toBe('a'.repeat(30));
    const long = response(1_000);
    const refused = textOf(long.message, 29);
    await expect(refused).rejects.toThrow(new RangeError('a body has more than 29 bytes'));
    expect(long.seen.taken).toBe(3);
    expect(await textOf(new Response(null), 0)).toBe('');
    const request = new Request('https://h/', { method: 'POST', body: 'ä' });
    expect(await textOf(request, 2)).toBe('ä');
  });

  it('that is made in pieces is made at the pace of its reader, who may end it', async () => {
    const { seen, body } = pieces(5, 1);
    const reader = body.getReader();
    expect(seen.taken).toBe(0);
    await reader.read();
    expect(seen.taken).toBe(1);
    await reader.cancel();
    expect([seen.taken, seen.isEnded]).toEqual([1, true]);
    expect(await new Response(pieces(5, 1).body).text()).toBe('aaaaa');
  });
});
