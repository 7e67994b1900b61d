import { expect, test } from 'vitest';
import { decodeHex } from '../../../crypto/bytes.ts';
import { textCrypto } from '../../../crypto/texts.ts';
import { nodeDeviceCrypto } from '../../../platform/node/crypto.ts';
import { VECTORS, type VectorChange } from '../../../test/support/picl-vectors.ts';
import { piclKeysOf } from './keys.ts';
import { type Change, chainV1, GENESIS, opaqueChain } from './scheme.ts';

const WAYS = [
  ['by the device', nodeDeviceCrypto()],
  ['in JavaScript', undefined],
] as const;

const schemeOf = (device: (typeof WAYS)[number][1]) => {
  const keys = piclKeysOf(decodeHex(VECTORS.keys.root_hex) ?? new Uint8Array());
  const crypto = textCrypto(device, async () => undefined);
  return chainV1(crypto, keys.signKey(VECTORS.keys.collection));
};

const changesOf = (vectors: readonly VectorChange[]): Change[] =>
  vectors.map(({ key, payload, seqnum, changeid, signature }) => {
    const whole = payload?.endsWith('repeated 262144') ? 'x'.repeat(262_144) : payload;
    return { key, payload: whole, seqnum, changeid, signature };
  });

test.each(WAYS)('ids and signatures are those of the vectors, %s', async (_how, device) => {
  const scheme = schemeOf(device);
  const { chain, rebase, encrypt } = VECTORS;
  for (const [previous, vectors] of [
    [GENESIS, chain],
    [rebase.head.changeid, rebase.first],
    [rebase.other_device[0]?.changeid ?? '', rebase.after],
    [rebase.head.changeid, rebase.other_device],
    [rebase.head.changeid, [encrypt.change]],
  ] as const) {
    const changes = changesOf(vectors);
    const ids = changes.map(({ changeid }) => changeid);
    expect(await scheme.mint(previous, changes)).toEqual(ids);
    expect(await scheme.sign(ids)).toEqual(changes.map(({ signature }) => signature));
    expect(await scheme.verify(previous, changes)).toBe(-1);
    expect(await scheme.verifySignatures(changes)).toBe(-1);
  }
});

test('the first change that is not what it must be is named', async () => {
  const scheme = schemeOf(undefined);
  const good = changesOf(VECTORS.chain.slice(0, 5));
  const with3 = (part: Partial<Change>): Change[] =>
    good.map((change, at) => (at === 3 ? { ...change, ...part } : change));
  expect(await scheme.verify(GENESIS, with3({ payload: 'other' }))).toBe(3);
  expect(await scheme.verify(GENESIS, with3({ payload: null }))).toBe(3);
  expect(await scheme.verify(GENESIS, with3({ key: 'other' }))).toBe(3);
  expect(await scheme.verify(GENESIS, with3({ seqnum: 5 }))).toBe(3);
  expect(await scheme.verify('B'.repeat(43), good)).toBe(0);
  expect(await scheme.verifySignatures(with3({ signature: good[2]?.signature ?? '' }))).toBe(3);
  expect(await scheme.verifySignatures(with3({ signature: '' }))).toBe(3);
});

test.each(WAYS)(
  'half a surrogate pair has no hash, whatever the id says, %s',
  async (_how, device) => {
    const scheme = schemeOf(device);
    const [first] = changesOf(VECTORS.chain);
    if (first === undefined) throw new Error('there are no vectors');
    const half = { ...first, payload: '\ud800' };
    const [changeid = ''] = await scheme.mint(GENESIS, [half]);
    expect(await scheme.verify(GENESIS, [{ ...half, changeid }])).toBe(0);
    const whole = { ...first, payload: 'ü' };
    const [other = ''] = await scheme.mint(GENESIS, [whole]);
    expect(await scheme.verify(GENESIS, [{ ...whole, changeid: other }])).toBe(-1);
  },
);

test('an opaque log is believed, and continued as ours are', async () => {
  const v1 = schemeOf(undefined);
  const scheme = opaqueChain(v1);
  const link = { key: 'key1', payload: 'p', seqnum: 126 };
  const theirs = [{ ...link, changeid: 'HASH1', signature: 'sig1' }];
  expect(await scheme.verify('HASH', theirs)).toBe(-1);
  expect(await scheme.verifySignatures(theirs)).toBe(-1);
  expect(await scheme.mint('HASH', [link])).toEqual(await v1.mint('HASH', [link]));
});
