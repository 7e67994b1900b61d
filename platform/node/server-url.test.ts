// Which servers a computer asks, and that a password in an address is never shown.

import { describe, expect, test } from 'vitest';
import { encryptedFetch, ServerUrlRefused, serverUrlOf, withoutUserInfo } from './server-url.ts';

const STRICT = { allowHttp: false };

test.each([
  ['https://a.test', 'https://a.test'],
  ['https://a.test/', 'https://a.test'],
  ['HTTPS://A.test:8443/b//', 'https://a.test:8443/b'],
  ['http://localhost:5000', 'http://localhost:5000'],
  ['http://x.localhost', 'http://x.localhost'],
  ['http://127.1/', 'http://127.0.0.1'],
  ['http://127.255.0.9/', 'http://127.255.0.9'],
  ['http://[::1]:80/', 'http://[::1]'],
])('%s is taken, as %s', (text, url) => {
  expect(serverUrlOf('--server', text, STRICT)).toBe(url);
});

describe('an address', () => {
  const complaint = (text: string, allowHttp = false, mayShow = false): string => {
    try {
      serverUrlOf('--server', text, { allowHttp, mayShow });
      return 'taken';
    } catch (error) {
      if (!(error instanceof ServerUrlRefused)) throw error;
      return error.message;
    }
  };

  test.each(['https://u:secret@a.test', 'https://u@a.test', 'ftp://u:secret@a', 'u:secret@a'])(
    'with a user in it is refused, and not shown: %s',
    (text) => {
      const said = complaint(text, true, true);
      expect(said).toBe('--server must hold no user name and no password');
    },
  );

  test.each(['', 'a.test', 'ftp://a.test', 'javascript:1', 'file:///x', 'https://'])(
    'that is none of the web is refused, and shown where it may be: %j',
    (text) => {
      expect(complaint(text)).toBe('--server must be an http or https URL');
      expect(complaint(text, false, true)).toBe(
        `--server must be an http or https URL, not "${text}"`,
      );
    },
  );

  test.each(['https://a.test/?', 'https://a.test/?x=1', 'https://a.test/#x', 'https://a.test#'])(
    'with a query or a fragment is refused: %s',
    (text) => {
      expect(complaint(text)).toContain('no query ("?") and no fragment ("#")');
    },
  );

  test.each([
    'http://a.test',
    'http://127.0.0.1.a.test',
    'http://localhost.a.test',
    'http://notlocalhost',
    'http://128.0.0.1',
    'http://[::2]',
    'http://0.0.0.0',
  ])('of another machine is not asked in the clear, unless that is allowed: %s', (text) => {
    expect(complaint(text)).toContain('is not encrypted: use https, or allow it');
    expect(complaint(text, true)).toBe('taken');
  });
});

describe('a fetch', () => {
  test('asks no other machine in the clear, and says so before', async () => {
    const asked: string[] = [];
    const said: string[] = [];
    const fetch = encryptedFetch(
      async ({ url }) => {
        asked.push(url);
        return new Response('');
      },
      (line) => said.push(line),
    );
    await expect(fetch(new Request('http://a.test/x'))).rejects.toMatchObject({
      code: 'ENOTENCRYPTED',
    });
    expect(said).toEqual([expect.stringContaining('http://a.test is not encrypted')]);
    await fetch(new Request('https://a.test/x'));
    await fetch(new Request('http://127.0.0.1:9/x'));
    expect(asked).toEqual(['https://a.test/x', 'http://127.0.0.1:9/x']);
  });
});

test('what may be a password is taken out of a line', () => {
  expect(withoutUserInfo('no https://u:secret@a.test/x and "http://b@c"')).toBe(
    'no https://(hidden)@a.test/x and "http://(hidden)@c"',
  );
  expect(withoutUserInfo('mail to a@b.test, or https://a.test/x@y')).toBe(
    'mail to a@b.test, or https://a.test/x@y',
  );
});
