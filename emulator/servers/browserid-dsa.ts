// BrowserID keys of the kind DS, which clients of Firefox OS's time make: DSA, with SHA-1 for keys
// of 1024 bits and SHA-256 for longer ones, numbers in hex digits, r and s of a signature one after
// the other. It checks signatures; nothing here makes one.

import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { isObject } from './http.ts';
import { readJws } from './jws.ts';

/** What a key of the kind DS consists of. */
const NUMBERS = ['p', 'q', 'g', 'y'] as const;
/** Hex digits of a number of 3072 bits, the longest that DSA has. */
const NUMBER_CHARS_MAX = 768;

const HASHES: ReadonlyMap<unknown, string> = new Map([
  ['DS128', 'sha1'],
  ['DS256', 'sha256'],
]);

/** The key of BrowserID's form, or null when it is none. */
export function toDsaKey(key: unknown): KeyObject | null {
  if (!isObject(key) || key.algorithm !== 'DS') return null;
  const numbers: Buffer[] = [];
  for (const name of NUMBERS) {
    const value = key[name];
    if (typeof value !== 'string' || !/^[0-9a-f]+$/i.test(value)) return null;
    if (value.length > NUMBER_CHARS_MAX) return null;
    numbers.push(integer(value));
  }
  const [p, q, g, y] = numbers;
  if (!p || !q || !g || !y) return null;
  const algorithm = sequence(DSA_OID, sequence(p, q, g));
  try {
    const der = sequence(algorithm, tagged(0x03, Buffer.concat([Buffer.from([0]), y])));
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch {
    return null; // the numbers are no key
  }
}

/** What a token says, if this key signed it; else null. */
export function verifyDsa(key: KeyObject, token: string): Record<string, unknown> | null {
  const jws = readJws(token);
  const hash = HASHES.get(jws?.header.alg);
  if (!jws || hash === undefined) return null;
  const end = token.lastIndexOf('.');
  const signature = Buffer.from(token.slice(end + 1), 'base64url');
  const signed = Buffer.from(token.slice(0, end));
  return verify(hash, signed, { key, dsaEncoding: 'ieee-p1363' }, signature) ? jws.payload : null;
}

/** id-dsa, 1.2.840.10040.4.1 (RFC 3279 2.3.2). */
const DSA_OID = Buffer.from('06072a8648ce380401', 'hex');

function integer(hex: string): Buffer {
  const digits = hex.replace(/^(00)+/, '');
  const even = digits.padStart(digits.length + (digits.length % 2), '0');
  const bytes = Buffer.from(even === '' ? '00' : even, 'hex');
  const isHigh = (bytes[0] ?? 0) >= 0x80;
  return tagged(0x02, isHigh ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

/** DER: a tag, a length, what it is of. */
function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const lengthBytes =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), content]);
}
