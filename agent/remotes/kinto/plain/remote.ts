// The collections of a Kinto that are not encrypted: in a bucket that others may use too, their
// records as every client of the server has them. Its deletions are deletions here. A collection
// that was made anew, or restored from a backup, has lost records: they go up again.
// Source: Kinto HTTP API 1.x; what Kinto 26.5.0 was seen to do.

import type { CollectionStore } from '../../../store/store.ts';
import { member } from '../../../wire/document.ts';
import type { Offer, Remote, RemoteOptions, Wanted } from '../../remote.ts';
import { changesOf, hasMoved, refusalOf } from '../changes.ts';
import { createDoubts } from '../doubts.ts';
import { type Kinto, openServer } from '../http.ts';
import { watchedPage } from '../older.ts';
import { NOTHING_HEARD, type Stand, standsOf, UNKNOWN } from '../polls.ts';
import { type Place, type Polled, placeOf, polledOf, youngSinceMs } from '../position.ts';
import { fetchedOf } from '../records.ts';
import { openUpload } from '../upload.ts';
import { PLAIN, plainCodec } from './codec.ts';

/** Kinto's name for a bucket that each user has. */
const DEFAULT_PLACE = 'default';

export function openPlain(options: RemoteOptions): Remote {
  const places = new Map(
    options.stores.map(({ collection: { name, plain } }) => [name, plain?.place]),
  );
  const server = openServer(options, (name) => places.get(name) ?? DEFAULT_PLACE);
  const heard = new Map<string, Polled>();
  const heardOf = (name: string): Polled => heard.get(name) ?? polledOf(NOTHING_HEARD);
  /** Those whose records alone this user may read: there are no tombstones of them. */
  const bare = new Set<string>();
  /** Those of which the device holds another number of records than there are. */
  const miscounted = new Set<string>();
  const readOnly = new Set<string>();
  // A deletion may be why there are fewer than before: nothing is told.
  const doubts = createDoubts(() => undefined);
  const codec = plainCodec(() => options.platform.clock.pause());
  return {
    async begin(wanted) {
      const stands = await standsOf(server, wanted, (one) => !one.readOnly);
      const births = await birthsOf(server, wanted, stands, options);
      return wanted.map((one, at): Offer => {
        const { collection, state } = one.store;
        const { name } = collection;
        const stand = stands[at] ?? UNKNOWN;
        const place = placeOf(state.position);
        const birth = births[at] ?? null;
        heard.set(name, polledOf(stand.kind === 'there' ? stand.signature : NOTHING_HEARD));
        if (birth === 'hidden') bare.add(name);
        if (one.readOnly) readOnly.add(name);
        const refusal = refusalOf(stand, name);
        const isMoved = hasMoved(stand, place, options.notes);
        if (!isMoved && isMiscounted(one, place)) miscounted.add(name);
        return {
          ...one,
          origin: originOf(one, server.collectionPath(name), stand, birth),
          moved: refusal !== null || isMoved || miscounted.has(name),
          codec,
          ...(refusal && { around: () => Promise.reject(refusal) }),
        };
      });
    },
    async changes(store, at) {
      const { name } = store.collection;
      // What a backup has lost goes up again; what this device may not write is the server's word.
      const unlisted = (isBackwards: boolean) =>
        isBackwards && !readOnly.has(name) && !bare.has(name) ? 'ours' : 'gone';
      const isUnburied = miscounted.delete(name) || bare.has(name);
      const kind = { name, form: PLAIN, unlisted, isUnburied };
      // A device that puts nothing up again has what the server has.
      if (readOnly.has(name) || bare.has(name)) {
        return changesOf(options, server, kind, at, heardOf(name));
      }
      const page = await changesOf(options, server, { ...kind, doubts }, at, heardOf(name));
      return 'restart' in page ? page : watchedPage(page, { store, at, doubts });
    },
    async fetch({ collection: { name } }, id) {
      const url = server.base + server.recordPath(name, id);
      const answer = await server.http.send({ method: 'GET', url });
      return fetchedOf(answer, id, options.config.recordCharsMax, PLAIN);
    },
    upload(store: CollectionStore) {
      const { name } = store.collection;
      const met = (): boolean => !bare.has(name) && doubts.met(name);
      return openUpload(options, server, store, heardOf(name).written, PLAIN, met);
    },
  };
}

/**
 * One has vanished while another appeared: no count of the server's says so. What waits here or is
 * set aside is in one number and not in the other; a comparison that has found nothing since the
 * last change will find nothing.
 */
function isMiscounted({ store }: Wanted, { total, tagMs, comparedMs }: Place): boolean {
  const { held, pending, quarantined } = store.state;
  if (pending + quarantined > 0 || store.collection.evictable || total < 0) return false;
  return held !== total && tagMs > comparedMs;
}

/** The stamp of the collection itself; `hidden`: who may read single records does not see it. */
type Birth = number | 'hidden' | null;

/** Of those that have moved. Errors: those of the batch. */
async function birthsOf(
  server: Kinto,
  wanted: readonly Wanted[],
  stands: readonly Stand[],
  { notes }: RemoteOptions,
): Promise<Birth[]> {
  const asked = wanted.filter(({ store: { state } }, at) => {
    const stand = stands[at] ?? UNKNOWN;
    return stand.kind === 'there' && hasMoved(stand, placeOf(state.position), notes);
  });
  if (asked.length === 0) return [];
  const paths = asked.map(({ store }) => server.collectionPath(store.collection.name));
  const answers = await server.ask(paths.map((path) => ({ method: 'GET', path })));
  return wanted.map((one) => {
    const answer = answers === 'readOnly' ? undefined : answers[asked.indexOf(one)];
    if (answer?.status === 403) return 'hidden';
    const stampMs = Number(member(member(answer?.body, 'data'), 'last_modified'));
    return answer?.status === 200 && Number.isSafeInteger(stampMs) ? stampMs : null;
  });
}

/**
 * What the records belong to: the collection, until there is a reason to think that another one was
 * made in its place. That one is younger than what was read of it, and so are all its records, or
 * there are fewer.
 */
function originOf({ store, readOnly }: Wanted, path: string, stand: Stand, birth: Birth): string {
  const { origin, position } = store.state;
  const isKnown = origin.startsWith(`${path}@`);
  if (readOnly) return isKnown ? origin : `${path}@`;
  const born = typeof birth === 'number' ? birth : 0;
  if (!isKnown) return `${path}@${born}`;
  const place = placeOf(position);
  const isYoung = place.tagMs > 0 && born > youngSinceMs(place.tagMs);
  return isYoung && isAnother(stand, place) ? `${path}@${born}` : origin;
}

function isAnother(stand: Stand, { tagMs, total: known, unsure }: Place): boolean {
  if (stand.kind !== 'there') return false;
  const { total, young } = stand.signature;
  // One that this device has just made says nothing.
  return total < 0 || total === young || total < known - unsure || stand.signature.tagMs < tagMs;
}
