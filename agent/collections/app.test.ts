import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { APP_NAME_CHARS_MAX } from '../limits.ts';
import { appKind, isAppName, originOf } from './app.ts';

describe('the origin of an address', () => {
  test.each([
    ['https://a.example', 'https://a.example'],
    ['HTTPS://A.Example:443/x?y#z', 'https://a.example'],
    ['http://a.example:80', 'http://a.example'],
    ['http://a.example:443/', 'http://a.example:443'],
    ['https://a.example:', 'https://a.example'],
    ['https://a.example:0443?x', 'https://a.example'],
    ['https://a.example.', 'https://a.example.'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['http://a_b.example', 'http://a_b.example'],
    ['app://Notes.gaiamobile.org/index.html', 'app://notes.gaiamobile.org'],
    ['moz-extension://3c1f/', 'moz-extension://3c1f'],
  ])('of %s is %s', (address, origin) => {
    expect(originOf(address)).toBe(origin);
  });

  test.each([
    ...['', 'a.example', 'https://', 'https:///x', 'https:a.example', '//a.example', 'null'],
    ...['ftp://a.example', 'file:///x', 'data:x', 'javascript:x', 'blob:https://a.example/x'],
    ...['https://user@a.example', 'https://user:x@a.example', 'https://a.example\\@b.example'],
    ...['https://a example', ' https://a.example', 'https://a.example\n', 'https://a%2eexample'],
    ...['https://bücher.example', 'https://xn--bcher-kva.example', 'https://a..example'],
    ...['https://.example', 'https://.', 'https://a.example:65536', 'https://a.example:x'],
    ...['http://127.1', 'http://0x7f.0.0.1', 'http://1.2.3.256', 'http://01.2.3.4'],
    ...['http://2130706433', 'http://1.2.3.4.', 'http://a.0x7', 'http://[::1]', 'app://x:1'],
    `https://${'a'.repeat(293)}`,
  ])('%j has none', (address) => {
    expect(originOf(address)).toBeNull();
  });

  test('is that of the browsers, whatever there is one for', () => {
    const char = fc.constantFrom(...'aZ09.-_:/@?#\\ %[]xü'.split(''));
    const host = fc.string({ unit: char, maxLength: 14 });
    const scheme = fc.constantFrom('http://', 'https://', 'HTTP://', 'https:');
    let known = 0;
    fc.assert(
      fc.property(scheme, host, (start, rest) => {
        const origin = originOf(start + rest);
        if (origin === null) return;
        known++;
        expect(origin).toBe(new URL(start + rest).origin);
        expect(originOf(origin)).toBe(origin);
      }),
      { seed: 5, numRuns: 3_000 },
    );
    expect(known).toBeGreaterThan(100);
  });

  test('of what is no text there is none', () => {
    for (const address of [null, undefined, 7, {}, ['https://a.example']]) {
      expect(originOf(address)).toBeNull();
    }
  });
});

test('a collection has a name of an app of printable characters', () => {
  expect(appKind.names).toContain(`1 to ${APP_NAME_CHARS_MAX} `);
  for (const name of ['a', 'ü 😀', 'x'.repeat(APP_NAME_CHARS_MAX)])
    expect(isAppName(name)).toBe(true);
  for (const name of ['', 'x'.repeat(65), 'a\nb', '\u007f', '\u0085', '\ud800', 7, null]) {
    expect(isAppName(name)).toBe(false);
  }
  expect(appKind.collection('https://a.example a b')).not.toBeNull();
  for (const name of ['https://a.example', 'https://a.example ', 'https://A.example a', ' a']) {
    expect(appKind.collection(name)).toBeNull();
  }
});

test('servers call it by what nobody can make who has not the key', () => {
  const [one, other] = [new Uint8Array(32), new Uint8Array(32).fill(1)];
  const names = [
    appKind.wireName('https://a.example notes', one),
    appKind.wireName('https://b.example notes', one),
    appKind.wireName('https://a.example more', one),
    appKind.wireName('https://a.example notes', other),
  ];
  expect(new Set(names).size).toBe(4);
  for (const name of names) expect(name).toMatch(/^a-[A-Za-z0-9_-]{28}$/);
});
