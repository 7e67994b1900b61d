// Passes of a device by themselves, over a server in the same process.

import { history } from '../../agent/collections/history.ts';
import { passwords } from '../../agent/collections/passwords.ts';
import { SyncError, type SyncErrorCode } from '../../agent/errors.ts';
import { openAccount } from '../../agent/remotes/sync/documents.ts';
import { openSync } from '../../agent/remotes/sync/sync.ts';
import type { PassReport } from '../../agent/status.ts';
import { resetCollection } from '../../agent/store/reset.ts';
import type { CollectionStore } from '../../agent/store/store.ts';
import { type PassInput, runPass } from '../../agent/sync/pass.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { remoteBench } from './remote.ts';
import { type TestServer, testServer } from './server.ts';
import { GENERATION, openTestStore, pageBody, testPass, testVault } from './store.ts';
import { syncOptions } from './sync.ts';

const nobody = (): never => {
  throw new TypeError('fetch failed');
};
export const LOGIN = { hostname: 'https://a', formSubmitURL: 'https://a', password: 'p' };
export const NOW_MS = 1_795_330_000_000;

const begin = async (): Promise<{ server: TestServer }> => {
  const server = await testServer();
  await server.put('history', 'AAAAAAAAAAAA', pageBody(1), 2_000);
  await server.put('passwords', '{1}', LOGIN, 3_000);
  return { server };
};

/** What is around the devices of the test that runs. */
export const world = await begin();

/** Before each test. */
export async function newWorld(): Promise<void> {
  Object.assign(world, await begin());
}

/** A device of that server; `run` is one pass over both collections. */
export async function device(storage = new MemoryStorage()) {
  const stores = {
    history: await openTestStore(storage, history),
    passwords: await openTestStore(storage, passwords),
  };
  const { platform, ...shared } = testPass(stores.history);
  let nowMs = NOW_MS;
  platform.clock.nowMs = () => nowMs;
  const config = { ...shared.config, historyRecordsMax: 100 };
  const context = { ...shared, platform, config };
  const account = await openAccount({
    ...{ platform: { ...platform, storage }, config, vault: testVault(), generation: GENERATION },
  });
  const wanted = (store: CollectionStore, readOnly = false) => ({ store, readOnly });
  const all = [stores.history, stores.passwords];
  /** As the session does: the device keeps its records, and forgets what was agreed on. */
  const startOver = async (): Promise<void> => {
    for (const store of all) await resetCollection(store, store.state.origin);
    await account.forget();
  };
  const run = async (change: Partial<Pick<PassInput, 'wanted'>> = {}) => {
    const report: PassReport = { ok: false, error: null, requests: 0, collections: {} };
    world.server.log.length = 0;
    const options = { ...remoteBench(nobody).options, ...context };
    const remote = openSync(
      syncOptions(options, account, { stores: all, startOver }),
      world.server,
    );
    const input = { context: { ...context, remote }, wanted: all.map((store) => wanted(store)) };
    const failure = await runPass({ ...input, ...change }, report).then(
      () => null,
      (error: unknown) => error,
    );
    return { report, failure, log: [...world.server.log] };
  };
  const later = (byMs: number) => {
    nowMs += byMs;
  };
  return { ...stores, account, context, run, later, wanted, storage };
}

export const fails = (code: SyncErrorCode) => () => {
  throw new SyncError(code, 'as told');
};
