// A sealed pack: another client reads it, and nothing of it can be changed or put elsewhere.

import { expect, test } from 'vitest';
import { deviceCrypto } from '../../../../crypto/device.ts';
import { softwareCrypto } from '../../../../crypto/software.ts';
import { createRandom } from '../../../../emulator/device/random.ts';
import { otherClient } from '../../../../emulator/servers/kinto/other-client.ts';
import { nodeDeviceCrypto } from '../../../../platform/node/crypto.ts';
import { otherPacks } from '../../../../test/support/kinto-packs.ts';
import { kintoKeys } from '../keys.ts';
import { LIVE, type Pack } from './pack.ts';
import { packSeal } from './seal.ts';
import { piecesOf } from './texts.ts';

const KB = '11'.repeat(32);
const other = otherPacks(KB, 'things');
const pause = async (): Promise<void> => undefined;
const random = createRandom(1);
const entropy = { random: (count: number) => random.bytes(count) };
const bundle = kintoKeys({ kB: KB }).bundleFor('things');
const byDevice = packSeal(deviceCrypto(nodeDeviceCrypto(), entropy, pause), bundle, 4_000);
const inJavaScript = packSeal(softwareCrypto(entropy, pause), bundle, 4_000);
const HASH = Buffer.alloc(32, 7).toString('base64url');
const TIMES = { writtenMs: 1_795_000_000_000, salt: 9, kind: LIVE } as const;
const TEXT = '{"id":"ü"}';
const ENTRY = { ...TIMES, ...piecesOf(TEXT) };
const pack: Pack = { isFull: true, entries: new Map([[`h-${HASH}`, ENTRY]]) };
const theirs = { isFull: true, entries: [{ hash: HASH, ...TIMES, text: TEXT }] };

test.each([
  ['the device', byDevice],
  ['JavaScript', inJavaScript],
])('what %s seals another client opens, and the other way round', async (_, ours) => {
  const [payload = ''] = await ours.seal([['p-1', pack]]);
  expect(other.openPack('p-1', payload)).toEqual(theirs);
  const opened = await ours.open('p-1', other.sealPack('p-1', theirs));
  const [[id, entry] = []] = opened?.entries ?? [];
  expect([id, entry?.text]).toEqual([`h-${HASH}`, TEXT]);
  expect(opened).toMatchObject({ isFull: true, entries: new Map([[`h-${HASH}`, TIMES]]) });
});

test('each of many opens in its own place alone', async () => {
  const sealed = await byDevice.seal([
    ['p-', pack],
    ['p-0', pack],
  ]);
  expect(new Set(sealed).size).toBe(2);
  expect(await byDevice.open('p-', sealed[0] ?? '')).toEqual(pack);
  expect(await byDevice.open('p-0', sealed[0] ?? '')).toBeNull();
  expect(await byDevice.open('p-', otherPacks(KB, 'others').sealPack('p-', theirs))).toBeNull();
});

test.each(['IV', 'ciphertext', 'hmac'])(
  'with any bit of its %s changed it does not open',
  async (member) => {
    const envelope = JSON.parse(other.sealPack('p-', theirs));
    const form = member === 'hmac' ? 'hex' : 'base64';
    const bytes = Buffer.from(envelope[member], form);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const payload = JSON.stringify({ ...envelope, [member]: changed.toString(form) });
      expect(await byDevice.open('p-', payload)).toBeNull();
    }
  },
);

test.each([
  ['no envelope', 'AAAA'],
  ['nothing', ''],
  ['no pack inside', other.sealItems(['p-'.padEnd(16), 'x'])],
  ['a record that lies alone', otherClient(KB, 'things').sealed('one', { id: 'one' })],
])('%s is no pack', async (_, payload) => {
  expect(await byDevice.open('p-', payload)).toBeNull();
});

test('a longer one than is opened is not looked at, though it is one', async () => {
  const entries = Array.from({ length: 40 }, (_, n) => ({
    ...{ hash: Buffer.alloc(32, n).toString('base64url'), ...TIMES, text: 'x'.repeat(60) },
  }));
  const payload = other.sealPack('p-', { isFull: false, entries });
  expect(await byDevice.open('p-', payload)).toBeNull();
  const few = other.sealPack('p-', { isFull: false, entries: entries.slice(0, 10) });
  expect((await byDevice.open('p-', few))?.entries.size).toBe(10);
});
