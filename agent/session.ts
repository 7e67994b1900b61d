// What is open while somebody is signed in, and one pass over it.
// It brings the account's keys, its collections and a protocol's driver together; it decides
// nothing.

import { type BsoCrypto, longPayloadUnits } from '../crypto/bso.ts';
import { deviceCrypto } from '../crypto/device.ts';
import { syncKeyBundle } from '../crypto/keys.ts';
import { restKey } from '../crypto/rest.ts';
import { softwareCrypto } from '../crypto/software.ts';
import type { Platform } from '../platform/ports.ts';
import type { Collection } from './collections/collection.ts';
import { type AgentConfig, bodyBytesMax, heapOf } from './config.ts';
import type { Contents } from './contents.ts';
import { fromPort, SyncError } from './errors.ts';
import type { Clients, ClientsMemory } from './remotes/sync/clients.ts';
import { type Account, openAccount } from './remotes/sync/documents.ts';
import { initializeAccount } from './remotes/sync/initialize.ts';
import { sayFarewell } from './remotes/sync/leave.ts';
import type { Claim } from './remotes/sync/owner.ts';
import type { AgentEvent, PassReport } from './status.ts';
import { DAMAGE_KEY } from './store/layout.ts';
import { mendCollection } from './store/mend.ts';
import { resetCollection } from './store/reset.ts';
import { type CollectionStore, openCollectionStore } from './store/store.ts';
import { createVault } from './store/vault.ts';
import { type PassInput, runPass } from './sync/pass.ts';
import type { PassContext } from './sync/pass-context.ts';

export interface Session {
  readonly account: Account;
  readonly stores: readonly CollectionStore[];
  /** The account's devices; null where the build or the device's configuration leaves them out. */
  readonly clients: CollectionStore | null;
  readonly clientsMemory: ClientsMemory;
  readonly crypto: BsoCrypto;
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
  { collections, clients }: Contents,
  config: AgentConfig,
  tell: (event: AgentEvent) => void,
  damaged?: string,
): Promise<Session> {
  const { storage } = platform;
  try {
    const key = restKey(await platform.identity.deviceKey());
    const vault = createVault(key, platform.entropy, platform.clock);
    const opened = (collection: Collection): Promise<CollectionStore> =>
      openCollectionStore(
        ...[storage, vault, generation, collection],
        ...[() => platform.clock.pause(), heapOf(config)],
      );
    const [isDamaged] = await storage.get([DAMAGE_KEY]);
    const whole = async (collection: Collection): Promise<CollectionStore> => {
      const store = await opened(collection);
      if (isDamaged !== null || collection.name === damaged || store.state.mending !== undefined) {
        const mended = await mendCollection(store, platform);
        tell({ kind: 'damaged', collection: collection.name, ...mended });
      }
      return store;
    };
    const stores: CollectionStore[] = [];
    for (const collection of collections) stores.push(await whole(collection));
    const devices = clients && config.device ? await whole(clients.collection) : null;
    if (isDamaged !== null) await storage.commit([[DAMAGE_KEY, null]]);
    return {
      stores,
      clients: devices,
      clientsMemory: { settled: null },
      account: await openAccount(storage, vault, generation),
      crypto: cryptoOf(platform, config),
      cache: new Map(),
    };
  } catch (error) {
    throw fromPort(error);
  }
}

/**
 * `initialize` is a pass that first creates the account's data; `leave` is what a device does that
 * signs out.
 */
export type Task = 'sync' | 'initialize' | 'leave';

export type SessionPass = Omit<PassContext, 'crypto' | 'keys'> & {
  readonly task: Task;
  /** Null: the account's own documents are not read. */
  readonly claim: Claim | null;
  readonly wanted: PassInput['wanted'];
  readonly engine: Clients | undefined;
  /** See `ClientsPart`. */
  readonly signOut: () => void;
};

/** Runs one pass. Errors: `serviceGone`, those of the pass. */
export async function runSessionPass(
  session: Session,
  { task, claim, wanted, engine, signOut, ...shared }: SessionPass,
  report: PassReport,
): Promise<void> {
  const { account, clients: devices, clientsMemory: memory, crypto } = session;
  const stores = storesOf(session);
  let rechecked = false;
  const refreshKeys = async (): Promise<boolean> => {
    if (claim === null) return false;
    const bundle = syncKeyBundle(claim.key);
    // Deriving takes a slice of its own.
    await shared.platform.clock.pause();
    return account.refreshKeys(shared.remote, crypto, bundle);
  };
  const keys = {
    bundle: (name: string) => account.bundle(name),
    async recheck() {
      if (rechecked) return false;
      rechecked = true;
      return refreshKeys();
    },
  };
  const context = { ...shared, crypto, keys };
  const { device: described } = shared.config;
  const device = described && { ...described, fxaDeviceId: claim?.deviceId ?? null };
  const clients = engine &&
    device &&
    devices && { engine, store: devices, device, memory, signOut };
  const input = { context, account, stores, refreshKeys, wanted, clients: clients ?? null };
  if (task === 'leave') return sayFarewell(context, stores);
  if (task === 'initialize' && claim !== null) {
    report.initialized = await initializeAccount(context, syncKeyBundle(claim.key));
  }
  try {
    await runPass(input, report);
  } catch (error) {
    // The user was moved to another server in the middle of the pass: it starts again there.
    if (!(error instanceof SyncError) || error.code !== 'storageReset') throw error;
    await runPass(input, report);
  }
  if (shared.notes.gone) throw new SyncError('serviceGone', 'the service ends: see the alert');
}

/**
 * The device's own cryptography if it has some, else ours. Long records go through ours even so: it
 * works in slices, and never holds a record twice.
 */
function cryptoOf({ crypto, entropy, clock }: Platform, config: AgentConfig): BsoCrypto {
  const pause = (): Promise<void> => clock.pause();
  const bytesMax = bodyBytesMax(config);
  const ours = softwareCrypto(entropy, pause, bytesMax);
  if (crypto === undefined) return ours;
  const device = deviceCrypto(crypto, entropy, pause, bytesMax);
  return {
    seal: (bundle, texts) => device.seal(bundle, texts),
    open(bundle, items) {
      const isLong = items.some(({ payload }) => payload.length > longPayloadUnits);
      return (isLong ? ours : device).open(bundle, items);
    },
  };
}

/** All that are open. */
export function storesOf({ stores, clients }: Session): readonly CollectionStore[] {
  return clients === null ? stores : [clients, ...stores];
}

/**
 * Keeps the device's records, and forgets what was agreed on with the server; safe to be cut and
 * done again.
 */
export async function forgetServer(session: Session): Promise<void> {
  const { account, cache } = session;
  cache.clear();
  for (const store of storesOf(session)) {
    await resetCollection(store, store.state.syncId);
  }
  await account.forget();
}
