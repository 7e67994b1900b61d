// Records of an account that are sealed under a key which is not the account's, more of them than a
// batch holds and before all others: they are set aside, and nothing else notices.

import { describe, expect, test } from 'vitest';
import { QUARANTINE_MAX } from '../../agent/limits.ts';
import { accountKeys, sealPayload } from '../../emulator/servers/sync-keys.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { testDevice, testServers } from '../support/device.ts';
import { withForeignRecords } from '../support/foreign.ts';
import { ok, storedUser } from '../support/sync15.ts';
import { disagreements } from './agreement.ts';
import { secondDevice } from './second-device.ts';

const HOUR_MS = 3_600_000;
const FOREIGN = 120;
const OWN = 20;
const PAGE = { url: 'https://mine.example/', title: 'mine' };

describe.each(['syncto', 'sync15'] as const)('over %s', (protocol) => {
  const account = () =>
    withForeignRecords(syntheticAccount({ records: FOREIGN + OWN, seed: 5 }), FOREIGN);

  test('foreign records are set aside, and all others are held', async () => {
    const { agent, platform } = testDevice(testServers(account()), { protocol });
    await agent.start();
    expect(await agent.enable()).toMatchObject({
      ...ok,
      collections: { history: { pulled: OWN, quarantined: FOREIGN }, passwords: { pulled: 12 } },
    });
    expect(agent.status()).toMatchObject({
      state: 'enabled',
      error: null,
      collections: {
        history: { held: OWN, quarantined: FOREIGN },
        passwords: { held: 12, quarantined: 0 },
      },
    });
    const codes = platform.events
      .map((text) => JSON.parse(text))
      .flatMap(({ kind, code }) => (kind === 'quarantine' ? [code] : []));
    expect(codes).toEqual(Array(FOREIGN).fill('badMac'));
  });

  test('edits go up beside them, as due and after a reboot, and they are read once', async () => {
    const servers = testServers(account());
    const storage = new MemoryStorage();
    const first = testDevice(servers, { protocol, storage });
    await first.agent.start();
    await first.agent.enable();
    await first.agent.put('history', PAGE);
    const again = testDevice(servers, { protocol, storage });
    await again.agent.start();
    const edited = await again.agent.sync();
    expect(edited).toMatchObject({ ...ok, collections: { history: { pushed: 1 } } });
    expect(edited.collections.history?.quarantined).toBe(0);
    expect(await again.agent.sync()).toMatchObject({ ...ok, requests: 1 });
    again.platform.events.length = 0;
    await again.platform.time.advance(2 * HOUR_MS);
    expect(again.platform.events.some((text) => text.includes('"kind":"pass"'))).toBe(true);
    expect(again.agent.status().collections.history).toMatchObject({
      held: OWN + 1,
      pending: 0,
      quarantined: FOREIGN,
    });
  });

  test('other keys that open nothing replace nothing, however much the device holds', async () => {
    const records = QUARANTINE_MAX + 100;
    const servers = testServers(syntheticAccount({ records, seed: 7, bodyBytes: 160 }));
    const storage = new MemoryStorage();
    const { agent } = testDevice(servers, { protocol, storage });
    await agent.start();
    await agent.enable();
    const user = storedUser(servers);
    const payloadOf = () => user.collections.get('crypto')?.get('keys', servers.nowMs)?.payload;
    const before = payloadOf() ?? '';
    const pair = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64'));
    const keys = { id: 'keys', collection: 'crypto', default: pair, collections: {} };
    const { kB } = servers.world.account;
    const other = sealPayload(accountKeys(kB), JSON.stringify(keys), Buffer.alloc(16, 7));
    user.write('crypto', [{ id: 'keys', payload: other }], servers.nowMs);
    const report = await agent.sync();
    expect(report).toMatchObject({ ...ok, collections: { history: { pushed: 0 } } });
    expect(agent.status().collections.history).toMatchObject({ held: records, pending: 0 });
    user.write('crypto', [{ id: 'keys', payload: before }], servers.nowMs);
    expect(await agent.sync()).toMatchObject(ok);
    expect(await disagreements(agent, secondDevice(servers))).toEqual([]);
  });

  test('an account of nothing else is one with nothing in it', async () => {
    const only = withForeignRecords(syntheticAccount({ records: FOREIGN, seed: 6 }), FOREIGN);
    const { agent } = testDevice(testServers(only), { protocol });
    await agent.start();
    expect(await agent.enable()).toMatchObject(ok);
    await agent.put('history', PAGE);
    expect(await agent.sync()).toMatchObject({ ...ok, collections: { history: { pushed: 1 } } });
    expect(agent.status().collections.history).toMatchObject({ held: 1, quarantined: FOREIGN });
  });
});
