// A device of two remotes that have both synced, and what each of them holds.

import { expect } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Change, Value } from '../../platform/ports.ts';
import { type TwoDevice, type TwoRemotes, twoRemotes } from './two-remotes.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const PAGE = { url: 'https://mine.example/', title: 'mine' };
export const OURS = { id: 'recipe-3', name: 'ours' };
export const ON = { enabled: true, readOnly: false };
export const SIDES = ['first', 'work'] as const;
type Side = (typeof SIDES)[number];

interface Synced extends TwoRemotes {
  readonly device: TwoDevice;
}

/** Both are signed in and have synced. */
export async function synced(): Promise<Synced> {
  const bench = twoRemotes();
  const device = await bench.boot();
  expect(await device.agent.enable()).toMatchObject({ ok: true, error: null });
  await bench.advance(MINUTE_MS, device);
  for (const side of [bench.home, bench.work]) side.asked.length = 0;
  return { ...bench, device };
}

export const sideOf = (bench: TwoRemotes, name: Side) =>
  name === 'first' ? bench.home : bench.work;
export const otherThan = (name: Side): Side => (name === 'first' ? 'work' : 'first');

/** A change of a collection of this remote; what is pending there. */
export const editOf = ({ agent }: TwoDevice, name: Side): Promise<string> =>
  name === 'first' ? agent.put('history', PAGE) : agent.put('recipes', OURS);
export const pendingOf = ({ agent }: TwoDevice, name: Side): number | undefined =>
  agent.status().collections[name === 'first' ? 'history' : 'recipes']?.pending;

/** What is stored of one remote. */
export function rowsOf(storage: MemoryStorage, name: Side): [string, Value][] {
  return storage.snapshot().filter(([key]) => key.startsWith(':work:') === (name === 'work'));
}

/**
 * A storage of these rows whose reads fail while it is broken, until it is repaired; the rows that
 * it `loses` are gone then.
 */
export function breakable(rows: [string, Value][], loses: (key: string) => boolean) {
  const storage = new MemoryStorage(rows);
  const get = storage.get.bind(storage);
  const made = Object.assign(storage, {
    isBroken: true,
    async get(keys: readonly string[]) {
      if (made.isBroken) throw Object.assign(new Error('a page'), { code: 'damaged' });
      return get(keys);
    },
    async repair(ifLost: readonly Change[]) {
      made.isBroken = false;
      const gone = made.snapshot().filter(([key]) => loses(key));
      await made.commit([...gone.map(([key]) => [key, null] as const), ...ifLost]);
      return false;
    },
  });
  return made;
}

/** What the device and the servers hold, in few words. */
export async function holdings({ home, work }: TwoRemotes, { agent }: TwoDevice) {
  const idsOf = async (name: string): Promise<string[]> => {
    const { records } = await agent.list(name, { limit: 100 });
    return records.map(({ guid, id }) => `${guid ?? id}`).sort();
  };
  const live = (side: typeof home, name: string) => [...side.other.live(name).keys()].sort();
  return {
    device: [await idsOf('history'), await idsOf('passwords'), await idsOf('recipes')],
    servers: [live(home, 'history'), live(home, 'passwords'), live(work, 'recipes')],
  };
}
