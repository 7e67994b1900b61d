// ECDH over P-256: published vectors, agreement with node:crypto, and the keys that must be
// refused.

import { createECDH, ECDH } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHex, encodeHex } from './bytes.ts';
import { type EcPublicKey, ecdh, ecPublicKey } from './p256.ts';

const hex = (text: string) => decodeHex(text) ?? new Uint8Array(0);
const pause = async () => {};
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const bytesOf = (value: bigint) => hex(value.toString(16).padStart(64, '0'));

function jwk(x: string, y: string): EcPublicKey {
  const text = (digits: string) => Buffer.from(digits, 'hex').toString('base64url');
  return { kty: 'EC', crv: 'P-256', x: text(x), y: text(y) };
}

function node(privateKey: Uint8Array) {
  const own = createECDH('prime256v1');
  own.setPrivateKey(privateKey);
  const point = own.getPublicKey('hex');
  return { own, point, jwk: jwk(point.slice(2, 66), point.slice(66)) };
}

async function shared(privateKey: Uint8Array, peer: Partial<EcPublicKey>) {
  const secret = await ecdh(privateKey, peer, pause);
  return secret && encodeHex(secret);
}

describe('published vectors', () => {
  it('RFC 5903 section 8.1: both sides compute the same secret', async () => {
    const i = hex('c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433');
    const gi = jwk(
      'dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180',
      '5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3',
    );
    const r = hex('c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53');
    const gr = jwk(
      'd12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63',
      '56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab',
    );
    const gir = 'd6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de';
    expect(await ecPublicKey(i, pause)).toEqual(gi);
    expect(await ecPublicKey(r, pause)).toEqual(gr);
    expect(await shared(i, gr)).toBe(gir);
    expect(await shared(r, gi)).toBe(gir);
  });

  it('RFC 6979 appendix A.2.5: the public key of the private one', async () => {
    const key = hex('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721');
    expect(await ecPublicKey(key, pause)).toEqual(
      jwk(
        '60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6',
        '7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299',
      ),
    );
  });

  it('NIST CAVS, ECC CDH primitive, P-256, count 0', async () => {
    const peer = jwk(
      '700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287',
      'db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac',
    );
    const key = hex('7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534');
    expect(await shared(key, peer)).toBe(
      '46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b',
    );
  });
});

describe('agrees with node:crypto', () => {
  it.each([1n, 2n, 3n, 0xffffffffn, 1n << 255n, N / 2n, N - 2n, N - 1n])(
    'for the private key %i',
    async (scalar) => {
      const key = bytesOf(scalar);
      const peer = node(bytesOf(77n));
      expect(await ecPublicKey(key, pause)).toEqual(node(key).jwk);
      const theirs = node(key).own.computeSecret(peer.point, 'hex', 'hex');
      expect(await shared(key, peer.jwk)).toBe(theirs);
    },
  );

  it('for any two keys', async () => {
    const scalar = fc.bigInt({ min: 1n, max: N - 1n }).map(bytesOf);
    await fc.assert(
      fc.asyncProperty(scalar, scalar, async (one, other) => {
        const theirs = node(one).own.computeSecret(node(other).point, 'hex', 'hex');
        expect(await shared(one, await ecPublicKey(other, pause))).toBe(theirs);
      }),
      { numRuns: 30 },
    );
  });
});

describe('refuses', () => {
  const key = bytesOf(5n);
  const good = node(bytesOf(7n)).jwk;
  const coordinate = (value: bigint) => Buffer.from(bytesOf(value)).toString('base64url');
  const number = (text: string) => BigInt(`0x${Buffer.from(text, 'base64url').toString('hex')}`);

  it.each<[string, object]>([
    ['a point beside the curve', { ...good, y: coordinate(number(good.y) + 1n) }],
    ['coordinates that changed places', { ...good, x: good.y, y: good.x }],
    ['infinity, written as zeros', { ...good, x: coordinate(0n), y: coordinate(0n) }],
    ['a coordinate that is p', { ...good, x: coordinate(P), y: coordinate(0n) }],
    ['a coordinate of 31 bytes', { ...good, x: Buffer.alloc(31, 1).toString('base64url') }],
    ['a coordinate of 33 bytes', { ...good, x: Buffer.alloc(33, 1).toString('base64url') }],
    ['no coordinate', { kty: 'EC', crv: 'P-256', x: good.x }],
    ['a coordinate that is no text', { ...good, y: 7 }],
    ['a coordinate in other digits', { ...good, x: `${good.x.slice(1)}=` }],
    ['another curve', { ...good, crv: 'P-384' }],
    ['another kind of key', { ...good, kty: 'OKP' }],
  ])('%s', async (_, peer) => {
    expect(await ecdh(key, peer, pause)).toBeNull();
  });

  it('a second spelling of a point, its X written past p', async () => {
    const uncompressed = ECDH.convertKey(`02${'5'.padStart(64, '0')}`, 'prime256v1', 'hex');
    const y = coordinate(BigInt(`0x${uncompressed.toString('hex').slice(66)}`));
    expect(await ecdh(key, { ...good, x: coordinate(5n), y }, pause)).not.toBeNull();
    expect(await ecdh(key, { ...good, x: coordinate(5n + P), y }, pause)).toBeNull();
  });

  it.each([
    ['zero', new Uint8Array(32)],
    ['the order of the curve', bytesOf(N)],
    ['all bits', new Uint8Array(32).fill(255)],
    ['31 bytes', new Uint8Array(31).fill(1)],
    ['33 bytes', new Uint8Array(33).fill(1)],
    ['no bytes', new Uint8Array(0)],
  ])('a private key of %s', async (_, bytes) => {
    const error = expect.objectContaining({ code: 'badEntropy' });
    await expect(ecPublicKey(bytes, pause)).rejects.toEqual(error);
    await expect(ecdh(bytes, good, pause)).rejects.toEqual(error);
  });
});

it('gives the device its turn four times for the product and once for the division', async () => {
  let turns = 0;
  await ecPublicKey(bytesOf(9n), async () => {
    turns++;
  });
  expect(turns).toBe(5);
});
