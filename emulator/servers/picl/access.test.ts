// Hawk as a PiCL storage wants it. Headers of the `hawk` package are believed all over the contract
// of the server; here are those of its vectors.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hasHash, hasMac, readHawk, signHawk, timeMac } from '../hawk.ts';
import { Access } from './access.ts';
import { sealPass } from './pass.ts';

interface Vectors {
  readonly hawk: {
    readonly creds: { readonly key: string };
    readonly requests: readonly {
      readonly method: string;
      readonly url: string;
      readonly contentType?: string;
      readonly payload?: string;
      readonly header: string;
    }[];
  };
}

const FILE = new URL('../../../test/fixtures/picl/vectors.json', import.meta.url);
const { hawk } = JSON.parse(readFileSync(FILE, 'utf8')) as Vectors;

describe('the vectors of Hawk', () => {
  test('are believed', () => {
    expect(hawk.requests.length).toBeGreaterThan(3);
    for (const { header, method, url, contentType = '', payload = '' } of hawk.requests) {
      const request = { method, url: new URL(url), contentType, body: Buffer.from(payload) };
      const attributes = readHawk(header);
      expect(hasMac(request, attributes, hawk.creds.key)).toBe(true);
      expect(hasHash(request, attributes)).toBe(true);
      expect(hasMac(request, attributes, 'other')).toBe(false);
    }
  });

  test('tell the time', () => {
    const tsm = 'AKSuPpoyz5xjHTHIpNEeL5IidDVWWC9OdfgMaGjDKGU=';
    expect(timeMac('1371500000', hawk.creds.key)).toBe(tsm);
  });
});

describe('what was asked', () => {
  test('is forgotten when it is too old anyhow', () => {
    const secret = { secret: new Uint8Array(32) };
    let nowMs = 1_000_000_000;
    const access = new Access({ secret, nowMs: () => nowMs });
    const holder = { user: 'u', device: 'd', expiresMs: 2 ** 52 };
    const pass = sealPass(secret, holder, new Uint8Array(12));
    const url = new URL('https://x.test/y');
    const ask = (nonce: string): string => {
      const signed = signHawk({ method: 'GET', url }, pass, nowMs, nonce);
      const headers = { Authorization: signed };
      return access.askerOf(new Request(url, { headers }), url, new Uint8Array()).user;
    };
    expect(ask('one')).toBe('u');
    expect(() => ask('one')).toThrow('HTTP 401');
    nowMs += 200_000;
    expect(ask('one')).toBe('u');
    expect(access.remembered).toBe(1);
  });
});
