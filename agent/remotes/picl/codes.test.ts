import { expect, test } from 'vitest';
import { decodeBase64, encodeBase64 } from '../../../crypto/bytes.ts';
import { asciiBytes, bytesOfCodes, keptCodes, textOfUtf8, utf8Bytes } from './codes.ts';

test('base64url is read, and refused, as it is elsewhere, at every length', () => {
  for (let length = 0; length < 40; length++) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 89 + length * 37) & 255);
    const text = encodeBase64(bytes, 'url');
    expect(bytesOfCodes(asciiBytes(text))).toEqual(bytes);
  }
  for (const text of [
    'A',
    'AB',
    'ABC',
    'ABCDE',
    'AQ',
    'Ag',
    'AQ=',
    'A!BC',
    'AB+/',
    'AAAAAAB',
    'é',
  ]) {
    expect(bytesOfCodes(asciiBytes(text)), text).toEqual(decodeBase64(text, 'url'));
  }
});

test('UTF-8 is read and written strictly', () => {
  for (const text of ['', 'ascii', 'ü', 'a\u{1f600}b', 'x'.repeat(5_000)]) {
    expect(textOfUtf8(utf8Bytes(text))).toBe(text);
    expect(utf8Bytes(text)).toEqual(new Uint8Array(Buffer.from(text)));
  }
  for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]]) {
    expect(textOfUtf8(Uint8Array.from(bytes))).toBeNull();
  }
  expect(() => utf8Bytes('\ud800')).toThrowError(/surrogate/);
});

test('codes are kept until they are taken, and never more than so many', () => {
  const codes = keptCodes(10);
  const first = codes.of('aaaa');
  expect(codes.of('aaaa')).toBe(first);
  expect(codes.take('aaaa')).toBe(first);
  expect(codes.take('aaaa')).toEqual(first);
  expect(codes.take('aaaa')).not.toBe(first);
  const long = codes.of('b'.repeat(11));
  expect(codes.of('b'.repeat(11))).not.toBe(long);
  const two = codes.of('cccccc');
  codes.of('dddddd');
  expect(codes.of('cccccc')).not.toBe(two);
});
