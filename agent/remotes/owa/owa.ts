// Open Web Apps sync as a remote: all of the user's apps are one document, which is exchanged as a
// whole and read by its server. What has changed is found by reading all of it, and what was in it
// stays in it, as it was written. Absent means unknown: only an entry that says so is deleted.
// Source: the description of the sync of Open Web Apps (github.com/mozilla/openwebapps).

import { clientState } from '../../../crypto/keys.ts';
import { bodyBytesMax } from '../../config.ts';
import { badResponse, SyncError } from '../../errors.ts';
import type { CollectionStore } from '../../store/store.ts';
import { namedBy } from '../named.ts';
import type {
  Fetched,
  Listed,
  Offer,
  Remote,
  RemoteDriver,
  RemoteOptions,
  Wanted,
} from '../remote.ts';
import { type OwaAccount, openAccount } from './account.ts';
import { documentCodec } from './codec.ts';
import { type Reading, readDocument } from './document.ts';
import { NAME_CHARS_MAX } from './limits.ts';
import { lister } from './listing.ts';
import { idsOf, newsPage, wholePage } from './pages.ts';
import { openSession } from './session.ts';
import { openUpload } from './upload.ts';

export const owa: RemoteDriver<OwaAccount> = {
  protocol: 'owa',
  keyName: clientState,
  account: async (kept) => openAccount(kept),
  // On the wire an app is called as it is; only the storage is bounded.
  named: /* @__PURE__ */ namedBy({ charsMax: NAME_CHARS_MAX, isLegal: () => true }),
  open: openOwa,
};

/** The one collection that there is. */
const APPS = 'apps';

function openOwa(options: RemoteOptions<OwaAccount>): Remote {
  const { config, notes, owner, platform } = options;
  // A farewell has nothing to say: nothing of the device's own is there.
  if (owner === null) return nobody();
  const session = openSession(options);
  const reads = { bodyBytesMax: bodyBytesMax(config), pause: () => platform.clock.pause() };
  /** What this pass has asked for, and not read yet. */
  let asked: Reading | null = null;
  const taken = (): Reading | null => {
    const reading = asked;
    asked = null;
    return reading;
  };
  const offerOf = async (one: Wanted): Promise<Offer> => {
    const { collection, state } = one.store;
    const codec = documentCodec(reads, 0);
    if (collection.name !== APPS) {
      const { name } = collection;
      const why = badResponse(`${name}: the server keeps ${APPS} only`, { collection: name });
      return { ...one, origin: '', codec, moved: true, around: () => Promise.reject(why) };
    }
    const { origin } = await session.login();
    const isSame = state.origin === origin;
    asked = await readDocument(session, isSame ? state.position : '');
    const aheadMs = (notes.serverNowMs || platform.clock.nowMs()) - platform.clock.nowMs();
    return { ...one, origin, codec: documentCodec(reads, aheadMs), moved: asked !== null };
  };
  return {
    async begin(wanted) {
      const offers: Offer[] = [];
      for (const one of wanted) offers.push(await offerOf(one));
      return offers;
    },
    async changes(store, at) {
      if (store.state.resetting) {
        const reading = taken() ?? (await readDocument(session, ''));
        return reading && wholePage(reading, store, reads, at);
      }
      if (at === '') return { restart: at, whole: 'ours' };
      const reading = taken() ?? (await readDocument(session, at));
      return reading && newsPage(reading, store, reads, at);
    },
    async fetch(store, id): Promise<Fetched> {
      const reading = await readDocument(session, '');
      if (reading === null) return { kind: 'missing' };
      const found = await entryIn(reading, store, id);
      return found ?? { kind: 'missing' };
    },
    upload: async (store, held) => openUpload(options, session, store, held, idsOf(store)),
  };

  async function entryIn(
    reading: Reading,
    store: CollectionStore,
    id: string,
  ): Promise<Fetched | null> {
    const { next } = lister(reading, { ...reads, ids: idsOf(store), seen: () => undefined });
    let found: Listed | null = null;
    for (let more = true; more; ) {
      const listed: Listed[] = [];
      more = await next(listed);
      for (const one of listed) if ((one.ok ? one.envelope.id : one.id) === id) found = one;
    }
    if (found === null) return null;
    if (!found.ok) throw badResponse(`${id}: ${found.code}`);
    return { kind: 'found', envelope: found.envelope, serverNowMs: reading.serverNowMs };
  }
}

function nobody(): Remote {
  const refuse = () => Promise.reject(new SyncError('signedOut', 'nobody is signed in'));
  return { begin: refuse, changes: refuse, fetch: refuse, upload: refuse };
}
