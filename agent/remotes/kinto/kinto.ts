// Kinto as a remote: the user's collections in a bucket of their own, encrypted, each with a record
// that says what it belongs to. What the server says of a deletion is believed where a sealed
// tombstone says it, too.
// Sources: Kinto HTTP API 1.x; what Kinto 26.5.0 was seen to do.

import type { BsoCrypto } from '../../../crypto/bso.ts';
import { clientState } from '../../../crypto/keys.ts';
import type { Collection } from '../../collections/collection.ts';
import { SyncError } from '../../errors.ts';
import type { ServerNotes } from '../../wire/http.ts';
import { bsoCryptoOf } from '../bso-crypto.ts';
import { isHashedId } from '../ids.ts';
import { forgetNames, namedBy } from '../named.ts';
import {
  type Offer,
  type Page,
  type Position,
  type Remote,
  type RemoteDriver,
  type RemoteOptions,
  type Restart,
  UNHEARD,
  type Wanted,
} from '../remote.ts';
import { sealedCodec } from './codec.ts';
import { type Kinto, openServer } from './http.ts';
import { type KintoKeys, kintoKeys } from './keys.ts';
import type { Packs } from './packs/packs.ts';
import { epochsOf, isPacked, make, PACKED, poll, type Stand } from './polls.ts';
import {
  hasGrownBehind,
  isDue,
  type Place,
  type Polled,
  placeOf,
  positionOf,
  type Signature,
  START,
} from './position.ts';
import { fetchedOf, listQuery, recordsPage } from './records.ts';
import { unexpected } from './statuses.ts';
import { openUpload } from './upload.ts';

export const kinto: RemoteDriver = {
  protocol: 'kinto',
  keyName: clientState,
  account: async (kept) => ({
    standing: () => UNHEARD,
    forget: () => forgetNames(kept),
  }),
  // Every id is hashed: what a server can read of a record is its length and its times.
  named: /* @__PURE__ */ namedBy({ charsMax: 2_048, isLegal: isHashedId }),
  open: openKinto,
};

function openKinto(options: RemoteOptions): Remote {
  // A farewell has nothing to say: nothing of the device's own is there.
  if (options.owner === null) return nobody();
  const keys = kintoKeys(options.owner.key);
  const server = openServer(options, keys.bucket);
  const heard = new Map<string, Polled>();
  const heardOf = (name: string): Polled =>
    heard.get(name) ?? { ...NOTHING_HEARD, written: { all: 0, created: 0 } };
  const packed = new Map<string, Packs>();
  const fetchWire = async (name: string, id: string) => {
    const answer = await server.http.send({
      method: 'GET',
      url: server.base + server.recordPath(name, id),
    });
    return fetchedOf(answer, id, options.config.recordCharsMax);
  };
  const sealing = {
    crypto: bsoCryptoOf(options),
    pause: () => options.platform.clock.pause(),
  };
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
        heard.set(collection.name, { ...signature, written: { all: 0, created: 0 } });
        const refusal = epoch instanceof SyncError ? epoch : refusalOf(stand, collection.name);
        const bundle = keys.bundleFor(collection.name);
        const origin = typeof epoch === 'string' ? `${keys.bucket}/${epoch}` : state.origin;
        const packs = isPacked(origin) ? await packsOf(collection) : undefined;
        offers.push({
          ...{ ...one, origin },
          moved: refusal !== null || hasMoved(stand, placeOf(state.position), options.notes),
          codec: packs?.codec ?? sealedCodec({ ...sealing, collection, bundle }),
          ...(refusal && { around: () => Promise.reject(refusal) }),
        });
      }
      return offers;
    },
    async changes(store, at) {
      const { name } = store.collection;
      const page = await changes(options, server, name, at, heardOf(name));
      return 'restart' in page ? page : (packed.get(name)?.page(store, page) ?? page);
    },
    fetch: ({ collection: { name } }, id) => packed.get(name)?.fetch(id) ?? fetchWire(name, id),
    async upload(store, held) {
      const upload = await openUpload(
        options,
        server,
        store,
        heardOf(store.collection.name).written,
      );
      return packed.get(store.collection.name)?.upload(upload, held) ?? upload;
    },
  };
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
  const polled = await poll(server, wanted);
  const missing = wanted.filter((_, at) => isMissing(polled[at]));
  const made = missing.length === 0 ? [] : await make(server, missing.map(nameOf));
  for (const [at, one] of missing.entries()) {
    if (made[at]) polled[wanted.indexOf(one)] = EMPTY;
  }
  const doubted = wanted.filter(({ store: { state } }, at) => {
    const now = polled[at] ?? UNKNOWN;
    const isNew = state.position === '' || state.origin === '' || state.resetting;
    const hasNews = isNew || hasMoved(now, placeOf(state.position), options.notes);
    return now.kind !== 'refused' && hasNews;
  });
  const isPackedNew = new Set(wanted.filter(({ store }) => store.collection.packed).map(nameOf));
  const sealerOf = (name: string) => ({
    ...{ crypto, bundle: keys.bundleFor(name) },
    form: isPackedNew.has(name) ? PACKED : '',
  });
  const names = doubted.map(nameOf);
  const epochs = names.length === 0 ? [] : await epochsOf(server, names, sealerOf, options);
  return wanted.map((one, at) => ({
    stand: polled[at] ?? UNKNOWN,
    epoch: epochs[doubted.indexOf(one)] ?? null,
  }));
}

async function changes(
  { config, notes }: RemoteOptions,
  server: Kinto,
  name: string,
  at: Position,
  polled: Polled,
): Promise<Page | Restart> {
  const place = placeOf(at);
  const askedMs = notes.serverNowMs;
  if (isDue(place, askedMs) || hasGrownBehind(place, polled)) return WHOLE;
  const url = server.base + server.recordsPath(name) + listQuery(place, askedMs);
  const answer = await server.http.send({ method: 'GET', url });
  if (answer.status === 400 && place.tagMs > 0) {
    // A token that the server does not know any more, or a stamp that it takes from nobody.
    answer.cancel();
    return place.token === null ? WHOLE : { restart: positionOf({ ...place, token: null }) };
  }
  if (answer.status !== 200) throw unexpected(answer, name);
  const page = recordsPage(answer, config.recordCharsMax, place, { polled, askedMs });
  if (page.tagMs >= place.tagMs) return page;
  // Time goes backwards there: tombstones were purged, or a backup was restored.
  page.cancel();
  return WHOLE;
}

const WHOLE = { restart: /* @__PURE__ */ positionOf(START), whole: 'ours' as const };
const UNKNOWN: Stand = { kind: 'unknown' };
const NOTHING_HEARD: Signature = { tagMs: 1, total: -1, young: -1 };
const EMPTY: Stand = { kind: 'there', signature: NOTHING_HEARD };

function nobody(): Remote {
  const refuse = () => Promise.reject(new SyncError('signedOut', 'nobody is signed in'));
  return { begin: refuse, changes: refuse, fetch: refuse, upload: refuse };
}

/** A missing bucket is refused, a missing collection is missing. */
function isMissing(stand: Stand | undefined): boolean {
  return stand?.kind === 'missing' || stand?.kind === 'refused';
}

function refusalOf({ kind }: Stand, collection: string): SyncError | null {
  if (kind !== 'missing' && kind !== 'refused') return null;
  return new SyncError('readOnly', `${collection}: the server lets this user not make it`, {
    collection,
  });
}

function hasMoved(stand: Stand, place: Place, { serverNowMs }: ServerNotes): boolean {
  if (stand.kind !== 'there' || !place.isWhole) return true;
  const { tagMs, total, young } = stand.signature;
  if (tagMs !== place.tagMs || total !== place.total || young !== place.young) return true;
  return isDue(place, serverNowMs) && tagMs > place.comparedMs;
}
