// The bench of the contract of remotes with a collection in packs, and what must hold of them.

import { expect } from 'vitest';
import { Bench, MINUTE_MS } from '../contract/bench.ts';
import { otherPacks, packIdAt } from './kinto-packs.ts';
import { KB, kintoService, NAME } from './kinto-service.ts';

export const theirs = otherPacks(KB, NAME);

export function packedBench() {
  const service = kintoService({ packed: true });
  const bench = new Bench(() => service);
  const packs = () =>
    service
      .records()
      .live()
      .filter(({ id }) => id.startsWith('p-'))
      .map(({ id, payload }) => ({ id, ...theirs.openPack(id, String(payload)) }));
  const alone = (): string[] =>
    service
      .records()
      .live()
      .map(({ id }) => id)
      .filter((id) => id.startsWith('h-'));
  /** Each record has one place, on its own way, and nothing deeper than what is full. */
  const check = (): void => {
    const seen = new Set<string>();
    const all = packs();
    for (const { id: packId, entries } of all) {
      for (const { hash } of entries) {
        const id = `h-${hash}`;
        expect(seen.has(id), `${id} is in two packs`).toBe(false);
        seen.add(id);
        expect(packIdAt(id, packId.length - 2)).toBe(packId);
      }
      const above = all.find(({ id }) => id === packId.slice(0, -1));
      if (packId !== 'p-') expect(above?.isFull, `${packId} is under a full one`).toBe(true);
    }
    for (const id of alone()) expect(seen.has(id), `${id} is told in no pack`).toBe(true);
  };
  const synced = async (...devices: Awaited<ReturnType<Bench['boot']>>[]): Promise<void> => {
    for (const { agent } of [...devices, ...devices]) {
      bench.advance(MINUTE_MS, ...devices);
      expect(await agent.sync()).toMatchObject({ ok: true });
    }
    for (const device of devices) await bench.agreed(device);
    check();
  };
  return { service, bench, packs, alone, check, synced };
}
