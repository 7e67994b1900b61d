// Whoever waits behind a wipe: what it opens is not what was removed meanwhile.

import { expect, test } from 'vitest';
import { memoryPlatform } from '../platform/memory/platform.ts';
import { MemoryStorage } from '../platform/memory/storage.ts';
import { syncService } from '../test/support/sync-service.ts';
import { createSessions } from './sessions.ts';

/** Sessions over a storage that holds a value of the first generation, and is slow in scans. */
function sessions() {
  const service = syncService('sync15');
  const storage = new MemoryStorage([['0.gthings.c', 'of the account that leaves']]);
  let generation = 0;
  const platform = memoryPlatform({
    ...{ storage, fetch: service.fetch, identity: service.identity },
    ...{ nowMs: service.clock.nowMs, random: (count) => new Uint8Array(count) },
  });
  const config = {
    ...{ ...service.config, profile: 'test', collections: {}, intervalMs: 1, wifiOnly: false },
    ...{ historyRecordsMax: 1_000, recordCharsMax: 400_000 },
  };
  const open = createSessions(
    ...[platform, config, service.contents],
    () => `${generation}`,
    () => true,
    () => undefined,
  );
  const next = async (): Promise<void> => {
    generation++;
  };
  return { storage, next, ...open };
}

test('who asks while an account is wiped gets the next one’s session', async () => {
  const { next, open, storage, wipe } = sessions();
  const wiped = wipe(next);
  const asked = open();
  await wiped;
  const { stores } = await asked;
  expect(stores.map(({ keys }) => keys.cursor)).toEqual(['1.gthings.c']);
  expect(storage.snapshot()).toEqual([]);
});

test('of two wipes in a row the second removes the account that has come between', async () => {
  const { next, storage, wipe } = sessions();
  const first = wipe(async () => {
    await next();
    await storage.commit([['1.gthings.c', 'of the next account']]);
  });
  await Promise.all([first, wipe(next)]);
  expect(storage.snapshot()).toEqual([]);
});
