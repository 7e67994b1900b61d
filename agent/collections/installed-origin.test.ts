// The names of web apps, against a table of addresses and what a browser makes of them, and against
// the URL parser of Node.js.

import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { createRandom } from '../../emulator/device/random.ts';
import { ORIGIN_CHARS_MAX, webOrigin } from './installed-origin.ts';

interface Row {
  readonly input: string;
  readonly origin?: string;
  readonly canonical?: boolean;
}

const { origins } = JSON.parse(
  readFileSync(new URL('../../test/fixtures/owa/vectors.json', import.meta.url), 'utf8'),
) as { readonly origins: readonly Row[] };

/** Hosts that only a table of Unicode makes ASCII of. */
const BEYOND = ['http://bücher.example', 'http://faß.de'];

describe('of 48 addresses', () => {
  test.each(origins)('$input is a name, another writing of one, or none', (row) => {
    const made = webOrigin(row.input);
    expect(made === row.input).toBe(row.canonical === true);
    expect(made).toBe(BEYOND.includes(row.input) ? null : (row.origin ?? null));
  });

  it('counts them', () => {
    expect(origins).toHaveLength(48);
    expect(origins.filter(({ canonical }) => canonical)).toHaveLength(10);
  });
});

it('says what the URL parser says of an address without path and user', () => {
  const random = createRandom(7);
  let names = 0;
  for (let n = 0; n < 20_000; n++) {
    const address = someAddress((below) => random.uint32() % below);
    const expected = parsed(address);
    names += Number(expected !== null);
    expect([address, webOrigin(address)]).toEqual([address, expected]);
  }
  expect(names).toBeGreaterThan(1_000);
});

it('has no name for what is no text, or longer than any origin', () => {
  for (const value of [undefined, null, 7, {}, ['http://a.test']]) {
    expect(webOrigin(value)).toBeNull();
  }
  const name = `http://${'a'.repeat(ORIGIN_CHARS_MAX - 7)}`;
  expect(webOrigin(name)).toBe(name);
  expect(webOrigin(`${name}a`)).toBeNull();
  expect(webOrigin(`http://${'0:'.repeat(200_000)}`)).toBeNull();
});

const PARTS = [
  ...['a', 'B', '.', '..', '0', '1', '0x', '0xFf', '255', '256', '65535', '010', '08'],
  ...['::', ':', '1:', 'ffff', 'g', '/', '-', '_', '~', '!', '*', '"', '{', "'", '1.2.3.4'],
  ...[':80', ':443', ':0', '^', '|', '<', ' ', '\\', '\t', ']', '[', '@', '?', '#'],
];

function someAddress(below: (count: number) => number): string {
  let address = ['http://', 'https://', 'HtTp://[', 'http://['][below(4)] ?? '';
  for (let left = below(9); left > 0; left--) address += PARTS[below(PARTS.length)];
  return below(3) === 0 && address.includes('[') ? `${address}]` : address;
}

function parsed(address: string): string | null {
  if (/[\0- \x7f\\@?#]/.test(address) || !/^https?:\/\/[^/]+\/?$/i.test(address)) return null;
  try {
    const { port, origin } = new URL(address);
    return port === '0' ? null : origin;
  } catch {
    return null;
  }
}
