// Records as long as a device takes them: however long, none of its turns is, the record arrives,
// and what is too much for a small heap is set aside. Instructions repeat exactly, so these limits
// are no matter of timing.

import { beforeAll, expect, test } from 'vitest';
import { type Firmware, freshFirmware } from './firmware.ts';
import { loadProfile } from './profiles.ts';
import { runScenario, type ScenarioOptions, type ScenarioResult } from './scenario.ts';
import { Store } from './servers/store.ts';
import type { SeedAccount } from './servers/store-file.ts';
import { accountKeys, keyFingerprint, sealPayload } from './servers/sync-keys.ts';
import { TEST_KB, TEST_NOW_MS } from './servers/testing.ts';

const TV = loadProfile('panasonic-cx700');
const DEVICE_SLICE_MAX = 8e6;
/** What was read until then is given back to the engine at once. */
const FREEING_SLICE_MAX = 16e6;
const SOFTWARE_SLICE_MAX = 40e6;

let firmware: Firmware;
beforeAll(async () => {
  firmware = await freshFirmware(TV.name);
});

/** An account with one page of history. */
function accountWith(page: {
  readonly title: string;
  readonly visits: number;
  /** JSON of one more member. */
  readonly hostile?: string;
}): SeedAccount {
  const store = new Store();
  const user = store.addUser(keyFingerprint(TEST_KB));
  const put = (collection: string, id: string, payload: string) =>
    user.write(collection, [{ id, payload }], TEST_NOW_MS);
  const keys = { encKey: Buffer.alloc(32, 1), macKey: Buffer.alloc(32, 2) };
  const pair = [keys.encKey, keys.macKey].map((key) => key.toString('base64'));
  const collectionKeys = { id: 'keys', collection: 'crypto', default: pair, collections: {} };
  const engines = { history: { version: 1, syncID: 'abcdefghijkl' } };
  put(
    'meta',
    'global',
    JSON.stringify({ syncID: 'mnopqrstuvwx', storageVersion: 5, engines, declined: [] }),
  );
  put(
    'crypto',
    'keys',
    sealPayload(accountKeys(TEST_KB), JSON.stringify(collectionKeys), Buffer.alloc(16, 3)),
  );
  const visits = Array.from({ length: page.visits }, (_, n) => ({
    date: TEST_NOW_MS * 1000 - n,
    type: 1,
  }));
  const record = {
    id: 'LongLongLong',
    histUri: 'https://long.example/',
    title: page.title,
    visits,
  };
  const text = JSON.stringify(record).slice(0, -1);
  const body = page.hostile === undefined ? `${text}}` : `${text},"more":${page.hostile}}`;
  put('history', record.id, sealPayload(keys, body, Buffer.alloc(16, 4)));
  return { kB: TEST_KB, store };
}

function run(
  change: Partial<ScenarioOptions> & Pick<ScenarioOptions, 'account'>,
): Promise<ScenarioResult> {
  return runScenario({
    profile: TV,
    firmware,
    protocol: 'sync15',
    auth: 'bearer',
    crypto: 'device',
    collections: ['history'],
    seed: 1,
    ...change,
  });
}

test.each([
  ['150 KB of a title, by sync15', 'sync15', 'device', 'x'.repeat(150_000), DEVICE_SLICE_MAX],
  ['80 KB of another script, by Syncto', 'syncto', 'device', '日'.repeat(27_000), DEVICE_SLICE_MAX],
  [
    '80 KB of quotes, in JavaScript alone',
    'syncto',
    'software',
    '\\"'.repeat(20_000),
    SOFTWARE_SLICE_MAX,
  ],
] as const)('%s hold no device up', async (_, protocol, crypto, title, sliceMax) => {
  const record = {
    id: 'LongLongLong',
    title: 'short',
    visits: [{ date: TEST_NOW_MS * 1000, type: 1 }],
  };
  const edits = [{ collection: 'history', op: 'put', record }] as const;
  const result = await run({ account: accountWith({ title, visits: 1 }), protocol, crypto, edits });
  expect(result.problems).toEqual([]);
  expect(result.records.history).toEqual({ held: 1, quarantined: 0, pushed: 1 });
  expect(result.total.cpu.longestSlice).toBeLessThanOrEqual(sliceMax);
});

test.each([
  ['a million brackets', `[${'[],'.repeat(50_000)}0]`],
  ['objects in objects that are never the same', `[${objects(12_000)}]`],
  ['a thousand brackets in one another', '['.repeat(1_000) + ']'.repeat(1_000)],
])('%s are set aside, and hold no device up', async (_, hostile) => {
  const result = await run({ account: accountWith({ title: '', visits: 1, hostile }) });
  expect(result.records.history).toEqual({ held: 0, quarantined: 1, pushed: 0 });
  expect(result.killed).toBeNull();
  expect(result.total.cpu.longestSlice).toBeLessThanOrEqual(FREEING_SLICE_MAX);
});

function objects(count: number): string {
  return Array.from({ length: count }, (_, n) => `{"a${n}":{}}`).join();
}
