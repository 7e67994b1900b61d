// A record was changed here, and the server's version of it is one that this device cannot take in.
// Neither side may lose what it has: the device's change waits and is reported, the server's
// version stays, everything else syncs.

import { describe, expect, test } from 'vitest';
import { readAccount } from '../../emulator/servers/store-file.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { NOW_MS, testServers } from '../support/device.ts';
import { deviceOn } from './lab.ts';
import { secondDevice } from './second-device.ts';
import { START, USER } from './stage.ts';

const RECORD_CHARS_MAX = 6_000;
const MY_VISIT = { date: NOW_MS * 1_000, type: 1 };

describe.each(['syncto', 'sync15'] as const)('over %s', (protocol) => {
  async function disputed() {
    const servers = testServers(readAccount(JSON.parse(START)));
    const { agent } = deviceOn(servers, new MemoryStorage(), {
      identity: USER,
      protocol,
      config: { recordCharsMax: RECORD_CHARS_MAX },
    });
    await agent.start();
    await agent.enable();
    const second = secondDevice(servers);
    const [id = ''] = second.ids('history');
    const short = second.get('history', id) as { readonly id: string };
    servers.nowMs += 1_000;
    second.put('history', { ...short, title: 'long', notes: 'x'.repeat(RECORD_CHARS_MAX) });
    const mine = await agent.get('history', id);
    await agent.put('history', { ...mine, title: 'mine', visits: [MY_VISIT] });
    await agent.put('history', { url: 'https://other.example/', title: 'other' });
    servers.nowMs += 1_000;
    for (let pass = 0; pass < 4; pass++) await agent.sync();
    return { servers, agent, second, id, short };
  }

  test('the longer version stays, ours waits and the others are synced', async () => {
    const { agent, second, id } = await disputed();
    expect(second.get('history', id)).toMatchObject({ title: 'long' });
    expect(await agent.get('history', id)).toMatchObject({ title: 'mine' });
    const urls = [...second.live('history').values()].map(({ histUri }) => histUri);
    expect(urls).toContain('https://other.example/');
    expect(agent.status()).toMatchObject({
      error: null,
      collections: { history: { pending: 1, quarantined: 1 } },
    });
  });

  test('both become one when a version comes that can be taken in', async () => {
    const { servers, agent, second, id, short } = await disputed();
    servers.nowMs += 1_000;
    second.put('history', { ...short, extra: 1 });
    servers.nowMs += 1_000;
    expect(await agent.sync()).toMatchObject({ ok: true });
    const { extra, visits } = second.get('history', id);
    expect(extra).toBe(1);
    expect(visits).toContainEqual(MY_VISIT);
    expect(agent.status().collections.history).toMatchObject({ pending: 0, quarantined: 0 });
  });
});
