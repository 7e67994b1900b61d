// One record of a collection with packs, asked for by its id, wherever it lies.

import { expect, test } from 'vitest';
import { deviceCrypto } from '../../../../crypto/device.ts';
import { nodeDeviceCrypto } from '../../../../platform/node/crypto.ts';
import { otherPacks, packIdAt } from '../../../../test/support/kinto-packs.ts';
import { generic } from '../../../collections/generic.ts';
import type { Fetched, RemoteOptions } from '../../remote.ts';
import type { Kinto } from '../http.ts';
import { kintoKeys } from '../keys.ts';
import { ALONE, LIVE } from './pack.ts';
import { openPacks } from './packs.ts';

const pause = async (): Promise<void> => undefined;
const entropy = { random: (count: number) => new Uint8Array(count).fill(1) };
const KB = '11'.repeat(32);
const theirs = otherPacks(KB, 'things');
const HASH = Buffer.alloc(32, 0x1b).toString('base64url');
const ID = `h-${HASH}`;
const entry = (kind: number, text: string) => ({ hash: HASH, writtenMs: 5, salt: 1, kind, text });
const here = entry(LIVE, '{"n":1}');

/** `server`: payloads by id. */
async function fetched(server: Record<string, string>) {
  const asked: string[] = [];
  const packs = openPacks({
    options: {
      platform: { clock: { pause }, entropy },
      config: {},
      notes: { serverNowMs: 9 },
    } as unknown as RemoteOptions,
    server: {} as Kinto,
    keys: kintoKeys({ kB: KB }),
    crypto: deviceCrypto(nodeDeviceCrypto(), entropy, pause),
    collection: generic('things'),
    async fetchWire(id): Promise<Fetched> {
      asked.push(id);
      const payload = server[id];
      if (payload === undefined) return { kind: 'missing' };
      const envelope = { id, version: '77', modifiedMs: 77, payload };
      return { kind: 'found', envelope, serverNowMs: 8 };
    },
  });
  return { result: await packs.fetch(ID), asked };
}

const seal = (level: number, isFull: boolean, ...entries: ReturnType<typeof entry>[]) => {
  const id = packIdAt(ID, level);
  return { [id]: theirs.sealPack(id, { isFull, entries }) };
};
const found = (version: string, modifiedMs: number | null, payload: string) => ({
  ...{ kind: 'found', envelope: { id: ID, version, modifiedMs, payload }, serverNowMs: 9 },
});

test('it is looked for from full pack to full pack, and no further', async () => {
  const full = { ...seal(0, true), ...seal(1, true) };
  const { result, asked } = await fetched({ ...full, ...seal(2, false, here) });
  expect(result).toEqual(found('2.5.1', 5, '{"n":1}'));
  expect(asked).toEqual(['p-', 'p-0', 'p-01']);
  expect((await fetched(full)).result).toEqual({ kind: 'missing' });
  const open = await fetched({ ...seal(0, false), ...seal(1, false, here) });
  expect(open).toEqual({ result: { kind: 'missing' }, asked: ['p-'] });
});

test('a pack on its way that does not open is in its place', async () => {
  const { result } = await fetched({ ...seal(0, true), 'p-0': 'AAAA' });
  expect(result).toEqual(found('!1.77', null, ''));
});

test('what lies alone is there, and what is about to is where it was', async () => {
  const alone = { ...seal(0, false, entry(ALONE, '')), [ID]: 'x' };
  expect((await fetched(alone)).result).toMatchObject({ envelope: { id: ID, version: '77' } });
  const leaving = seal(0, false, entry(ALONE, '{"n":1}'));
  expect((await fetched(leaving)).result).toEqual(found('0.5.1', 5, '{"n":1}'));
  const gone = seal(0, false, entry(ALONE, ''));
  expect((await fetched(gone)).result).toEqual({ kind: 'missing' });
});
