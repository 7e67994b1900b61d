// The user has forgotten the password and chosen a new one: the key is another, and what was on the
// server under the old one is gone. What the device holds is all that is left: it stays, and goes
// up under the new key.

import { expect, test } from 'vitest';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import type { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Identity } from '../../platform/ports.ts';
import type { TestServers } from '../support/device.ts';
import { COLLECTIONS, disagreements } from './agreement.ts';
import { deviceOn, freezeAccount, sharedUser, thaw } from './lab.ts';
import { secondDevice } from './second-device.ts';
import { synced, USER } from './stage.ts';

const AFRESH = freezeAccount(syntheticAccount({ records: 0, seed: 42, passwords: 0 }));
const AFRESH_USER = sharedUser(AFRESH);
const SAME_USER: Omit<Identity, 'deviceKey'> = {
  account: () => USER.account(),
  assertion: (audience, fresh) => AFRESH_USER.assertion(audience, fresh),
  accessToken: (fresh) => AFRESH_USER.accessToken(fresh),
  syncKey: () => AFRESH_USER.syncKey(),
};
const RECORDS = { history: 5, passwords: 2 };

async function boot(servers: TestServers, storage: MemoryStorage) {
  const device = deviceOn(servers, storage, { identity: SAME_USER });
  await device.agent.start();
  return device;
}

async function expectAll(servers: TestServers, storage: MemoryStorage): Promise<void> {
  const { agent } = await boot(servers, storage);
  const second = secondDevice(servers);
  expect(await agent.sync()).toMatchObject({ ok: true });
  expect(await disagreements(agent, second)).toEqual([]);
  expect(second.live('history').size).toBe(RECORDS.history);
  expect(second.live('passwords').size).toBe(RECORDS.passwords);
}

test('everything that the device holds goes up under the new key', async () => {
  const { storage } = await synced();
  await expectAll(thaw(AFRESH), storage);
});

test('the power may go at any commit of that', async () => {
  const { storage } = await synced();
  let cuts = 0;
  for (let isOver = false; !isOver; cuts++) {
    const servers = thaw(AFRESH);
    const cut = storage.fork({ atCommit: cuts + 1, when: 'after' });
    const { agent } = await boot(servers, cut);
    isOver = (await agent.sync().catch(() => ({ ok: false }))).ok;
    await expectAll(servers, cut.fork());
  }
  expect(cuts).toBeGreaterThan(5);
});

test('what another device has put there first, and is older, replaces nothing', async () => {
  const { servers, storage } = await synced();
  const { agent } = deviceOn(servers, storage, { identity: USER });
  await agent.start();
  const before = new Map(COLLECTIONS.map((name) => [name, secondDevice(servers).live(name)]));
  const [page] = (await agent.list('history', { limit: 1, prefix: 'https://www.' })).records;
  const [login] = (await agent.list('passwords', { limit: 1 })).records;
  const visits = [{ date: servers.nowMs * 1_000, type: 1 }];
  await agent.put('history', { guid: page?.guid, title: 'later', visits });
  await agent.put('passwords', { guid: login?.guid, password: 'later' });
  expect(await agent.sync()).toMatchObject({ ok: true });

  const anew = thaw(AFRESH);
  const other = secondDevice(anew);
  for (const [name, bodies] of before)
    for (const [id, body] of bodies) other.put(name, { ...body, id });
  await expectAll(anew, storage);
  expect(other.get('history', `${page?.guid}`)).toMatchObject({ title: 'later' });
  expect(other.get('passwords', `${login?.guid}`)).toMatchObject({ password: 'later' });
});
