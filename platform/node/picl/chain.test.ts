import { describe, expect, test } from 'vitest';
import { PICL_VECTORS, type PiclVector } from '../../../test/picl/fixtures.ts';
import { changeidOf, GENESIS, keysOf, preimageOf, signatureOf } from './chain.ts';
import { openPayload, sealPayload } from './seal.ts';

const { keys, genesis, chain, rebase, encrypt } = PICL_VECTORS;
const root = Buffer.from(keys.root_hex, 'hex');
const { sign, encrypt: sealKey } = keysOf(root, keys.collection);

test('the keys of a collection', () => {
  expect([sign.toString('hex'), sealKey.toString('hex')]).toEqual([
    keys.k_sign_hex,
    keys.k_enc_hex,
  ]);
  expect(keysOf(root, 'bookmarks').sign.toString('hex')).toBe(keys.k_sign_bookmarks_hex);
  expect(GENESIS).toBe(genesis.changeid);
});

describe('ids and signatures', () => {
  const changes = [...chain, ...rebase.first, ...rebase.other_device, ...rebase.after];
  test.each([...changes, encrypt.change])('of $seqnum $key', (vector) => {
    const change = { ...vector, payload: payloadOf(vector) };
    expect(preimageOf(change, vector.prev)).toBe(vector.preimage);
    expect(changeidOf(change, vector.prev)).toBe(vector.changeid);
    expect(signatureOf(vector.changeid, sign)).toBe(vector.signature);
  });
});

describe('a payload', () => {
  const place = { collection: keys.collection, key: encrypt.key, seqnum: encrypt.seqnum };

  test('opens in its place and is sealed as it was', () => {
    const iv = Buffer.from(encrypt.iv_hex, 'hex');
    const text = Buffer.from(encrypt.plaintext);
    expect(openPayload(encrypt.payload, place, sealKey)).toEqual(text);
    expect(sealPayload(text, place, sealKey, iv)).toBe(encrypt.payload);
  });

  test.each([
    ['another key', { ...place, key: 'key2' }],
    ['another number', { ...place, seqnum: 127 }],
    ['another collection', { ...place, collection: 'bookmarks' }],
  ])('does not open under %s', (_, other) => {
    expect(openPayload(encrypt.payload, other, sealKey)).toBeNull();
  });

  test.each([
    ['a version that nobody knows', `Ag${encrypt.payload.slice(2)}`],
    [
      'a flipped bit',
      `${encrypt.payload.slice(0, -2)}${encrypt.payload.endsWith('Q') ? 'g' : 'Q'}A`,
    ],
    ['padding', `${encrypt.payload}==`],
    ['nothing', ''],
    ['28 bytes', 'AQ'.padEnd(38, 'A')],
  ])('does not open with %s', (_, payload) => {
    expect(openPayload(payload, place, sealKey)).toBeNull();
  });
});

/** The longest one is described. */
function payloadOf({ payload }: PiclVector): string | null {
  return payload === '"x" repeated 262144' ? 'x'.repeat(262_144) : payload;
}
