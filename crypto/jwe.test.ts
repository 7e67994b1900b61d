// Keys handed over in a JWE: both published messages, and everything that must be refused.

import { createCipheriv, createECDH, createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodeBase64 } from './bytes.ts';
import { concatKdf, openJwe } from './jwe.ts';

const pause = async () => {};
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64url'));
const ascii = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

// The first is from the tests of Mozilla's application-services (fxa-client), the second from the
// description of scoped keys for clients of Firefox Accounts.
const published = [
  {
    key: 'UayD4kn_4QHvLvLLSSaANfDUp9AcQndQu_TohQKoyn8',
    jwe:
      'eyJhbGciOiJFQ0RILUVTIiwia2lkIjoiNFBKTTl5dGVGeUtsb21ILWd2UUtyWGZ0a0N3ak9HNHRfTmpYVXhLM1Vq' +
      'SSIsImVwayI6eyJrdHkiOiJFQyIsImNydiI6IlAtMjU2IiwieCI6IlB3eG9Na1RjSVZ2TFlKWU4wM2R0Y3o2TEJr' +
      'R0FHaU1hZWlNQ3lTZXEzb2MiLCJ5IjoiLUYtTllRRDZwNUdSQ2ZoYm1hN3NvNkhxdExhVlNub012S0pFcjFBeWla' +
      'SSJ9LCJlbmMiOiJBMjU2R0NNIn0..b9FPhjjpmAmo_rP8.ur9jTry21Y2trvtcanSFmAtiRfF6s6qqyg6ruRal7P' +
      'Cwa7PxDzAuMN6DZW5BiK8UREOH08-FyRcIgdDOm5Zq8KwVAn56PGfcH30aNDGQNkA_mpfjx5Tj2z8kI6ryLWew4P' +
      'GZb-PsL1g-_eyXhktq7dAhetjNYttKwSREWQFokv7N3nJGpukBqnwL1ost-MjDXlINZLVJKAiMHDcu-q7Epitwid' +
      '2c2JVGOSCJjbZ4-zbxVmZ4o9xhFb2lbvdiaMygH6bPlrjEK99uT6XKtaIZmyDwftbD6G3x4On-CqA2TNL6ILRaJM' +
      'tmyX--ctL0IrngUIHg_F0Wz94v.zBD8NACkUcZTPLH0tceGnA',
    text:
      '{"https://identity.mozilla.com/apps/oldsync":{"kty":"oct","scope":"https://identity.mozi' +
      'lla.com/apps/oldsync","k":"8ek1VNk4sjrNP0DhGC4crzQtwmpoR64zHuFMHb4Tw-exR70Z2SSIfMSrJDTLE' +
      'Zid9lD05-hbA3n2Q4Esjlu1tA","kid":"1526414944666-zgTjf5oXmPmBjxwXWFsDWg"}}',
  },
  {
    key: 'KXAjjEr4KT9UlYI4BE0BefVdoxP8vqO389U7lQlCigs',
    jwe:
      'eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTI1NkdDTSIsImVwayI6eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwi' +
      'eCI6Ik40elBSYXpCODd2cGVCZ0h6RnZrdmRfNDhvd0ZZWXhFVlhSTXJPVTZMRG8iLCJ5IjoiNG5jVXhONnhfeFQx' +
      'VDFrenlfU19WMmZZWjd1VUpUX0hWUk5aQkxKUnN4VSJ9fQ.._0sYf7HdWuRv2cM0.U5ZK5BYZWhLluS7q4y4ZFW1' +
      't_sSPt4me-5Ltscs1dWpoPnIZa3xEng2xsUOBaHfBra6m4wdgzrg6qINhBz0LuDwAfrHOtfRlpqeV3nrKhas1mGE' +
      'Qzr6lD4zBVYpmF_chm61IySnVxprsA1BulinIER2EIJbA.3Lh7cwCocbA2VkBBnsKgXA',
    text:
      '{"app_key":{"k":"Kkbk1_Q0oCcTmggeDH6880bQrxin2RLu5D00NcJazdQ","kid":"1510726317-Voc-Eb9I' +
      'poTINuo9ll7bjA","kty":"oct"}}',
  },
] as const;
const [{ key, jwe }] = published;
const parts = jwe.split('.');
const header = JSON.parse(Buffer.from(parts[0] ?? '', 'base64url').toString());

const opened = (text: string, own: string = key) => openJwe(text, bytes(own), pause);
const withPart = (at: number, part: string) =>
  parts.map((old, i) => (i === at ? part : old)).join('.');

/** A sealed text, made by node:crypto from the definitions alone. */
function sealByNode(
  plain: Uint8Array,
  change: { readonly apu?: string; readonly apv?: string } = {},
) {
  const sender = createECDH('prime256v1');
  sender.setPrivateKey(Buffer.alloc(32, 3));
  const own = createECDH('prime256v1');
  own.setPrivateKey(bytes(key));
  const point = sender.getPublicKey();
  const x = point.subarray(1, 33).toString('base64url');
  const y = point.subarray(33).toString('base64url');
  const epk = { kty: 'EC', crv: 'P-256', x, y };
  const protectedText = json({ alg: 'ECDH-ES', enc: 'A256GCM', epk, ...change });
  const uint32 = (value: number) => Buffer.from([0, 0, value >> 8, value]);
  const digest = createHash('sha256')
    .update(uint32(1))
    .update(sender.computeSecret(own.getPublicKey()));
  for (const field of [ascii('A256GCM'), bytes(change.apu ?? ''), bytes(change.apv ?? '')]) {
    digest.update(uint32(field.length)).update(field);
  }
  const cek = digest.update(uint32(256)).digest();
  const iv = Buffer.alloc(12, 4);
  const cipher = createCipheriv('aes-256-gcm', cek, iv).setAAD(ascii(protectedText));
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]).toString('base64url');
  const tag = cipher.getAuthTag().toString('base64url');
  return [protectedText, '', iv.toString('base64url'), ciphertext, tag].join('.');
}

it.each(published)('opens the published message (%#)', async ({ key, jwe, text }) => {
  expect(await opened(jwe, key)).toEqual({ ok: true, text });
});

it('derives the key of RFC 7518 appendix C', () => {
  const secret = new Uint8Array([
    158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66, 131, 191, 132, 38, 156, 251, 49, 110, 163,
    218, 128, 106, 72, 246, 218, 167, 121, 140, 254, 144, 196,
  ]);
  const derived = concatKdf(secret, 'A128GCM', ascii('Alice'), ascii('Bob'), 128);
  expect(encodeBase64(derived, 'url')).toBe('VqqN6vgjbSBcIijNcacQGg');
});

it('opens what names its parties, and what is empty', async () => {
  const parties = { apu: 'QWxpY2U', apv: 'Qm9i' };
  expect(await opened(sealByNode(ascii('{}'), parties))).toEqual({ ok: true, text: '{}' });
  expect(await opened(sealByNode(new Uint8Array(0)))).toEqual({ ok: true, text: '' });
});

describe('refuses', () => {
  const changed = (part: string) => (part.startsWith('A') ? 'B' : 'A') + part.slice(1);

  it.each([
    ['nothing', ''],
    ['four parts', parts.slice(0, 4).join('.')],
    ['six parts', `${jwe}.AA`],
    ['a hundred thousand parts', '.'.repeat(100_000)],
    ['an encrypted key', withPart(1, 'AAAA')],
    ['a short IV', withPart(2, 'AAAA')],
    ['a short tag', withPart(4, 'AAAA')],
    ['a ciphertext with padding', withPart(3, `${parts[3]}==`)],
    ['other digits', withPart(3, '+/+/')],
  ])('%s as a bad shape', async (_, text) => {
    expect(await opened(text)).toEqual({ ok: false, code: 'badShape' });
  });

  it.each<[string, string]>([
    ['no JSON', Buffer.from('{').toString('base64url')],
    ['no object', json(7)],
    ['null', json(null)],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')],
    ['another agreement', json({ ...header, alg: 'ECDH-ES+A256KW' })],
    ['no agreement', json({ ...header, alg: 'dir' })],
    ['another cipher', json({ ...header, enc: 'A128GCM' })],
    ['an extension that must be understood', json({ ...header, crit: ['exp'], exp: 1 })],
    ['compression', json({ ...header, zip: 'DEF' })],
    ['no key of the sender', json({ ...header, epk: undefined })],
    ['null as the key of the sender', json({ ...header, epk: null })],
    ['a party that is no text', json({ ...header, apu: 7 })],
    ['more than a kilobyte', json({ ...header, kid: 'x'.repeat(1024) })],
    ['brackets without end', Buffer.from('['.repeat(1000)).toString('base64url')],
  ])('%s as a bad header', async (_, text) => {
    expect(await opened(withPart(0, text))).toEqual({ ok: false, code: 'badHeader' });
  });

  it('a key of the sender that is not on the curve', async () => {
    const epk = { ...header.epk, y: header.epk.x };
    const text = withPart(0, json({ ...header, epk }));
    expect(await opened(text)).toEqual({ ok: false, code: 'badPeerKey' });
  });

  it.each([
    ['ciphertext', 3],
    ['tag', 4],
    ['IV', 2],
  ])('a changed %s', async (_, at) => {
    const text = withPart(at, changed(parts[at] ?? ''));
    expect(await opened(text)).toEqual({ ok: false, code: 'badTag' });
  });

  it('a changed header, though it means the same', async () => {
    const text = withPart(0, json({ ...header, typ: 'JWE' }));
    expect(await opened(text)).toEqual({ ok: false, code: 'badTag' });
  });

  it("a message for somebody else's key", async () => {
    expect(await opened(jwe, published[1].key)).toEqual({ ok: false, code: 'badTag' });
  });

  it('a cleartext that is no UTF-8', async () => {
    const text = sealByNode(new Uint8Array([0xc3, 0x28]));
    expect(await opened(text)).toEqual({ ok: false, code: 'badUtf8' });
  });
});
