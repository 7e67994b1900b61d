// A device of two remotes, through its public door: each does its own, and nothing that happens to
// one is anything to the other.

import { describe, expect, test } from 'vitest';
import { type TwoDevice, type TwoRemotes, twoRemotes } from '../../test/support/two-remotes.ts';

const MINUTE_MS = 60_000;

/** Both are signed in and have synced. */
async function synced(): Promise<TwoRemotes & { readonly device: TwoDevice }> {
  const bench = twoRemotes();
  const device = await bench.boot();
  expect(await device.agent.enable()).toMatchObject({ ok: true, error: null });
  await bench.advance(MINUTE_MS, device);
  for (const side of [bench.home, bench.work]) side.asked.length = 0;
  return { ...bench, device };
}

describe('two remotes', () => {
  test('sync, each what is its own', async () => {
    const { home, work, device } = await synced();
    const { agent } = device;
    const { collections, remotes } = agent.status();
    expect(Object.keys(collections)).toEqual(['history', 'passwords', 'recipes']);
    expect(collections).toMatchObject({
      history: { held: 6 },
      passwords: { held: 3 },
      recipes: { held: 2 },
    });
    expect(remotes).toMatchObject({ first: { state: 'enabled' }, work: { state: 'enabled' } });
    await agent.put('recipes', { id: 'recipe-3', name: 'ours' });
    await agent.put('history', { url: 'https://mine.example/', title: 'mine' });
    expect(await agent.sync()).toMatchObject({
      ok: true,
      collections: { history: { pushed: 1 }, recipes: { pushed: 1 } },
    });
    expect(work.other.get('recipes', 'recipe-3')).toMatchObject({ name: 'ours' });
    expect(home.other.live('history').size).toBe(7);
    expect(home.other.ids('recipes')).toEqual([]);
    expect(work.other.ids('history')).toEqual([]);
  });
});
