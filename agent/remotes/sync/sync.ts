// Firefox Sync as a remote, over one of its two kinds of storage. A collection that the account
// lacks is added to it when all else has had its turn.

import type { Page, Remote, RemoteOptions } from '../remote.ts';
import { behind, createProgress, cursorOf, positionOf, resumed, START } from './cursor.ts';
import type { Account } from './documents.ts';
import { unlisted } from './enlist.ts';
import { createOffers } from './offers.ts';
import type { SyncPage, SyncStorage } from './storage.ts';

export function openSync(options: RemoteOptions<Account>, storage: SyncStorage): Remote {
  const { account, startOver } = options;
  const offers = createOffers(options, storage);
  return {
    async begin(wanted) {
      const place = await storage.place();
      // The user's data is elsewhere now: what was agreed on with the server is void.
      if ((account.meta?.place ?? place) !== place) await startOver();
      await offers.look(wanted);
      return [...offers.ofDevices(), ...offers.of(wanted)];
    },
    async rest(wanted) {
      const missing = unlisted(options, wanted);
      if (missing.length > 0) {
        await (await import('./enlist.ts')).enlist(options, storage, missing);
      }
      return offers.of(missing);
    },
    async changes({ collection: { name } }, at) {
      const cursor = resumed(cursorOf(at));
      const page = await storage.changes(name, cursor);
      if (page === null) return null;
      if (page === 'restart') return { restart: positionOf(behind(cursor)) };
      if (page.stampMs >= cursor.sinceMs) return pageOf(page, cursor);
      page.cancel();
      return { restart: '' };
    },
    fetch: ({ collection }, id) => storage.fetch(collection.name, id),
    async upload({ collection }, { position }) {
      const upload = await storage.upload(collection.name, cursorOf(position));
      return {
        ...upload,
        async commit() {
          const end = await upload.commit();
          if (end.kind !== 'stored') return end;
          return { ...end, position: positionOf({ ...START, sinceMs: Number(end.version) }) };
        },
      };
    },
    initialize: async () => (await import('./enlist.ts')).initializeAccount(options, storage),
    leave: async () => (await import('./leave.ts')).sayFarewell(options, storage),
  };
}

function pageOf(page: SyncPage, cursor: ReturnType<typeof cursorOf>): Page {
  const progress = createProgress(cursor, page.stampMs);
  return {
    serverNowMs: page.serverNowMs,
    next: (out) => page.next(out),
    cancel: () => page.cancel(),
    hasNext: () => page.nextPage() !== null,
    position: (taken, isEnd) => positionOf(progress(taken, isEnd ? page.nextPage() : null, isEnd)),
  };
}
