// How long a device is held up while many records are worked on: counted in calls of the storage,
// keys and characters between two of its turns, which is as long on every platform as its processor
// makes it, and never timed.

import { describe, expect, test } from 'vitest';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { NODE_HEAP } from '../../platform/node/cli/heap.ts';
import type { Storage } from '../../platform/ports.ts';
import { secondDevice } from '../../test/sim/second-device.ts';
import { NOW_MS, testDevice, testServers } from '../../test/support/device.ts';
import type { AgentConfig } from '../index.ts';

const RECORDS = 1_200;
/** A commit of Node is some milliseconds, a key some hundredths of one: 50 ms at most. */
const COMMITS_MAX = 5;
const KEYS_MAX = 1_100;
const CHARS_MAX = 700_000;

interface Work {
  commits: number;
  keys: number;
  chars: number;
}

/**
 * A device that counts what its storage does between two turns; `longest` is the most of each since
 * the last call.
 */
async function watched(config: Partial<AgentConfig>, records = 1) {
  const servers = testServers(syntheticAccount({ records, passwords: 1, seed: 3 }));
  const inner = new MemoryStorage();
  const now: Work = { commits: 0, keys: 0, chars: 0 };
  const most: Work = { commits: 0, keys: 0, chars: 0 };
  const turn = (): void => {
    for (const kind of ['commits', 'keys', 'chars'] as const) {
      most[kind] = Math.max(most[kind], now[kind]);
      now[kind] = 0;
    }
  };
  const storage: Storage = {
    async get(keys) {
      const values = await inner.get(keys);
      now.keys += keys.length;
      now.chars += values.reduce((sum, value) => sum + (value?.length ?? 0), 0);
      return values;
    },
    async scan(range) {
      const keys = await inner.scan(range);
      now.keys += keys.length;
      return keys;
    },
    async commit(changes) {
      now.commits++;
      now.keys += changes.length;
      await inner.commit(changes);
    },
  };
  const { agent, platform } = testDevice(servers, { storage, config });
  const { pause } = platform.clock;
  platform.time.pause = () => {
    turn();
    return pause();
  };
  await agent.start();
  await agent.enable();
  const longest = (): Work => {
    turn();
    const found = { ...most };
    Object.assign(most, { commits: 0, keys: 0, chars: 0 });
    return found;
  };
  longest();
  return { agent, servers, second: secondDevice(servers), longest };
}

function expectShort({ commits, keys, chars }: Work): void {
  expect(commits).toBeLessThanOrEqual(COMMITS_MAX);
  expect(keys).toBeLessThanOrEqual(KEYS_MAX);
  expect(chars).toBeLessThanOrEqual(CHARS_MAX);
}

const page = (n: number) => ({
  histUri: `https://both.example/${n}`,
  title: `${n}`,
  visits: [{ date: NOW_MS * 1000 - n, type: 1 }],
});

describe.each([
  ['a device', {}],
  ['a computer', { heap: NODE_HEAP }],
] as const)('%s has its turns', (_, config) => {
  test('while the same pages from two devices become one each', async () => {
    const { agent, second, longest } = await watched(config);
    for (let n = 0; n < RECORDS; n++) {
      const { histUri: url, ...rest } = page(n);
      await agent.put('history', { url, ...rest });
      second.put('history', { id: `zzzz${n}`, ...page(n) });
    }
    longest();
    expect(await agent.sync()).toMatchObject({ ok: true, error: null });
    expectShort(longest());
    expect(agent.status().collections.history).toMatchObject({ held: RECORDS + 1, pending: 0 });
  });

  test('while it lists, drops, asks again and forgets all that it has', async () => {
    const { agent, servers, second, longest } = await watched(
      { ...config, device: { name: 'TV', type: 'tv', version: '1', os: 'OS' } },
      RECORDS,
    );
    for (let after: string | null = null, more = true; more; ) {
      const list: { next: string | null } = await agent.list('history', { limit: 1_000, after });
      after = list.next;
      more = after !== null;
    }
    expectShort(longest());

    const ask = (command: string): void => {
      const [own] = [...second.live('clients').values()];
      if (own === undefined) throw new Error('the device has no record');
      servers.nowMs += 1_000;
      const commands = [{ command, args: ['history'] }];
      second.put('clients', { ...own, id: String(own.id), commands });
    };
    ask('resetEngine');
    expect(await agent.sync()).toMatchObject({ ok: true });
    expectShort(longest());
    ask('wipeEngine');
    expect(await agent.sync()).toMatchObject({ ok: true });
    expectShort(longest());
    expect(agent.status().collections.history?.held).toBe(RECORDS);

    await agent.disable();
    expectShort(longest());
  });

  test('while the oldest pages go', async () => {
    const { agent, second, longest } = await watched({ ...config, historyRecordsMax: 100 });
    for (let n = 0; n < RECORDS; n++) second.put('history', { id: `page${n}`, ...page(n) });
    expect(await agent.sync()).toMatchObject({ ok: true });
    expectShort(longest());
    expect(agent.status().collections.history).toMatchObject({ held: 100 });
  });

  test('while hundreds of devices are looked at', async () => {
    const { agent, second, longest } = await watched({
      ...config,
      device: { name: 'TV', type: 'tv', version: '1', os: 'OS' },
    });
    for (let n = 0; n < 500; n++) {
      second.put('clients', { id: `device${n}`, name: `${n}`, type: 'desktop', commands: [] });
    }
    expect(await agent.sync()).toMatchObject({ ok: true });
    longest();
    expect(await agent.devices()).toHaveLength(500);
    expectShort(longest());
  });
});
