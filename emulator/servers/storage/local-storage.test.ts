// The suite of every storage, and what only a disk can do to one: losing its power at every write.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { serverStorageContract } from '../../../test/contract/server-storage.ts';
import { every } from '../../../test/sim/share.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { Flash, PowerCut } from '../../device/flash.ts';
import type { Fault } from '../../device/flash-image.ts';
import { FlashStorage } from '../../device/flash-storage.ts';
import { createRandom } from '../../device/random.ts';
import { loadProfile } from '../../profiles.ts';
import { localStorage, memoryStorage, openSqliteStorage } from './local-storage.ts';
import type { ServerStorage } from './server-storage.ts';

const folder = temporaryFolder();
serverStorageContract('memory', async () => memoryStorage());
serverStorageContract('SQLite in a folder', () => openSqliteStorage(join(folder, 'contract')));

const FAULTS: readonly Fault[] = ['lost', 'reordered', 'torn'];
const TRANSACTIONS = 12;
const { flash: profile } = loadProfile('panasonic-cx700');

async function open(flash: Flash): Promise<ServerStorage> {
  const random = createRandom(7);
  const storage = await FlashStorage.open({
    ...{ flash, random, quotaBytes: profile.quotaBytes, heapBytesMax: 0, nowMs: () => 0 },
    // Small, so that merges and checkpoints come often.
    tuning: { tailBytesMax: 800, youngEntriesMax: 20, checkpointPages: 6, cacheKiB: 32 },
  });
  return localStorage(storage, () => undefined);
}

/** Moves what is counted from one record to all others: the sum is ever the same. */
async function runStory(storage: ServerStorage, from: number): Promise<number> {
  let done = from;
  try {
    for (; done < TRANSACTIONS; done++) {
      await storage.transaction('story', async (tx) => {
        tx.put('done', `${done + 1}`);
        tx.remove(`r.${done}`);
        for (let index = 1; index < 6; index++) tx.put(`r.${done + index}`, `${done}`.repeat(300));
      });
    }
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
  }
  return done;
}

/** After how many transactions it is as it is; -1: after none of them. */
async function stateOf(storage: ServerStorage): Promise<number> {
  const rows = await storage.transaction('look', (tx) =>
    tx.scan({ from: '!', to: '~', limit: 99 }),
  );
  if (rows.length === 0) return 0;
  const values = new Map(rows);
  const done = Number(values.get('done'));
  const records = Array.from({ length: 5 }, (_, index) => `r.${done + index}`);
  const isWhole = records.every((key) => values.get(key) === `${done - 1}`.repeat(300));
  return isWhole && values.size === 6 ? done : -1;
}

test('a power cut at any write leaves the state before or after it', async () => {
  const stride = every(8);
  let cuts = 0;
  for (let cutAt = stride; ; cutAt += stride) {
    const flash = new Flash({ profile, charge() {} });
    flash.cutAt = cutAt;
    const acknowledged = await runStory(await open(flash), 0);
    if (acknowledged === TRANSACTIONS && flash.events < cutAt) break;
    for (const fault of FAULTS) {
      const after = new Flash({
        profile,
        charge() {},
        image: flash.imageAfterCut(createRandom(cutAt), fault),
      });
      const storage = await open(after);
      const found = await stateOf(storage);
      expect([cutAt, fault, found]).toEqual([
        ...[cutAt, fault],
        expect.toBeOneOf([acknowledged, acknowledged + 1]),
      ]);
      expect(await runStory(storage, found)).toBe(TRANSACTIONS);
      expect(await stateOf(storage)).toBe(TRANSACTIONS);
      cuts++;
    }
  }
  console.log(`${cuts} cuts of power`);
  expect(cuts).toBeGreaterThan(30);
});

test('a folder that another one has open is refused', async () => {
  const path = join(folder, 'taken');
  const first = await openSqliteStorage(path);
  await expect(openSqliteStorage(path)).rejects.toMatchObject({ code: 'failed' });
  await first.close();
  await (await openSqliteStorage(path)).close();
});

test('many transactions, one behind the other, leave a turn to everybody else', async () => {
  const storage = await openSqliteStorage(join(folder, 'turns'));
  let turns = 0;
  let timer = setImmediate(function turn() {
    turns++;
    timer = setImmediate(turn);
  });
  for (let n = 0; n < 20; n++) await storage.transaction('many', async (tx) => tx.put('n', `${n}`));
  clearImmediate(timer);
  expect(turns).toBeGreaterThanOrEqual(20);
  await storage.close();
});
