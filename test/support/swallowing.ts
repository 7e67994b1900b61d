// A device that has synced, and whose ports can swallow what they are asked: nothing is answered
// until they let go of it.

import { expect } from 'vitest';
import { createAgent } from '../../agent/index.ts';
import { PASS_MS_MAX } from '../../agent/limits.ts';
import { createRandom } from '../../emulator/device/random.ts';
import { memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { syncService } from './sync-service.ts';

type Port = 'network' | 'identity' | 'storage';

/** `forget`: of the account manager. */
export async function swallowing(forget: () => Promise<void> = async () => undefined) {
  const { service, platform, held, ...ports } = swallowingPorts(forget);
  const { swallows } = ports;
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
  /** As far as everything comes in no time. */
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn++) await platform.time.advance(0);
  };
  return {
    ...{ agent, platform, service, settled, ...ports },
    async letGo(): Promise<void> {
      for (const port of ['network', 'identity', 'storage'] as const) swallows[port] = false;
      for (const go of held.splice(0)) go();
      await settled();
    },
    /** Time passes until the work is done; how long that was. */
    async until(work: Promise<unknown>): Promise<number> {
      let isDone = false;
      void work.then(() => {
        isDone = true;
      });
      for (let passedMs = 0; ; passedMs += 1_000) {
        await settled();
        if (isDone || passedMs > PASS_MS_MAX) return passedMs;
        await platform.time.advance(1_000);
      }
    },
  };
}

function swallowingPorts(forget: () => Promise<void>) {
  const service = syncService('sync15');
  const swallows: { [port in Port]: boolean } = { network: false, identity: false, storage: false };
  const held: (() => void)[] = [];
  const late = { asksForPatience: false };
  /** Goes on when the port lets go of what it has swallowed. */
  const passed = async (port: Port): Promise<boolean> => {
    const isHeld = swallows[port];
    if (isHeld) await new Promise<void>((resolve) => held.push(resolve));
    return isHeld;
  };
  const storage = new MemoryStorage();
  const commit = storage.commit.bind(storage);
  storage.commit = async (changes) => {
    await passed('storage');
    return commit(changes);
  };
  const random = createRandom(1);
  const { identity: user } = service;
  const platform = memoryPlatform({
    storage,
    fetch: async (request) => {
      const isLate = await passed('network');
      const response = await service.fetch(request);
      if (isLate && late.asksForPatience) response.headers.set('X-Backoff', '600');
      response.headers.set('Date', new Date(service.clock.nowMs).toUTCString());
      return response;
    },
    identity: {
      async account() {
        await passed('identity');
        return user.account();
      },
      assertion: (audience, fresh) => user.assertion(audience, fresh),
      accessToken: (fresh) => user.accessToken(fresh),
      syncKey: () => user.syncKey(),
      forget,
    },
    nowMs: service.clock.nowMs,
    random: (count) => random.bytes(count),
  });
  return { service, platform, storage, swallows, held, late };
}
