// Open Web Apps sync as a remote: all of the user's apps are one document, which is exchanged as a
// whole and read by its server. What has changed is found by reading all of it, and what was in it
// stays in it, as it was written. Absent means unknown: only an entry that says so is deleted.
// Source: the description of the sync of Open Web Apps (github.com/mozilla/openwebapps).

import { clientState } from '../../../crypto/keys.ts';
import { readable } from '../../collections/installed-apps.ts';
import { bodyBytesMax } from '../../config.ts';
import { badResponse, SyncError } from '../../errors.ts';
import { namedBy } from '../named.ts';
import type { Fetched, Offer, Remote, RemoteDriver, RemoteOptions, Wanted } from '../remote.ts';
import { type OwaAccount, openAccount } from './account.ts';
import { documentCodec } from './codec.ts';
import { type Reading, readDocument } from './document.ts';
import { NAME_CHARS_MAX } from './limits.ts';
import { entryIn, idsOf, newsPage, wholePage } from './pages.ts';
import { openPolls } from './polls.ts';
import { openClock } from './server-clock.ts';
import { openSession } from './session.ts';
import { openUpload } from './upload.ts';

export const owa: RemoteDriver<OwaAccount> = {
  protocol: 'owa',
  keyName: clientState,
  account: async (kept) => openAccount(kept),
  // On the wire an app is called as it is; only the storage is bounded.
  named: async (collection, kept) => readable(await named(collection, kept)),
  open: openOwa,
};

const named = /* @__PURE__ */ namedBy({ charsMax: NAME_CHARS_MAX, isLegal: () => true });

/** The one collection that there is. */
const APPS = 'apps';

function openOwa(options: RemoteOptions<OwaAccount>): Remote {
  const { config, owner, platform } = options;
  // A farewell has nothing to say: nothing of the device's own is there.
  if (owner === null) return nobody();
  const clock = openClock(options);
  const session = openSession(options, clock);
  const polls = openPolls(options, clock);
  const pause = (): Promise<void> => platform.clock.pause();
  const reads = { bodyBytesMax: bodyBytesMax(config), clock, pause };
  /** What this pass has asked for, and not read yet. */
  let asked: Reading | null = null;
  const taken = (): Reading | null => {
    const reading = asked;
    asked = null;
    return reading;
  };
  const codec = documentCodec(reads, clock);
  const offerOf = async (one: Wanted): Promise<Offer> => {
    const { collection, state } = one.store;
    if (collection.name !== APPS) {
      const { name } = collection;
      const why = badResponse(`${name}: the server keeps ${APPS} only`, { collection: name });
      return { ...one, origin: '', codec, moved: true, around: () => Promise.reject(why) };
    }
    const { origin: known, pending, position, resetting } = state;
    if (!polls.isDue(pending > 0 || resetting || position === '')) {
      return { ...one, origin: known, codec, moved: false };
    }
    const { clients, origin } = await session.login();
    polls.counted(clients);
    asked = await readDocument(session, known === origin ? position : '', polls.heard);
    return { ...one, origin, codec, moved: asked !== null };
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
      return reading ? entryIn(reading, store, reads, id) : { kind: 'missing' };
    },
    async upload(store, held) {
      clock.tell();
      return openUpload({ options, session, store, held, ids: idsOf(store) });
    },
  };
}

function nobody(): Remote {
  const refuse = () => Promise.reject(new SyncError('signedOut', 'nobody is signed in'));
  return { begin: refuse, changes: refuse, fetch: refuse, upload: refuse };
}
