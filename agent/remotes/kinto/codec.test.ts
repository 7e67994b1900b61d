// Whose word counts: a body proves its record, a sealed tombstone deletes it, and the wire alone
// says nothing.

import { describe, expect, test } from 'vitest';
import { deviceCrypto } from '../../../crypto/device.ts';
import { createRandom } from '../../../emulator/device/random.ts';
import { otherClient } from '../../../emulator/servers/kinto/other-client.ts';
import { nodeDeviceCrypto } from '../../../platform/node/crypto.ts';
import { generic } from '../../collections/generic.ts';
import { withIds } from '../ids.ts';
import { sealedCodec } from './codec.ts';
import { kintoKeys } from './keys.ts';

const KB = '11'.repeat(32);
const other = otherClient(KB, 'things');
const random = createRandom(1);
const pause = async (): Promise<void> => undefined;
const collection = withIds(generic('things'), {
  complaint: '',
  wireId: (id) => other.wireId(String(id)),
  ownId: (wireId, body) => String(body?.id ?? wireId),
  proves: (wireId, body) => wireId === other.wireId(String(body.id)),
});
const codec = sealedCodec({
  collection,
  crypto: deviceCrypto(nodeDeviceCrypto(), { random: (n) => random.bytes(n) }, pause, 1e9),
  bundle: kintoKeys({ kB: KB }).bundleFor('things'),
  pause,
});
const envelope = (id: string, payload: string | null) => ({
  ...{ id, payload, version: '1', modifiedMs: 1 },
});
const opened = async (...envelopes: ReturnType<typeof envelope>[]) =>
  (await codec.open(envelopes)).map((one) => ('code' in one ? one.code : one.kind));

const wireId = other.wireId('one');

describe('a record of another client', () => {
  test.each([
    ['its wire id first and its own id inside', `${wireId}{"id":"one","text":"x"}`, 'live'],
    ['another id inside', `${wireId}{"id":"two"}`, 'idMismatch'],
    ['no id inside', `${wireId}{"text":"x"}`, 'idMismatch'],
    ['the wire id of another record', `${other.wireId('two')}{"id":"one"}`, 'idMismatch'],
    ['no wire id', '{"id":"one","text":"x"}', 'idMismatch'],
    ['nothing behind its wire id', wireId, 'badJson'],
    ['a list behind it', `${wireId}["one"]`, 'notAnObject'],
    ['a tombstone', `${wireId}{"deleted":true}`, 'tombstone'],
    ['the tombstone of another record', `${other.wireId('two')}{"deleted":true}`, 'idMismatch'],
    ['the tombstone of nobody', '{"deleted":true}', 'idMismatch'],
    ['the tombstone of its own id', 'one{"deleted":true}', 'idMismatch'],
  ])('with %s is %s', async (_, cleartext, kind) => {
    expect(await opened(envelope(wireId, other.seal(cleartext)))).toEqual([kind]);
  });

  test.each([
    ['a record with the shortest own id', 'a', { id: 'a', b: 1 }],
    ['a tombstone', 'a', null],
  ])('that is %s is refused with any other IV', async (_, id, body) => {
    const place = other.wireId(id);
    const { ciphertext, IV, hmac } = JSON.parse(other.sealed(id, body));
    const flipped = Array.from({ length: 128 }, (_, bit) => {
      const iv = Buffer.from(IV, 'base64');
      iv[bit >> 3] = (iv[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return envelope(place, JSON.stringify({ ciphertext, IV: iv.toString('base64'), hmac }));
    });
    const kinds = new Set(await opened(...flipped));
    expect([...kinds].sort()).toEqual(['badUtf8', 'idMismatch']);
  });

  test('that is sealed under the keys of another collection does not open', async () => {
    const payload = otherClient(KB, 'others').sealed('one', { id: 'one' });
    expect(await opened(envelope(wireId, payload))).toEqual(['badMac']);
  });

  test('that only the wire says is deleted is not proven, and spoils no neighbour', async () => {
    const good = envelope(wireId, other.sealed('one', { id: 'one', text: 'x'.repeat(9_000) }));
    const all = [envelope('h-1', null), good, envelope('h-2', null), good];
    expect(await opened(...all)).toEqual(['unprovenDeletion', 'live', 'unprovenDeletion', 'live']);
  });
});

test('what is sealed here opens there, and says which record it is', async () => {
  const change = { id: wireId, base: null, changedAtMs: 1 };
  const { payload } = await codec.seal({ ...change, body: { id: 'one', text: 'ü' } });
  expect(other.open(payload ?? '')).toBe(`${wireId}{"id":"one","text":"ü"}`);
  const gone = await codec.seal({ ...change, body: null });
  expect(other.open(gone.payload ?? '')).toBe(`${wireId}{"deleted":true}`);
});
