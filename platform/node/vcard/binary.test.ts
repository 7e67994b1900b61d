import { describe, expect, test } from 'vitest';
import { fromBase64, toBase64 } from './binary.ts';

const read = (name: string, params: object, written = 'AA A=') => {
  const found = fromBase64(name, new Map(Object.entries(params)), written);
  return found && { value: found.value, params: Object.fromEntries(found.params) };
};
const write = (name: string, value: string, params: { [name: string]: string[] } = {}) => {
  const found = toBase64(name, { value, params });
  return found && { written: found.written, params: Object.fromEntries(found.params) };
};

describe('base64', () => {
  test.each([
    ['photo', { type: ['jpeg'] }, 'image/jpeg', {}],
    ['logo', { type: ['home', 'png'], x: ['1'] }, 'image/png', { type: ['home'], x: ['1'] }],
    ['photo', { type: ['image/gif'] }, 'image/gif', {}],
    ['sound', { type: ['basic'] }, 'audio/basic', {}],
    ['key', { type: ['x509'] }, 'application/octet-stream', { type: ['x509'] }],
    ['photo', {}, 'application/octet-stream', {}],
    ['photo', { type: ['home'] }, 'application/octet-stream', { type: ['home'] }],
  ])('of a %s with %j is a data: URI, and is written back', (name, params, media, kept) => {
    const value = `data:${media};base64,AAA=`;
    expect(read(name, params)).toEqual({ value, params: kept });
    const back = write(name, value, kept as { [name: string]: string[] });
    expect(back?.written).toBe('AAA=');
    const { encoding, ...written } = back?.params ?? {};
    expect(encoding).toEqual(['b']);
    expect(read(name, written)).toEqual({ value, params: kept });
  });

  test('that is none stays as it is', () => {
    expect(read('photo', {}, 'A?')).toBeNull();
    expect(write('photo', 'data:image/jpeg;base64,A?')).toBeNull();
  });
});

test('an address, and data that no other form says, stay addresses', () => {
  expect(write('photo', 'https://a.example/')).toBeNull();
  expect(write('photo', 'data:text/plain;base64,AAAA')).toBeNull();
  expect(write('photo', 'data:image/svg+xml,<svg/>')).toBeNull();
  expect(write('key', 'data:application/pgp-keys;base64,AAAA')).toBeNull();
  expect(write('photo', 'data:application/octet-stream;base64,AAAA', { type: ['x'] })).toBeNull();
  expect(write('photo', 'data:image/png;base64,AAAA', { value: ['text'] })).toBeNull();
});
