// The made-up protocol of one document as a remote: what has changed is found by reading all of it,
// a change is sent by sending all of it, and what was in it stays in it, as it was written. Its
// members have times of their own; who is newer wins. Of the document it holds the names and one
// member at a time, while it comes and while it goes.

import type { RecordIds } from '../../../agent/collections/collection.ts';
import { SyncError } from '../../../agent/errors.ts';
import { forgetNames, namedBy } from '../../../agent/remotes/named.ts';
import type {
  Codec,
  Envelope,
  Incoming,
  Listed,
  Offer,
  Page,
  Remote,
  RemoteDriver,
  RemoteOptions,
} from '../../../agent/remotes/remote.ts';
import type { CollectionStore } from '../../../agent/store/store.ts';
import { clientState } from '../../../crypto/keys.ts';
import { NO_ACCOUNT } from './client.ts';
import { lister } from './document-listing.ts';
import { openUpload } from './document-upload.ts';
import { openWire, type Reading } from './document-wire.ts';

export const documentRemote: RemoteDriver = {
  protocol: 'document',
  keyName: clientState,
  account: async (kept) => ({ ...NO_ACCOUNT, forget: () => forgetNames(kept) }),
  // On the wire a member is called as it is; only the storage is bounded.
  named: namedBy({ charsMax: 2_048, isLegal: () => true }),
  open: openDocument,
};

function openDocument(options: RemoteOptions): Remote {
  const { platform, config } = options;
  const wire = openWire(options);
  const charsMax = config.recordCharsMax;
  /** What this pass has asked for, and not read yet. */
  let asked: Reading | null = null;
  let isLacking = false;

  return {
    async begin(wanted) {
      const offers: Offer[] = [];
      for (const one of wanted) {
        asked = await wire.read(one.store.state.position);
        const aheadMs = (asked?.serverNowMs ?? options.notes.serverNowMs) - platform.clock.nowMs();
        const origin = await wire.resource();
        offers.push({ ...one, origin, moved: asked !== null, codec: codecOf(aheadMs) });
      }
      return offers;
    },

    async changes(store, at) {
      const restart = { restart: '', whole: 'ours' } as const;
      if (isLacking) {
        isLacking = false;
        return restart;
      }
      const reading = asked ?? (await wire.read(at));
      asked = null;
      if (reading === null) return null;
      const { ids, next } = lister(reading, charsMax, idsOf(store));
      /** What is not there is not deleted: it goes up again, after all that is there has come. */
      const lacksOf = async (): Promise<boolean> => !store.state.resetting && lacks(store, ids);
      const first: Listed[] = [];
      let more = true;
      while (more && first.length === 0) more = await next(first);
      if (ids.size === 0 && (await lacksOf())) return restart;
      const page: Page = {
        serverNowMs: reading.serverNowMs,
        async next(out) {
          out.push(...first.splice(0));
          more = more && (await next(out));
          if (!more) isLacking = await lacksOf();
          return more;
        },
        position: (_, isEnd) => (isEnd && !isLacking ? reading.at : at),
        hasNext: () => isLacking,
        cancel: () => reading.cancel(),
      };
      return page;
    },

    async fetch(store, id) {
      const reading = await wire.read('');
      if (reading === null) return { kind: 'missing' };
      const { next } = lister(reading, charsMax, idsOf(store));
      let found: Listed | null = null;
      for (let more = true; more; ) {
        const listed: Listed[] = [];
        more = await next(listed);
        for (const one of listed) if ((one.ok ? one.envelope.id : one.id) === id) found = one;
      }
      if (found === null) return { kind: 'missing' };
      if (!found.ok) throw new SyncError('badResponse', `${id}: ${found.code}`);
      return { kind: 'found', envelope: found.envelope, serverNowMs: reading.serverNowMs };
    },

    upload: async (store, held) => openUpload(wire, store.heap, held, idsOf(store)),
  };
}

/** `aheadMs`: by so much the server's clock is ahead. */
function codecOf(aheadMs: number): Codec {
  return {
    open: async (envelopes) => envelopes.splice(0).map(incomingOf),
    seal: async ({ id, body, base, changedAtMs }) => {
      const last_modified = Math.max((changedAtMs + aheadMs) / 1_000, Number(base) + 0.001);
      const members = body ?? { id, deleted: true };
      return { id, payload: JSON.stringify({ last_modified, ...members }), base, beside: {} };
    },
  };
}

function incomingOf({ payload }: Envelope): Incoming {
  if (payload === null) return { kind: 'tombstone' };
  const { last_modified: _, id, ...members } = JSON.parse(payload);
  const body = { id, ...members };
  return { kind: 'live', body, text: JSON.stringify(body) };
}

function idsOf({ collection: { ids } }: CollectionStore): RecordIds {
  if (ids === undefined) throw new TypeError('the collection has no names: see `named`');
  return ids;
}

/** What the device has agreed on is not in it. */
async function lacks({ mirrorIds }: CollectionStore, ids: ReadonlySet<string>): Promise<boolean> {
  for (let after: string | null = null; ; ) {
    const { ids: ours, next }: { ids: string[]; next: string | null } = await mirrorIds(after, 100);
    if (ours.some((id) => !ids.has(id))) return true;
    if (next === null) return false;
    after = next;
  }
}
