import { expect, test } from 'vitest';
import { byteText, decodeBytes, unquoted, withoutControls } from './charset.ts';

const text = 'BEGIN:VCARD\r\nFN:Zoë 😀\r\n';
const utf16 = (mark: boolean, isBig = false): Buffer => {
  const bytes = Buffer.from((mark ? '\ufeff' : '') + text, 'utf16le');
  return isBig ? bytes.swap16() : bytes;
};

test.each([
  ['UTF-8', Buffer.from(text)],
  ['UTF-8 with a mark', Buffer.from(`\ufeff${text}`)],
  ['UTF-16 with a mark', utf16(true)],
  ['UTF-16 without one', utf16(false)],
  ['UTF-16, high bytes first', utf16(true, true)],
  ['UTF-16, high bytes first, without a mark', utf16(false, true)],
])('%s is read', (_, bytes) => {
  expect(decodeBytes(byteText(bytes))).toBe(text);
});

test('what is no UTF-8 is Windows-1252, and what a card names is that', () => {
  const bytes = (...codes: number[]): string => String.fromCharCode(...codes);
  expect(decodeBytes(bytes(0xeb, 0x7a, 0x92, 0x80))).toBe('ëz’€');
  expect(decodeBytes(bytes(0xeb, 0x80), 'ISO-8859-1')).toBe('ë€');
  expect(decodeBytes(bytes(0x83, 0x5c, 0x83, 0x47), 'SHIFT_JIS')).toBe('ソエ');
  expect(decodeBytes(bytes(0xc3, 0xab), 'no such')).toBe('ë');
  expect(decodeBytes(bytes(0xeb), 'UTF-8')).toBe('ë');
  expect(decodeBytes('', 'UTF-8')).toBe('');
});

test('controls are left out, but what ends a line or is white space', () => {
  expect(withoutControls('a\0b\u001b[2J\tc\nd\u007f\u009be\u00a0')).toBe('ab[2J\tc\nde\u00a0');
});

test('quoted-printable has codes, and what is none stays', () => {
  expect(unquoted('a=3D=c3=AB=0D=0A =zz=')).toBe('a=\u00c3\u00ab\r\n =zz=');
});
