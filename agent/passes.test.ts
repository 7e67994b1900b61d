// A pass that never ends: whatever has swallowed it, the next one has its turn.

import { expect, test } from 'vitest';
import { createRandom } from '../emulator/device/random.ts';
import { memoryPlatform } from '../platform/memory/platform.ts';
import { MemoryStorage } from '../platform/memory/storage.ts';
import { syncService } from '../test/support/sync-service.ts';
import { createAgent } from './index.ts';
import { PASS_MS_MAX } from './limits.ts';

const never = <T>(): Promise<T> => new Promise(() => undefined);

/** A device that has synced, and whose port never answers as long as `swallows` says so. */
async function device() {
  const service = syncService('sync15');
  const swallows = { network: false, identity: false, storage: false };
  const storage = new MemoryStorage();
  const commit = storage.commit.bind(storage);
  storage.commit = (changes) => (swallows.storage ? never() : commit(changes));
  const random = createRandom(1);
  const { identity: user } = service;
  const platform = memoryPlatform({
    storage,
    fetch: async (request) => {
      if (swallows.network) return never();
      const response = await service.fetch(request);
      response.headers.set('Date', new Date(service.clock.nowMs).toUTCString());
      return response;
    },
    identity: {
      account: () => (swallows.identity ? never() : user.account()),
      assertion: (audience, fresh) => user.assertion(audience, fresh),
      accessToken: (fresh) => user.accessToken(fresh),
      syncKey: () => user.syncKey(),
    },
    nowMs: service.clock.nowMs,
    random: (count) => random.bytes(count),
  });
  const agent = createAgent(
    platform,
    {
      ...service.config,
      profile: 'test',
      collections: { [service.collection]: { enabled: true, readOnly: false } },
      intervalMs: 3_600_000,
      spreadMs: 0,
      wifiOnly: false,
      historyRecordsMax: 1_000,
      recordCharsMax: 400_000,
    },
    service.contents,
  );
  await agent.start();
  expect(await agent.enable()).toMatchObject({ ok: true });
  return { agent, platform, service, swallows };
}

test.each(['network', 'identity', 'storage'] as const)(
  'a pass that its %s has swallowed ends with an error, and the next one is good',
  async (port) => {
    const { agent, platform, service, swallows } = await device();
    await agent.put(service.collection, { id: 'a', text: 'ours' });
    service.put('b', { text: 'theirs' });
    swallows[port] = true;
    const swallowed = agent.sync();
    const next = agent.sync();
    // As far as it comes.
    for (let turn = 0; turn < 50; turn++) await platform.time.advance(0);
    await platform.time.advance(PASS_MS_MAX - 1);
    swallows[port] = false;
    expect(agent.status().state).toBe('syncing');
    await platform.time.advance(1);
    expect(await swallowed).toMatchObject({
      ok: false,
      error: { code: 'deviceFailed', message: expect.stringContaining(`${PASS_MS_MAX} ms`) },
    });
    expect(await next).toMatchObject({ ok: true, error: null });
    expect([...service.live().keys()].sort()).toEqual(['a', 'b']);
    expect(agent.status()).toMatchObject({ state: 'enabled', error: null });
  },
);
