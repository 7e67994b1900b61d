// Tabs through the whole agent: this device has one record, and reads those of others.

import { beforeEach, describe, expect, test } from 'vitest';
import { FULL, TV } from '../../test/support/everything.ts';
import { FIREFOX, signedIn, start, sync, world } from '../../test/support/kinds.ts';
import { TABS_BYTES_MAX } from './tabs.ts';

beforeEach(start);

describe('tabs', () => {
  const tab = (url: string, more: object = {}) => ({ title: url, url, ...more });

  test('of this device go up as its one record, without what means nothing elsewhere', async () => {
    const device = await signedIn();
    const id = await device.agent.put('tabs', {
      tabs: [
        tab('https://a.test/', { lastUsed: 1_795_000_000, icon: 'https://a.test/i.png' }),
        tab('about:home'),
        tab('data:text/html,x'),
        {
          title: 'B',
          urlHistory: ['https://b.test/2', 'file:///x', 'https://b.test/1'],
          pinned: true,
        },
      ],
    });
    await sync(device);
    expect(world.other.get('tabs', id)).toEqual({
      id,
      clientName: TV.name,
      tabs: [
        {
          title: 'B',
          urlHistory: ['https://b.test/2', 'https://b.test/1'],
          icon: '',
          lastUsed: Math.floor(device.platform.clock.nowMs() / 1_000),
          pinned: true,
        },
        {
          title: 'https://a.test/',
          urlHistory: ['https://a.test/'],
          icon: 'https://a.test/i.png',
          lastUsed: 1_795_000_000,
        },
      ],
    });
    expect([...world.other.live('clients').keys()]).toContain(id);
    expect([...world.other.live('tabs').keys()].sort()).toEqual([FIREFOX, id].sort());
  });

  test('of other devices are not this one to change', async () => {
    const { agent } = await signedIn();
    const readOnly = { code: 'readOnly' };
    await expect(agent.put('tabs', { id: FIREFOX, tabs: [] })).rejects.toMatchObject(readOnly);
    await expect(agent.delete('tabs', FIREFOX)).rejects.toMatchObject(readOnly);
    const { devices: _, ...contents } = FULL;
    const alone = await signedIn({ contents });
    await expect(alone.agent.put('tabs', { tabs: [] })).rejects.toMatchObject(readOnly);
  });

  test('that were used longest ago stay behind when there are too many', async () => {
    const device = await signedIn();
    const tabs = Array.from({ length: 400 }, (_, at) =>
      tab(`https://a.test/${'ü'.repeat(300)}${at}`, { title: '', lastUsed: at + 1 }),
    );
    const id = await device.agent.put('tabs', { tabs });
    await sync(device);
    const { tabs: kept } = world.other.get('tabs', id) as { tabs: { lastUsed: number }[] };
    expect(kept[0]?.lastUsed).toBe(400);
    expect(kept.length).toBeLessThan(400);
    expect(kept.length).toBeGreaterThan(200);
    expect(Buffer.byteLength(JSON.stringify(kept))).toBeLessThan(TABS_BYTES_MAX + 2);
  });

  test('of a device with odd ones can be read', async () => {
    world.servers.nowMs += 1_000;
    const odd = [
      null,
      7,
      {},
      { urlHistory: 'x' },
      { urlHistory: ['https://a/'], lastUsed: '12.7', title: 3 },
    ];
    world.other.put('tabs', { id: 'phone', clientName: 'P', tabs: odd });
    const { agent } = await signedIn();
    expect(await agent.get('tabs', 'phone')).toEqual({
      guid: 'phone',
      clientName: 'P',
      tabs: [{ title: '', urlHistory: ['https://a/'], icon: '', lastUsed: 12 }],
    });
  });
});
