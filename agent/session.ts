// What is open while somebody is signed in, and one pass over it.
// It brings the account's keys, its collections and a protocol's driver together; it decides
// nothing.

import { restKey } from '../crypto/rest.ts';
import type { Platform } from '../platform/ports.ts';
import type { Collection } from './collections/collection.ts';
import { type AgentConfig, heapOf } from './config.ts';
import type { Contents } from './contents.ts';
import { badInput, fromPort, SyncError } from './errors.ts';
import type { Devices } from './remotes/devices.ts';
import { driverOf, isPart, loaded } from './remotes/parts.ts';
import type {
  Kept,
  RemoteAccount,
  RemoteDriver,
  RemoteOptions,
  SelfNamed,
  Wanted,
} from './remotes/remote.ts';
import type { AgentEvent, PassReport } from './status.ts';
import { deviceKeyOf } from './store/device-key.ts';
import { collectionKeys, DAMAGE_KEY } from './store/layout.ts';
import { resetCollection } from './store/reset.ts';
import { type CollectionStore, openCollectionStore } from './store/store.ts';
import { createVault } from './store/vault.ts';
import { runPass } from './sync/pass.ts';
import type { PassContext } from './sync/pass-context.ts';

export interface Session {
  readonly driver: RemoteDriver;
  readonly account: RemoteAccount;
  readonly stores: readonly CollectionStore[];
  /** Opens the collections that are needed and not open yet. Errors: as of `openSession`. */
  need(isNeeded: (name: string) => boolean): Promise<void>;
  /** The account's devices; null where the build or the device's configuration leaves them out. */
  readonly company: CollectionStore | null;
  readonly kept: Kept;
  /** The part of the build that knows of them. */
  readonly devices: Devices | undefined;
  /** The driver's own objects; gone with the sign-in. */
  readonly cache: Map<string, unknown>;
}

/**
 * Opens what the store holds of a generation, and mends what is damaged of it, the collection of
 * this name too; an empty one is a new account.
 */
export async function openSession(
  platform: Platform,
  generation: string,
  contents: Contents,
  config: AgentConfig,
  tell: (event: AgentEvent) => void,
  damaged?: string,
): Promise<Session> {
  const { storage } = platform;
  const { collections } = contents;
  const driver = await driverOf(contents, config);
  try {
    const key = restKey(await deviceKeyOf(platform));
    const vault = createVault(key, platform);
    const opened = (collection: Collection): Promise<CollectionStore> =>
      openCollectionStore(
        ...[storage, vault, generation, collection],
        ...[() => platform.clock.pause(), heapOf(config)],
      );
    const [isDamaged] = await storage.get([DAMAGE_KEY]);
    const whole = async (collection: Collection): Promise<CollectionStore> => {
      const store = await opened(collection);
      if (isDamaged !== null || collection.name === damaged || store.state.mending !== undefined) {
        const mended = await (await import('./store/mend.ts')).mendCollection(store, platform);
        tell({ kind: 'damaged', collection: collection.name, ...mended });
      }
      return store;
    };
    const kept = { platform, config, vault, generation };
    const held = new Map<string, CollectionStore>();
    let stores: readonly CollectionStore[] = [];
    const need = async (isNeeded: (name: string) => boolean): Promise<void> => {
      // Some may have been made since.
      for (const one of contents.collections) {
        if (held.has(one.name) || !isNeeded(one.name)) continue;
        const collection = await loaded(one);
        const { named: naming = isSelfNamed(collection) ? collection.named : null } = driver;
        const named = (await naming?.(collection, kept)) ?? collection;
        const chosen = (await contents.strategies?.chosen(named, config)) ?? named;
        held.set(one.name, await whole(chosen));
        stores = contents.collections.flatMap(({ name }) => held.get(name) ?? []);
      }
    };
    // One that is off and has nothing here costs nothing, and asks nobody what records are called.
    const parts = collections.filter((one) =>
      isPart(one) ? isDamaged === null : isSelfNamed(one),
    );
    const keys = parts.map(({ letter }) => collectionKeys(generation, letter).cursor);
    const cursors = keys.length > 0 ? await storage.get(keys) : [];
    const unused = parts.filter(({ name }, at) => cursors[at] === null && name !== damaged);
    await need((name) => !unused.some((part) => part.name === name));
    const devices = contents.devices && config.device && (await loaded(contents.devices));
    const company = devices ? await whole(devices.collection) : null;
    if (isDamaged !== null) await storage.commit([[DAMAGE_KEY, null]]);
    return {
      driver,
      get stores() {
        return stores;
      },
      need,
      devices,
      company,
      kept,
      account: await driver.account(kept),
      cache: new Map(),
    };
  } catch (error) {
    throw fromPort(error);
  }
}

type OfSession = 'account' | 'stores' | 'cache' | 'startOver' | 'devices';

export type SessionPass = Omit<RemoteOptions, OfSession> &
  Pick<PassContext, 'observes' | 'hasFailed'> & {
    readonly wanted: readonly Wanted[];
  };

/** Runs one pass. Errors: `serviceGone`, those of the pass. */
export async function runSessionPass(
  session: Session,
  pass: SessionPass,
  report: PassReport,
): Promise<void> {
  const { task, wanted } = pass;
  const { account, cache, devices, driver } = session;
  const stores = storesOf(session);
  const startOver = (): Promise<void> => forgetAgreed(session);
  // One object for all: copies of it would be a tenth of an idle pass.
  const remote = driver.open(Object.assign(pass, { account, cache, devices, stores, startOver }));
  if (task === 'leave') return remote.leave?.();
  if (task === 'initialize') {
    if (!remote.initialize) throw badInput('initialize: this protocol needs none');
    report.initialized = await remote.initialize();
  }
  const input = { context: Object.assign(pass, { remote }), wanted };
  try {
    await runPass(input, report);
  } catch (error) {
    // The user was moved to another server in the middle of the pass: it starts again there.
    if (!(error instanceof SyncError) || error.code !== 'storageReset') throw error;
    await runPass(input, report);
  }
  if (pass.notes.gone) throw new SyncError('serviceGone', 'the service ends: see the alert');
}

/** All that are open. */
export function storesOf({ stores, company }: Session): readonly CollectionStore[] {
  return company === null ? stores : [company, ...stores];
}

/**
 * Keeps the device's records, and forgets what was agreed on with the server; safe to be cut and
 * done again.
 */
export async function forgetServer(session: Session): Promise<void> {
  session.cache.clear();
  await forgetAgreed(session);
  for (const { collection } of storesOf(session))
    if (isSelfNamed(collection)) await collection.forgetNames(session.kept);
}

/** As `forgetServer`; what the driver is about to use stays, and the names that the key gives. */
async function forgetAgreed(session: Session): Promise<void> {
  for (const store of storesOf(session)) await resetCollection(store, store.state.origin);
  await session.account.forget();
}

function isSelfNamed(collection: Collection): collection is SelfNamed {
  return 'forgetNames' in collection;
}
