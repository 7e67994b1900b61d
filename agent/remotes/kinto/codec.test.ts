// Whose word counts: a body proves its record, a sealed tombstone deletes it, and the wire alone
// says nothing.

import { describe, expect, test } from 'vitest';
import { deviceCrypto } from '../../../crypto/device.ts';
import { createRandom } from '../../../emulator/device/random.ts';
import { nodeDeviceCrypto } from '../../../platform/node/crypto.ts';
import { otherClient } from '../../../test/support/kinto-client.ts';
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
const sealed = (body: object): string => other.seal(JSON.stringify(body));

describe('a record of another client', () => {
  test.each([
    ['its own id inside', { id: 'one', text: 'x' }, 'live'],
    ['another id inside', { id: 'two' }, 'idMismatch'],
    ['no id inside', { text: 'x' }, 'idMismatch'],
    ['a tombstone with its wire id', { id: wireId, deleted: true }, 'tombstone'],
    ['a tombstone for another record', { id: other.wireId('two'), deleted: true }, 'idMismatch'],
    ['a tombstone for nobody', { deleted: true }, 'idMismatch'],
    ['a tombstone under its own id', { id: 'one', deleted: true }, 'idMismatch'],
  ])('with %s is %s', async (_, body, kind) => {
    expect(await opened(envelope(wireId, sealed(body)))).toEqual([kind]);
  });

  test('that is sealed under the keys of another collection does not open', async () => {
    const payload = otherClient(KB, 'others').seal(JSON.stringify({ id: 'one' }));
    expect(await opened(envelope(wireId, payload))).toEqual(['badMac']);
  });

  test('that only the wire says is deleted is not proven, and spoils no neighbour', async () => {
    const good = envelope(wireId, sealed({ id: 'one', text: 'x'.repeat(9_000) }));
    const all = [envelope('h-1', null), good, envelope('h-2', null), good];
    expect(await opened(...all)).toEqual(['unprovenDeletion', 'live', 'unprovenDeletion', 'live']);
  });
});

test('what is sealed here opens there, and says which record it is', async () => {
  const change = { id: wireId, base: null, changedAtMs: 1 };
  const { payload } = await codec.seal({ ...change, body: { id: 'one', text: 'ü' } });
  expect(JSON.parse(other.open(payload ?? '') ?? '')).toEqual({ id: 'one', text: 'ü' });
  const gone = await codec.seal({ ...change, body: null });
  expect(JSON.parse(other.open(gone.payload ?? '') ?? '')).toEqual({ id: wireId, deleted: true });
});
