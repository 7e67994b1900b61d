// A collection that an update binds to another remote: nothing of one account goes to the other's
// server, nothing unsent is lost, and the flash of the rest is free again.

import { describe, expect, test } from 'vitest';
import { manualClock } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { type TwoDevice, type TwoRemotes, twoRemotes } from '../../test/support/two-remotes.ts';
import type { AgentConfig } from '../config.ts';
import { sweepMoved } from './moved.ts';

const ON = { enabled: true, readOnly: false };
const PAGE = { url: 'https://mine.example/', title: 'mine' };

/** Which remote has history. */
function historyAt({ config }: TwoRemotes, name: 'first' | 'work'): Partial<AgentConfig> {
  const work = config.remotes?.work;
  if (work === undefined) throw new Error('the bench has a remote of this name');
  const { history: _, ...own } = config.collections;
  if (name === 'first') return config;
  return {
    collections: own,
    remotes: { work: { ...work, collections: { ...work.collections, history: ON } } },
  };
}

const historyOf = (storage: MemoryStorage, place: '' | ':work:'): string[] =>
  storage
    .snapshot()
    .map(([key]) => key)
    .filter((key) => key.startsWith(place) && /^[0-9a-z]+\.h\./.test(key.slice(place.length)));

async function synced() {
  const bench = twoRemotes();
  const device = await bench.boot();
  expect(await device.agent.enable()).toMatchObject({ ok: true });
  await bench.advance(60_000, device);
  return { ...bench, device };
}

async function updated(bench: TwoRemotes, storage: MemoryStorage, name: 'first' | 'work') {
  const device = await bench.boot(storage, historyAt(bench, name));
  expect(await device.agent.sync()).toMatchObject({ ok: true, error: null });
  return device;
}

const unsentOf = ({ agent, platform }: TwoDevice) => {
  const { unsent } = agent.status();
  expect(agent.status('first').unsent).toEqual(unsent);
  expect(agent.status().remotes?.first?.unsent).toEqual(unsent);
  expect(agent.status('work').unsent).toBeUndefined();
  expect(JSON.parse(platform.statuses.at(-1) ?? '{}').unsent).toEqual(unsent);
  return unsent;
};
const heldOf = ({ agent }: TwoDevice) => agent.status().collections.history?.held;

describe("a collection that is another remote's after an update", () => {
  test("is that account's, and what was synced before is swept", async () => {
    const bench = await synced();
    expect(historyOf(bench.storage, '').length).toBeGreaterThan(12);
    const visits = [{ date: (bench.work.servers.nowMs - 60_000) * 1_000, type: 1 }];
    const theirs = { id: 'WORKWORKWORK', histUri: 'https://w.example/', title: 'w', visits };
    bench.work.other.put('history', theirs);
    const device = await updated(bench, bench.storage, 'work');
    expect(historyOf(bench.storage, '')).toEqual([]);
    expect(heldOf(device)).toBe(1);
    expect(bench.work.other.ids('history')).toEqual(['WORKWORKWORK']);
    expect(bench.home.other.live('history').size).toBe(6);
    expect(device.agent.status('first').collections).toMatchObject({ passwords: { held: 3 } });
  });

  test('keeps what was not sent, and sends it when it comes back', async () => {
    const bench = await synced();
    await bench.device.agent.put('history', PAGE);
    const kept = historyOf(bench.storage, '');
    const device = await updated(bench, bench.storage, 'work');
    expect(historyOf(bench.storage, '')).toEqual(kept);
    expect(heldOf(device)).toBe(0);
    expect(unsentOf(device)).toEqual({ history: 1 });
    await device.agent.put('history', { url: 'https://work.example/', title: 'work' });
    await device.agent.sync();
    const atWork = [...bench.work.other.live('history').values()].map(({ histUri }) => histUri);
    expect(atWork).toEqual(['https://work.example/']);
    const back = await updated(bench, bench.storage, 'first');
    expect(heldOf(back)).toBe(7);
    expect(unsentOf(back)).toBeUndefined();
    const atHome = [...bench.home.other.live('history').values()].map(({ histUri }) => histUri);
    expect(atHome).toContain(PAGE.url);
    expect(atHome).not.toContain('https://work.example/');
    expect(historyOf(bench.storage, ':work:')).toEqual([]);
  });

  test('keeps a deletion that was not sent', async () => {
    const bench = await synced();
    const { records } = await bench.device.agent.list('history', { limit: 1 });
    await bench.device.agent.delete('history', `${records[0]?.guid}`);
    const device = await updated(bench, bench.storage, 'work');
    expect(unsentOf(device)).toEqual({ history: 1 });
    expect(bench.home.other.live('history').size).toBe(6);
    await updated(bench, bench.storage, 'first');
    expect(bench.home.other.live('history').size).toBe(5);
  });

  test('goes with the sign-out of the account that it is of', async () => {
    const bench = await synced();
    await bench.device.agent.put('history', PAGE);
    const device = await updated(bench, bench.storage, 'work');
    expect(unsentOf(device)).toEqual({ history: 1 });
    await device.agent.disable('first');
    expect(historyOf(bench.storage, '')).toEqual([]);
    expect(unsentOf(device)).toBeUndefined();
    expect(device.agent.status('work')).toMatchObject({ state: 'enabled' });
  });

  test('is swept to its end though power is cut in the middle', async () => {
    const bench = await synced();
    for (let atCommit = 1; ; atCommit++) {
      const cut = bench.storage.fork({ atCommit, when: 'before' });
      const doomed = await bench.boot(cut, historyAt(bench, 'work'), false);
      const report = await doomed.agent.sync('work').catch(() => null);
      const rest = cut.fork();
      await updated(bench, rest, 'work');
      expect(historyOf(rest, '')).toEqual([]);
      if (report?.ok) return;
    }
  });
});

test.each(['o.A', 'd.A', '2o.A', '2d.A'])(
  'a key %s is unsent, whichever set is live',
  async (key) => {
    const storage = new MemoryStorage([
      ['1.h.2c', 'cursor'],
      ['1.h.r.A', 'mirror'],
      ['1.p.c', 'cursor'],
    ]);
    const clock = manualClock(0);
    await storage.commit([[`1.h.${key}`, 'change']]);
    const moved = [{ name: 'history', letter: 'h' }];
    expect(await sweepMoved({ storage, clock }, '1', moved)).toEqual(new Map([['history', 1]]));
    expect(storage.snapshot()).toHaveLength(4);
    await storage.commit([[`1.h.${key}`, null]]);
    expect(await sweepMoved({ storage, clock }, '1', moved)).toEqual(new Map());
    expect(storage.snapshot()).toEqual([['1.p.c', 'cursor']]);
  },
);
