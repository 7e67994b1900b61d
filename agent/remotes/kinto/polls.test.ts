// What a pass begins with: whether a collection has moved, whether it is there, what it belongs to.

import { describe, expect, test } from 'vitest';
import { deviceCrypto } from '../../../crypto/device.ts';
import { createRandom } from '../../../emulator/device/random.ts';
import { otherClient } from '../../../emulator/servers/kinto/other-client.ts';
import { nodeDeviceCrypto } from '../../../platform/node/crypto.ts';
import type { Wanted } from '../remote.ts';
import type { Part, PartAnswer } from './batch.ts';
import type { Kinto } from './http.ts';
import { kintoKeys } from './keys.ts';
import { epochsOf, make, poll } from './polls.ts';

const KB = '22'.repeat(32);
const other = otherClient(KB, 'c');
const random = createRandom(1);
const entropy = { random: (count: number) => random.bytes(count) };
const sealer = {
  crypto: deviceCrypto(nodeDeviceCrypto(), entropy, async () => undefined, 1e9),
  bundle: kintoKeys({ kB: KB }).bundleFor('c'),
  form: '',
  mayMake: true,
};

/** A server that answers each part with the next of these. */
function serverOf(...answers: (PartAnswer[] | 'readOnly')[]) {
  const asked: Part[][] = [];
  const kinto = {
    bucketPath: () => '/b',
    collectionPath: (name: string) => `/b/${name}`,
    recordsPath: (name: string) => `/b/${name}/records`,
    async ask(parts: readonly Part[]) {
      asked.push([...parts]);
      return answers.shift() ?? 'readOnly';
    },
  };
  return { kinto: kinto as unknown as Kinto, asked };
}
const answer = (status: number, headers: object = {}, body: unknown = ''): PartAnswer => ({
  ...{ status, headers, body },
});
const wanted = [{ store: { collection: { name: 'c' }, state: { position: '' } } }] as Wanted[];
const polled = async (...answers: PartAnswer[]) => poll(serverOf(answers).kinto, wanted);

describe('a poll', () => {
  const tag = { ETag: '"70"' };

  test('tells the stamp and both counts, by either name', async () => {
    const all = answer(200, { ...tag, 'Total-Objects': '5' });
    expect(await polled(all, answer(200, { 'total-records': '2' }))).toEqual([
      { kind: 'there', signature: { tagMs: 70, total: 5, young: 2 } },
    ]);
    expect(await polled(answer(200, { ...tag, 'Total-Objects': 'many' }), answer(500))).toEqual([
      { kind: 'there', signature: { tagMs: 70, total: -1, young: -1 } },
    ]);
    expect(await polled(answer(200, { ETag: 'W/x' }))).toMatchObject([{ signature: { tagMs: 0 } }]);
  });

  test.each([
    [403, 'refused'],
    [404, 'missing'],
    [503, 'unknown'],
  ])('%i is %s', async (status, kind) => {
    expect(await polled(answer(status), answer(status))).toEqual([{ kind }]);
  });

  test('of a server that takes no batch tells nothing', async () => {
    expect(await poll(serverOf('readOnly').kinto, wanted)).toEqual([{ kind: 'unknown' }]);
  });
});

test('what is made is there, made by whomever; what may not be made is not', async () => {
  const answers = [answer(412), answer(201), answer(412), answer(403)];
  expect(await make(serverOf(answers).kinto, ['a', 'b', 'c'])).toEqual([true, true, false]);
  expect(await make(serverOf('readOnly').kinto, ['a'])).toEqual([false]);
});

describe('an epoch', () => {
  const EPOCH = 'AAAAAAAAAAAAAAAA';
  const sealed = (body: object) => ({ payload: other.seal(JSON.stringify(body)) });
  const there = (payload: object) => answer(200, {}, { data: payload });
  const asked = async (...answers: (PartAnswer[] | 'readOnly')[]) => {
    const { kinto, asked } = serverOf(...answers);
    const [epoch] = await epochsOf(kinto, ['c'], () => sealer, { platform: { entropy } } as never);
    return { epoch, asked };
  };

  test('is not made by a device that changes nothing there', async () => {
    const { kinto, asked } = serverOf([answer(404)]);
    const reader = () => ({ ...sealer, mayMake: false });
    const found = await epochsOf(kinto, ['c'], reader, { platform: { entropy } } as never);
    expect([found, asked.length]).toEqual([[null], 1]);
  });

  test('is read where there is one', async () => {
    const good = sealed({ id: 'epoch', epoch: EPOCH });
    expect(await asked([there(good)])).toMatchObject({ epoch: EPOCH });
  });

  test.each([
    ['sealed under another key', otherClient('33'.repeat(32), 'c').seal('{"id":"epoch"}')],
    ['of another record', other.seal(JSON.stringify({ id: 'x', epoch: EPOCH }))],
    ['without what it should say', other.seal(JSON.stringify({ id: 'epoch', epoch: 'x' }))],
    ['that is nothing', 'x'],
  ])('%s is a key that does not fit', async (_, payload) => {
    expect((await asked([there({ payload })])).epoch).toMatchObject({ code: 'keyMismatch' });
  });

  test('is made where there is none, sealed, and under no other one', async () => {
    const { epoch, asked: parts } = await asked([answer(404)], [answer(201)]);
    const [put] = parts[1] ?? [];
    expect(put).toMatchObject({ method: 'PUT', headers: { 'If-None-Match': '*' } });
    const [, payload = ''] = /"payload":(".*")/.exec(JSON.stringify(put?.body)) ?? [];
    expect(JSON.parse(other.open(JSON.parse(payload)) ?? '')).toEqual({ id: 'epoch', epoch });
  });

  test('that another device has made meanwhile counts', async () => {
    const existing = sealed({ id: 'epoch', epoch: EPOCH });
    const conflict = answer(412, {}, { details: { existing } });
    expect(await asked([answer(404)], [conflict])).toMatchObject({ epoch: EPOCH });
  });

  test('that may not be made, or is not told, is none', async () => {
    expect(await asked([answer(404)], [answer(403)])).toMatchObject({ epoch: null });
    expect(await asked([answer(404)])).toMatchObject({ epoch: null });
    expect(await asked([answer(404)], [answer(412)])).toMatchObject({ epoch: null });
    expect(await asked([answer(503)])).toMatchObject({ epoch: null });
    expect(await asked('readOnly')).toMatchObject({ epoch: null });
  });
});
