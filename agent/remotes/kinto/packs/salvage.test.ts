// A pack that is made anew of what a device holds.

import { expect, test } from 'vitest';
import type { Body } from '../../../collections/collection.ts';
import { PACK_BYTES_MAX } from './limits.ts';
import { ALONE, encodePack, LIVE, packIdOf, versionOf } from './pack.ts';
import { salvaged } from './salvage.ts';
import { NO_TEXT, piecesOf } from './texts.ts';

const idOf = (byte: number): string => `h-${Buffer.alloc(32, byte).toString('base64url')}`;
const TIMES = { writtenMs: 5, salt: 7 };
const heldOf = (...all: [id: string, body: Body, version: string | null][]) => ({
  ...{ position: '', plan: null },
  async each(take: (id: string, body: Body, version: string | null) => Promise<void>) {
    for (const one of all) await take(...one);
  },
});
const outgoing = (id: string, body: Body) => ({ id, ...body });

test('it has the records that lay in it, in the versions that others know', async () => {
  // 0b00..., 0b01..., 0b10...
  const [here, there, deeper] = [idOf(0), idOf(64), idOf(1)];
  const { pack, isFull } = await salvaged(
    packIdOf(here, 1),
    1,
    heldOf(
      [here, { n: 1 }, versionOf(1, TIMES)],
      [there, { n: 2 }, versionOf(1, TIMES)],
      [idOf(2), { n: 3 }, versionOf(0, TIMES)],
      [idOf(3), { n: 4 }, null],
    ),
    outgoing,
  );
  expect([...pack.entries]).toEqual([
    [here, { ...TIMES, kind: LIVE, ...piecesOf(JSON.stringify({ id: here, n: 1 })) }],
  ]);
  expect(isFull).toBe(false);
  const under = heldOf([deeper, {}, versionOf(2, TIMES)]);
  expect(await salvaged(packIdOf(here, 1), 1, under, outgoing)).toMatchObject({ isFull: true });
});

test('it tells of what lies alone', async () => {
  const held = heldOf([idOf(0), { n: 1 }, '1795000000000']);
  const { pack } = await salvaged('p-', 0, held, outgoing);
  expect(pack.entries.get(idOf(0))).toMatchObject({ kind: ALONE, ...NO_TEXT });
});

test('it is no longer than a pack may be', async () => {
  const body = { text: 'x'.repeat(900) };
  const all = Array.from({ length: 20 }, (_, n): [string, Body, string] => {
    return [idOf(n), body, versionOf(0, TIMES)];
  });
  const { pack } = await salvaged('p-', 0, heldOf(...all), outgoing);
  expect(pack.entries.size).toBeGreaterThan(6);
  expect(encodePack('p-', pack).length).toBeLessThanOrEqual(PACK_BYTES_MAX);
});
