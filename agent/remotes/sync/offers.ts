// What Firefox Sync offers of the collections: what `meta/global` lists and nobody has declined,
// under the keys of `crypto/keys`, the account's devices first.

import { syncKeyBundle } from '../../../crypto/keys.ts';
import type { DevicesInput, Round } from '../devices.ts';
import type { Codec, Offer, RemoteOptions, Wanted } from '../remote.ts';
import { bsoCodec } from './codec.ts';
import { cursorOf, isUnfinished } from './cursor.ts';
import { type Account, engineOf, isNewer } from './documents.ts';
import type { PollItem, SyncStorage } from './storage.ts';

interface Offers {
  /** Brings the documents up to date; one request where nothing has changed. */
  look(wanted: readonly Wanted[]): Promise<void>;
  /** Those of the collections that the account has in a form that this build knows. */
  of(wanted: readonly Wanted[]): Offer[];
  /** The account's devices: they come before everything else and cannot be declined. */
  ofDevices(): Offer[];
}

export function createOffers(options: RemoteOptions<Account>, storage: SyncStorage): Offers {
  const { account, devices } = options;
  const codecOf = createCodecs(options, storage);
  /** What has changed, or was not read to its end; null: nothing is known. */
  let changed: ReadonlySet<string> | null = null;
  const hasMoved = (name: string): boolean => changed === null || changed.has(name);
  const input = devicesInput(options);

  const offered = (wanted: Wanted, syncId: string): Offer => {
    const { name } = wanted.store.collection;
    let codec: Codec | null = null;
    return {
      ...wanted,
      // The keys may change in the middle of a pass.
      get origin() {
        return [account.meta?.syncId, syncId, account.fingerprint(name)].join('/');
      },
      // Most collections have nothing to open or to seal.
      get codec() {
        codec ??= codecOf(name);
        return codec;
      },
      moved: hasMoved(name),
    };
  };

  return {
    async look(wanted) {
      const isKnown = account.meta !== null && account.keysModifiedMs !== null;
      const asked = input === null ? wanted : [input, ...wanted];
      changed = isKnown ? await poll(account, storage, asked) : null;
      if (hasMoved('meta')) await account.refreshMeta(storage);
      if (hasMoved('crypto')) await refreshKeys(options, storage);
    },
    of: (wanted) =>
      wanted.flatMap((one) => {
        const engine = engineOf(account.meta, one.store.collection.name);
        return engine === null || isNewer(engine) ? [] : [offered(one, engine.syncId)];
      }),
    ofDevices() {
      if (input === null || devices === undefined) return [];
      const { store } = input;
      const { name } = store.collection;
      const engine = engineOf(account.meta, name);
      if (isNewer(engine)) return [];
      const offer = offered({ store, readOnly: false }, engine?.syncId ?? '');
      const isOpen = (): boolean => isUnfinished(cursorOf(store.state.position));
      return [
        Object.assign(offer, {
          moved: offer.moved || !devices.isSettled(input),
          around: (round: Round) => devices.sync(input, hasMoved(name), () => round(isOpen())),
        }),
      ];
    },
  };
}

/** Codecs that look at the keys once more, at most once in a pass, before a record is blamed. */
function createCodecs(
  options: RemoteOptions<Account>,
  storage: SyncStorage,
): (collection: string) => Codec {
  const { account, platform } = options;
  let rechecked = false;
  return (collection) =>
    bsoCodec({
      collection,
      crypto: account.crypto,
      bundle: () => account.bundle(collection),
      async recheck() {
        if (rechecked) return false;
        rechecked = true;
        return refreshKeys(options, storage);
      },
      pause: () => platform.clock.pause(),
    });
}

async function refreshKeys(
  { abort, account, owner, platform }: RemoteOptions<Account>,
  storage: SyncStorage,
): Promise<boolean> {
  if (owner === null) return false;
  const bundle = syncKeyBundle(owner.key);
  // Deriving takes a slice of its own.
  await platform.clock.pause();
  return account.refreshKeys(storage, bundle, abort);
}

/**
 * One request: which of the account's documents and of these collections moved? Also those whose
 * last listing did not come to its end.
 */
async function poll(
  account: Account,
  storage: SyncStorage,
  asked: readonly Pick<Wanted, 'store'>[],
): Promise<Set<string>> {
  const items: (PollItem & { readonly isOpen?: boolean })[] = [
    { collection: 'meta', id: 'global', knownMs: account.meta?.modifiedMs ?? 0 },
    { collection: 'crypto', id: 'keys', knownMs: account.keysModifiedMs ?? 0 },
    ...asked.map(({ store: { collection, state } }) => {
      const cursor = cursorOf(state.position);
      const knownMs = Math.max(0, cursor.sinceMs);
      return { collection: collection.name, id: null, knownMs, isOpen: isUnfinished(cursor) };
    }),
  ];
  const moved = await storage.poll(items);
  const changed = items.filter(({ isOpen }, index) => moved[index] === true || isOpen === true);
  return new Set(changed.map(({ collection }) => collection));
}

/** Null where the build or the device's configuration leaves the other devices out. */
function devicesInput(options: RemoteOptions<Account>): DevicesInput | null {
  const { account, config, devices, owner, platform, stores, notes } = options;
  const store = stores.find(({ collection }) => collection === devices?.collection);
  if (store === undefined || config.device === undefined) return null;
  return {
    platform,
    store,
    clientId: options.clientId,
    device: { ...config.device, fxaDeviceId: owner?.deviceId ?? null },
    memory: account.devicesMemory,
    others: stores.filter((other) => other !== store),
    // The device's own where the server does not say.
    serverNowMs: () => notes.serverNowMs || platform.clock.nowMs(),
    emit: options.emit,
    signOut: options.signOut,
  };
}
