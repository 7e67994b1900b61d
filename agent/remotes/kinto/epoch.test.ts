// What a collection belongs to: read, made once, and known from the time when it had another id.

import { describe, expect, test } from 'vitest';
import { deviceCrypto } from '../../../crypto/device.ts';
import { createRandom } from '../../../emulator/device/random.ts';
import { otherClient } from '../../../emulator/servers/kinto/other-client.ts';
import { nodeDeviceCrypto } from '../../../platform/node/crypto.ts';
import { answer, serverOf } from '../../../test/support/kinto-batch.ts';
import type { PartAnswer } from './batch.ts';
import { epochsOf } from './epoch.ts';
import { kintoKeys } from './keys.ts';

const KB = '22'.repeat(32);
const EPOCH = 'AAAAAAAAAAAAAAAA';
const other = otherClient(KB, 'c');
const id = other.epochId;
const random = createRandom(1);
const entropy = { random: (count: number) => random.bytes(count) };
const sealer = {
  id: kintoKeys({ kB: KB }).epochIdFor('c'),
  crypto: deviceCrypto(nodeDeviceCrypto(), entropy, async () => undefined, 1e9),
  bundle: kintoKeys({ kB: KB }).bundleFor('c'),
  form: '',
  mayMake: true,
};
const reader = { ...sealer, mayMake: false };

const sealed = (body: object) => ({ payload: other.seal(JSON.stringify(body)) });
const there = (payload: object) => answer(200, {}, { data: payload });
const gone = [answer(404)];
const old = (epoch = EPOCH) => [there(sealed({ id: 'epoch', epoch }))];

async function asked(answers: (PartAnswer[] | 'readOnly')[], who = sealer) {
  const { kinto, asked } = serverOf(...answers);
  const [epoch] = await epochsOf(kinto, ['c'], () => who, { platform: { entropy } } as never);
  return { epoch, asked: asked.flat(), paths: asked.flat().map(({ path }) => path) };
}
const put = { method: 'PUT', path: `/b/c/records/${id}`, headers: { 'If-None-Match': '*' } };
/** What the last request would have stored. */
const stored = (parts: readonly { readonly body?: unknown }[]): unknown => {
  const [, payload = '""'] =
    /"payload":("(?:[^"\\]|\\.)*")/.exec(JSON.stringify(parts.at(-1))) ?? [];
  return JSON.parse(other.open(JSON.parse(payload)) ?? '');
};

describe('an epoch', () => {
  test('has an id of its own in each collection and for each key', () => {
    const ids = [KB, '33'.repeat(32)].flatMap((kB) =>
      ['c', 'd'].map((name) => kintoKeys({ kB }).epochIdFor(name)),
    );
    expect(new Set(ids).size).toBe(4);
    expect(ids[0]).toBe(id);
    expect(id).toMatch(/^epoch-[0-9a-f]{32}$/);
  });

  test('is read where there is one, with one request', async () => {
    const { epoch, paths } = await asked([[there(sealed({ id, epoch: EPOCH }))]]);
    expect([epoch, paths]).toEqual([EPOCH, [`/b/c/records/${id}`]]);
  });

  test.each([
    ['sealed under another key', otherClient('33'.repeat(32), 'c').sealedEpoch(EPOCH)],
    ['of another collection', otherClient(KB, 'd').sealedEpoch(EPOCH)],
    ['of another record', other.seal(JSON.stringify({ id: 'x', epoch: EPOCH }))],
    ['that had another id', other.seal(JSON.stringify({ id: 'epoch', epoch: EPOCH }))],
    ['without what it should say', other.sealedEpoch('x')],
    ['that is nothing', 'x'],
  ])('%s is a key that does not fit', async (_, payload) => {
    expect((await asked([[there({ payload })]])).epoch).toMatchObject({ code: 'keyMismatch' });
  });

  test('of a form that is not known stops what would not know the records', async () => {
    const payload = other.sealedEpoch(`${EPOCH}/waves`);
    expect((await asked([[there({ payload })]])).epoch).toMatchObject({ code: 'clientTooOld' });
  });

  test('is made where there is none, sealed, and under no other one', async () => {
    const { epoch, asked: parts } = await asked([gone, gone, [answer(201)]]);
    expect(parts[2]).toMatchObject(put);
    expect(epoch).toMatch(/^[\w-]{16}$/);
    expect(stored(parts)).toEqual({ id, epoch });
  });

  test('that another device has made meanwhile counts', async () => {
    const existing = sealed({ id, epoch: EPOCH });
    const conflict = [answer(412, {}, { details: { existing } })];
    expect(await asked([gone, gone, conflict])).toMatchObject({ epoch: EPOCH });
  });

  test('that may not be made, or is not told, is none', async () => {
    for (const last of [403, 404, 412, 503]) {
      expect(await asked([gone, gone, [answer(last)]])).toMatchObject({ epoch: null });
      if (last === 404) continue;
      expect(await asked([gone, [answer(last)]])).toMatchObject({ epoch: null });
      expect(await asked([[answer(last)]])).toMatchObject({ epoch: null });
    }
    expect(await asked([gone, gone, 'readOnly'])).toMatchObject({ epoch: null });
    expect(await asked([gone, 'readOnly'])).toMatchObject({ epoch: null });
    expect(await asked(['readOnly'])).toMatchObject({ epoch: null });
  });

  test('is not made by a device that changes nothing there', async () => {
    const { epoch, asked: parts } = await asked([gone, gone], reader);
    expect([epoch, parts.length]).toEqual([null, 2]);
  });
});

describe('an epoch that has the id of all collections', () => {
  test('is put under the id of its own, and is the same', async () => {
    const { epoch, asked: parts } = await asked([gone, old(`${EPOCH}/packs`), [answer(201)]]);
    expect(epoch).toBe(`${EPOCH}/packs`);
    expect(parts[1]).toMatchObject({ method: 'GET', path: '/b/c/records/epoch' });
    expect(parts[2]).toMatchObject(put);
    expect(stored(parts)).toEqual({ id, epoch });
  });

  test('counts where it cannot be put there, and for who changes nothing', async () => {
    for (const last of [403, 503]) {
      expect(await asked([gone, old(), [answer(last)]])).toMatchObject({ epoch: EPOCH });
    }
    const { epoch, asked: parts } = await asked([gone, old()], reader);
    expect([epoch, parts.length]).toEqual([EPOCH, 2]);
  });

  test('gives way to one that another device has put there', async () => {
    const existing = sealed({ id, epoch: 'B'.repeat(16) });
    const conflict = [answer(412, {}, { details: { existing } })];
    expect(await asked([gone, old(), conflict])).toMatchObject({ epoch: 'B'.repeat(16) });
  });

  test('under another key is a key that does not fit, and nothing is made beside it', async () => {
    const { epoch, asked: parts } = await asked([gone, [there({ payload: 'x' })]]);
    expect(epoch).toMatchObject({ code: 'keyMismatch' });
    expect(parts).toHaveLength(2);
  });
});
