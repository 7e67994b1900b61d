// Kinto as a remote: the user's collections in a bucket of their own, encrypted, each with a record
// that says what it belongs to. What the server says of a deletion is believed where a sealed
// tombstone says it, too.
// Sources: Kinto HTTP API 1.x; what Kinto 26.5.0 was seen to do.

import type { BsoCrypto } from '../../../crypto/bso.ts';
import { clientState } from '../../../crypto/keys.ts';
import type { SyncKey } from '../../../platform/ports.ts';
import type { Collection } from '../../collections/collection.ts';
import { SyncError } from '../../errors.ts';
import type { CollectionStore } from '../../store/store.ts';
import { bsoCryptoOf } from '../bso-crypto.ts';
import { isHashedId } from '../ids.ts';
import { forgetNames, namedBy } from '../named.ts';
import {
  type Offer,
  type Remote,
  type RemoteDriver,
  type RemoteOptions,
  UNHEARD,
  type Wanted,
} from '../remote.ts';
import { changesOf, hasMoved, refusalOf } from './changes.ts';
import { sealedCodec } from './codec.ts';
import { createDoubts } from './doubts.ts';
import { epochsOf, isPacked, PACKED } from './epoch.ts';
import { type Kinto, openServer } from './http.ts';
import { type KintoKeys, kintoKeys } from './keys.ts';
import { watchedPage } from './older.ts';
import type { Packs } from './packs/packs.ts';
import { NOTHING_HEARD, type Stand, standsOf, UNKNOWN } from './polls.ts';
import { type Polled, placeOf, polledOf } from './position.ts';
import { fetchedOf, SEALED } from './records.ts';
import { openUpload } from './upload.ts';

export const kinto: RemoteDriver = {
  protocol: 'kinto',
  keyName: clientState,
  account: async (kept) => ({
    standing: ({ plain }) => (plain ? { ...UNHEARD, encrypted: false } : UNHEARD),
    forget: () => forgetNames(kept),
  }),
  named: async (collection, kept) =>
    collection.plain
      ? (await import('./plain/collection.ts')).plainCollection(collection)
      : sealedIds(collection, kept),
  open(options) {
    const sealed = openKinto(options);
    return options.stores.some(isPlain) ? bothOf(sealed, options) : sealed;
  },
};

// Every id is hashed: what a server can read of a record is its length and its times.
const sealedIds = /* @__PURE__ */ namedBy({ charsMax: 2_048, isLegal: isHashedId });

const isPlain = ({ collection }: CollectionStore): boolean => collection.plain !== undefined;

/** `sealed` with the collections beside it that are not: see plain/remote.ts. */
function bothOf(sealed: Remote, options: RemoteOptions): Remote {
  let opened: Remote | null = null;
  const remoteOf = async (store: CollectionStore): Promise<Remote> => {
    if (!isPlain(store)) return sealed;
    opened ??= (await import('./plain/remote.ts')).openPlain(options);
    return opened;
  };
  return {
    async begin(wanted) {
      const offers: Offer[] = [];
      for (const kind of [false, true]) {
        const own = wanted.filter(({ store }) => isPlain(store) === kind);
        const [one] = own;
        if (one !== undefined) offers.push(...(await (await remoteOf(one.store)).begin(own)));
      }
      return offers;
    },
    changes: async (store, at) => (await remoteOf(store)).changes(store, at),
    fetch: async (store, id) => (await remoteOf(store)).fetch(store, id),
    upload: async (store, held) => (await remoteOf(store)).upload(store, held),
  };
}

function openKinto(options: RemoteOptions): Remote {
  // A farewell has nothing to say: nothing of the device's own is there.
  if (options.owner === null) return nobody();
  const keys = keysOf(options.owner.key, options);
  const server = openServer(options, () => keys.bucket);
  const heard = new Map<string, Polled>();
  const heardOf = (name: string): Polled => heard.get(name) ?? polledOf(NOTHING_HEARD);
  const packed = new Map<string, Packs>();
  const doubts = createDoubts((event) => options.emit(event));
  const fetchWire = async (name: string, id: string) => {
    const url = server.base + server.recordPath(name, id);
    const answer = await server.http.send({ method: 'GET', url });
    return fetchedOf(answer, id, options.config.recordCharsMax);
  };
  const sealing = { crypto: bsoCryptoOf(options), pause: () => options.platform.clock.pause() };
  const packsOf = async (collection: Collection): Promise<Packs> => {
    const { name } = collection;
    const open = (await import('./packs/packs.ts')).openPacks;
    const { crypto } = sealing;
    const fetchOne = (id: string) => fetchWire(name, id);
    const packs = open({ options, server, keys, crypto, collection, fetchWire: fetchOne });
    packed.set(name, packs);
    return packs;
  };
  return {
    async begin(wanted) {
      const looks = await look(options, server, wanted, keys, sealing.crypto);
      const offers: Offer[] = [];
      for (const [at, one] of wanted.entries()) {
        const { collection, state } = one.store;
        const { stand = UNKNOWN, epoch = null } = looks[at] ?? {};
        const signature = stand.kind === 'there' ? stand.signature : NOTHING_HEARD;
        heard.set(collection.name, polledOf(signature));
        const refusal = epoch instanceof SyncError ? epoch : refusalOf(stand, collection.name);
        const bundle = keys.bundleFor(collection.name);
        const origin = typeof epoch === 'string' ? `${keys.bucket}/${epoch}` : state.origin;
        const packs = isPacked(origin) ? await packsOf(collection) : undefined;
        offers.push({
          ...{ ...one, origin },
          moved: refusal !== null || hasMoved(stand, placeOf(state.position), options.notes),
          codec: packs?.codec ?? sealedCodec({ ...sealing, collection, bundle }),
          ...(refusal && { around: () => unlessAwaited(one, refusal) }),
        });
      }
      return offers;
    },
    async changes(store, at) {
      const { name } = store.collection;
      const kind = { name, form: SEALED, unlisted: () => 'ours' as const, doubts };
      const page = await changesOf(options, server, kind, at, heardOf(name));
      if ('restart' in page) return page;
      const packs = packed.get(name);
      const listed = packs?.page(store, page) ?? page;
      return watchedPage(listed, { store, at, doubts, isOlder: packs?.isOlder });
    },
    fetch: ({ collection: { name } }, id) => packed.get(name)?.fetch(id) ?? fetchWire(name, id),
    async upload(store, held) {
      const { name } = store.collection;
      const { written } = heardOf(name);
      const packs = packed.get(name);
      const met = (): boolean => doubts.met(name);
      // The stamp of a pack is none of its records'.
      const metAlone = packs ? undefined : met;
      const upload = await openUpload(options, server, store, written, SEALED, metAlone);
      return packs?.upload(upload, held, met) ?? upload;
    },
  };
}

/** Made once in a boot: that takes a fifth of a second of a small device. */
function keysOf(key: SyncKey, { cache, keyName }: RemoteOptions): KintoKeys {
  const name = `keys of ${keyName}`;
  const keys = (cache.get(name) as KintoKeys | undefined) ?? kintoKeys(key);
  cache.set(name, keys);
  return keys;
}

/** Who changes nothing there, and has seen nothing yet, waits until somebody makes it. */
async function unlessAwaited({ readOnly, store }: Wanted, refusal: SyncError): Promise<void> {
  if (!readOnly || store.state.position !== '' || refusal.code !== 'readOnly') throw refusal;
}

interface Look {
  readonly stand: Stand;
  /** Null: it is the one that is known, or there can be none. */
  readonly epoch: string | null | SyncError;
}

/**
 * How each collection stands: what is not there is made, and whose epoch may be another is asked.
 */
async function look(
  options: RemoteOptions,
  server: Kinto,
  wanted: readonly Wanted[],
  keys: KintoKeys,
  crypto: BsoCrypto,
): Promise<Look[]> {
  const nameOf = ({ store }: Wanted): string => store.collection.name;
  const polled = await standsOf(server, wanted, ({ readOnly }) => !readOnly);
  const doubted = wanted.filter(({ store: { state } }, at) => {
    const now = polled[at] ?? UNKNOWN;
    const isNew = state.position === '' || state.origin === '' || state.resetting;
    const hasNews = isNew || hasMoved(now, placeOf(state.position), options.notes);
    return now.kind !== 'refused' && now.kind !== 'missing' && hasNews;
  });
  const isPackedNew = new Set(wanted.filter(({ store }) => store.collection.packed).map(nameOf));
  const readers = new Set(wanted.filter(({ readOnly }) => readOnly).map(nameOf));
  const sealerOf = (name: string) => ({
    ...{ id: keys.epochIdFor(name), bundle: keys.bundleFor(name), crypto },
    mayMake: !readers.has(name),
    form: isPackedNew.has(name) ? PACKED : '',
  });
  const names = doubted.map(nameOf);
  const epochs = names.length === 0 ? [] : await epochsOf(server, names, sealerOf, options);
  return wanted.map((one, at) => ({
    stand: polled[at] ?? UNKNOWN,
    epoch: epochs[doubted.indexOf(one)] ?? null,
  }));
}

function nobody(): Remote {
  const refuse = () => Promise.reject(new SyncError('signedOut', 'nobody is signed in'));
  return { begin: refuse, changes: refuse, fetch: refuse, upload: refuse };
}
