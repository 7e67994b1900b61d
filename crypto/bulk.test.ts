// Where bulk work is done, and what becomes of a device that fails at it or lies. That both ways
// compute the same is the contract's (test/contract/bulk.ts).

import { expect, it, test } from 'vitest';
import type { Algorithm, DeviceCrypto } from '../platform/crypto-port.ts';
import { nodeDeviceCrypto } from '../platform/node/crypto.ts';
import { type BulkCrypto, bulkCrypto } from './bulk.ts';

const key = new Uint8Array(32).fill(5);
const iv = new Uint8Array(16).fill(6);
const gcmIv = iv.slice(0, 12);
const bytes = new Uint8Array(40).fill(7);
const pause = async () => {};

type Compute = NonNullable<DeviceCrypto['compute']>;

interface Call {
  readonly algorithm: Algorithm;
  readonly items: number;
  readonly bytes: number;
}

/** A device that does as node:crypto does, and what it was asked. */
function asked(): { bulk: BulkCrypto; calls: Call[] } {
  const calls: Call[] = [];
  const compute: Compute = async (algorithm, ...given) => {
    const pieces = given[1].flat();
    const sum = pieces.reduce((total, { length }) => total + length, 0);
    calls.push({ algorithm, items: given[1].length, bytes: sum });
    return (await nodeDeviceCrypto().compute?.(algorithm, ...given)) ?? [];
  };
  return { bulk: bulkCrypto({ compute }, pause), calls };
}

it('asks the device once for a batch of 64 items, or of 16 KiB', async () => {
  const { bulk, calls } = asked();
  await bulk.sha256(Array.from({ length: 130 }, () => bytes));
  expect(calls.map(({ items }) => items)).toEqual([64, 64, 2]);
  calls.length = 0;
  const long = new Uint8Array(7_000);
  await bulk.hmac(key, [long, long, long, new Uint8Array(50_000), long]);
  expect(calls.map((call) => call.bytes)).toEqual([14_000, 7_000, 50_000, 7_000]);
});

it('asks the device for all that it can, and for nothing that cannot be', async () => {
  const { bulk, calls } = asked();
  await bulk.sha256([]);
  await bulk.decrypt('cbc', key, [{ iv, bytes: new Uint8Array(15) }]);
  await bulk.decrypt('gcm', key, [{ iv, bytes }]);
  expect(calls).toEqual([]);
  await bulk.hmac(key, [bytes]);
  const [cbc = bytes] = await bulk.encrypt('cbc', key, [{ iv, bytes }]);
  const [gcm = bytes] = await bulk.encrypt('gcm', key, [{ iv: gcmIv, bytes }]);
  await bulk.decrypt('cbc', key, [{ iv, bytes: cbc }]);
  await bulk.decrypt('gcm', key, [{ iv: gcmIv, bytes: gcm }]);
  expect(calls.map(({ algorithm }) => algorithm)).toEqual([
    ...['hmac', 'cbcEncrypt', 'gcmEncrypt', 'cbcDecrypt', 'gcmDecrypt'],
  ]);
});

it('computes itself where the device opens and seals records only', async () => {
  const { open, seal } = nodeDeviceCrypto();
  const device: DeviceCrypto = { open, seal };
  const [ours] = await bulkCrypto(device, pause).sha256([bytes]);
  const [theirs] = await asked().bulk.sha256([bytes]);
  expect([...(ours ?? [])]).toEqual([...(theirs ?? [])]);
});

/** Every call, on bytes that would be answered if the device did. */
const CALLS: readonly (readonly [Algorithm, (bulk: BulkCrypto) => Promise<unknown>])[] = [
  ['sha256', (bulk) => bulk.sha256([bytes])],
  ['hmac', (bulk) => bulk.hmac(key, [bytes])],
  ['cbcEncrypt', (bulk) => bulk.encrypt('cbc', key, [{ iv, bytes }])],
  ['cbcDecrypt', (bulk) => bulk.decrypt('cbc', key, [{ iv, bytes: bytes.slice(0, 32) }])],
  ['gcmEncrypt', (bulk) => bulk.encrypt('gcm', key, [{ iv: gcmIv, bytes }])],
  ['gcmDecrypt', (bulk) => bulk.decrypt('gcm', key, [{ iv: gcmIv, bytes }])],
];

const of = (length: number) => new Uint8Array(length);

test.each(CALLS)('a device that cannot compute is an error of the device: %s', async (_, call) => {
  const compute: Compute = async () => {
    throw Object.assign(new Error('the engine is busy'), { code: 'failed' });
  };
  await expect(call(bulkCrypto({ compute }, pause))).rejects.toMatchObject({
    code: 'badDevice',
    message: 'badDevice: the engine is busy',
  });
});

test.each(CALLS)('what the engine throws goes on as it is: %s', async (_, call) => {
  const failure = new RangeError('out of memory');
  const compute = (): never => {
    throw failure;
  };
  await expect(call(bulkCrypto({ compute }, pause))).rejects.toBe(failure);
  const later: Compute = () => Promise.reject(failure);
  await expect(call(bulkCrypto({ compute: later }, pause))).rejects.toBe(failure);
});

test.each(CALLS)('an answer that cannot be is one, too: %s', async (algorithm, call) => {
  const isRefusal = algorithm === 'cbcDecrypt' || algorithm === 'gcmDecrypt';
  const lengths = { sha256: [32], hmac: [32], cbcEncrypt: [48], gcmEncrypt: [56] };
  const right = { ...lengths, cbcDecrypt: [16, 31], gcmDecrypt: [24] }[algorithm];
  const answering = (answers: (Uint8Array | null)[]) =>
    call(bulkCrypto({ compute: async () => answers }, pause));
  for (let length = 0; length < 70; length++) {
    const isRight = length >= Math.min(...right) && length <= Math.max(...right);
    const answer = answering([of(length)]);
    if (isRight) expect(await answer).toHaveLength(1);
    else await expect(answer).rejects.toMatchObject({ code: 'badDevice' });
  }
  const size = right[0] ?? 0;
  for (const answers of [[], [of(size), of(size)]]) {
    await expect(answering(answers)).rejects.toMatchObject({ code: 'badDevice' });
  }
  if (isRefusal) expect(await answering([null])).toEqual([null]);
  else await expect(answering([null])).rejects.toMatchObject({ code: 'badDevice' });
});
