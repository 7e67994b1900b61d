// What fits in length is read, however many values it has; and what this device makes of its
// records, another one with the same configuration reads.

import { describe, expect, test } from 'vitest';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { type Json, secondDevice } from '../../test/sim/second-device.ts';
import { testDevice, testServers } from '../../test/support/device.ts';
import { FULL } from '../../test/support/everything.ts';
import type { AgentConfig } from '../index.ts';

const ID = 'LongLongLong';
const DATE_US = 1_795_000_000_000_000;
const ON = { enabled: true, readOnly: false };
const NAMES = ['history', 'passwords', 'bookmarks', 'tabs'];

function config(change: Partial<AgentConfig> = {}): Partial<AgentConfig> {
  return { collections: Object.fromEntries(NAMES.map((name) => [name, ON])), ...change };
}

function tabs(count: number): Json {
  const tab = (n: number) => ({
    title: `Tab ${n}`,
    urlHistory: [`https://tabs.example/${n}`],
    icon: '',
    lastUsed: 1_790_000_000 + n,
  });
  return { clientName: 'Other', tabs: Array.from({ length: count }, (_, n) => tab(n)) };
}

function folder(count: number): Json {
  const children = Array.from({ length: count }, (_, n) => `child${n}`.padEnd(12, '_'));
  return { type: 'folder', parentid: 'menu', parentName: 'menu', title: 'Long', children };
}

function page(visits: number, charsOfVisit: number): Json {
  const more = charsOfVisit === 0 ? {} : { from: 'x'.repeat(charsOfVisit) };
  const visit = (n: number) => ({ date: DATE_US - n * 1_000_001, type: 1, ...more });
  return {
    histUri: 'https://long.example/',
    title: '',
    visits: Array.from({ length: visits }, (_, n) => visit(n)),
  };
}

test.each<[string, string, Json]>([
  ['499 tabs', 'tabs', tabs(499)],
  ['600 tabs', 'tabs', tabs(600)],
  ['2,000 tabs', 'tabs', tabs(2_000)],
  ['a folder of 9,983 children', 'bookmarks', folder(9_983)],
  ['a folder of 10,000 children', 'bookmarks', folder(10_000)],
  ['999 visits', 'history', page(999, 0)],
  ['5,000 visits of 256 KB', 'history', page(5_000, 9)],
])('%s are held', async (_, collection, body) => {
  const servers = testServers(syntheticAccount({ records: 1, passwords: 1, seed: 2 }));
  const second = secondDevice(servers);
  second.put(collection, { id: ID, ...body });
  const { agent } = testDevice(servers, { protocol: 'sync15', config: config(), contents: FULL });
  await agent.start();
  await agent.enable();
  expect(await agent.get(collection, ID)).not.toBeNull();
  expect(agent.status().collections[collection]).toMatchObject({ quarantined: 0 });
});

describe('a device that takes 30,000 characters of a record', () => {
  const small = config({ recordCharsMax: 30_000 });
  const fills: [string, string, (count: number) => Json][] = [
    ['of a script of one byte', 'passwords', (count) => login('x'.repeat(count))],
    ['of a script of three bytes', 'passwords', (count) => login('日'.repeat(count))],
    ['of pictures', 'passwords', (count) => login('🦊'.repeat(count))],
    ['of a page with many lists', 'history', (count) => withLists(count)],
  ];

  test.each(fills)('makes none that another like it refuses: %s', async (_, collection, fill) => {
    const servers = testServers(syntheticAccount({ records: 1, passwords: 1, seed: 2 }));
    const device = () => testDevice(servers, { protocol: 'sync15', config: small, contents: FULL });
    const { agent } = device();
    await agent.start();
    await agent.enable();
    let low = 1;
    let high = 40_000;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const put = agent.put(collection, fill(middle));
      const isTaken = await put.then(
        () => true,
        (error: { code: string; message: string }) => {
          expect(error.code).toBe('tooLarge');
          expect(error.message).toMatch(/at most 30000 on the wire|more than 150000 bytes/);
          return false;
        },
      );
      if (isTaken) low = middle;
      else high = middle - 1;
    }
    expect(low).toBeGreaterThan(900);
    await agent.put(collection, fill(low));
    expect(await agent.sync()).toMatchObject({ ok: true, error: null });
    const other = device().agent;
    await other.start();
    await other.enable();
    const { held, quarantined } = other.status().collections[collection] ?? {};
    expect({ held, quarantined }).toEqual({ held: 2, quarantined: 0 });
  });
});

function login(password: string): Json {
  return { origin: 'https://long.example', formActionOrigin: '', username: 'ada', password };
}

function withLists(count: number): Json {
  return {
    url: 'https://long.example/',
    visits: [{ date: DATE_US, type: 1 }],
    lists: Array.from({ length: count }, () => []),
  };
}
