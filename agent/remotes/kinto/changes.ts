// Whether a collection has moved, and what a page of its changes is: a listing behind its position,
// or a comparison of all where no listing behind a stamp can show everything.

import { SyncError } from '../../errors.ts';
import type { ServerNotes } from '../../wire/http.ts';
import type { Page, Position, RemoteOptions, Restart } from '../remote.ts';
import type { Doubts } from './doubts.ts';
import type { Kinto } from './http.ts';
import type { Stand } from './polls.ts';
import {
  hasGrownBehind,
  hasVanished,
  isBehind,
  isDue,
  type Place,
  type Polled,
  placeOf,
  positionOf,
  START,
} from './position.ts';
import { type Form, listQuery, recordsPage } from './records.ts';
import { unexpected } from './statuses.ts';

interface Kind {
  readonly name: string;
  readonly form: Form;
  /**
   * What an agreed record is that a listing of all does not show. `isBackwards`: the collection's
   * time has gone back.
   */
  unlisted(isBackwards: boolean): 'ours' | 'gone';
  readonly doubts?: Doubts;
  /** There are no tombstones: what is not there is found by comparing all. */
  readonly isUnburied?: boolean;
}

/** A page behind the position. Errors: those of HTTP, of the status, of the listing. */
export async function changesOf(
  { config, notes }: RemoteOptions,
  server: Kinto,
  { name, form, unlisted, doubts, isUnburied = false }: Kind,
  at: Position,
  polled: Polled,
): Promise<Page | Restart> {
  const whole = (isBackwards = false): Restart => ({
    restart: positionOf(START),
    whole: unlisted(isBackwards),
  });
  const lost = (isBackwards: boolean): Restart => {
    const restart = whole(isBackwards);
    if (restart.whole === 'ours') doubts?.tell(name);
    return restart;
  };
  const place = placeOf(at);
  const askedMs = notes.serverNowMs;
  if (place.isWhole) doubts?.watch(name);
  if (doubts?.take(name)) return lost(true);
  if (hasVanished(place)) return lost(false);
  if (isDue(place, askedMs)) return isBehind(polled, place) ? lost(true) : whole();
  if ((isUnburied && place.isWhole) || hasGrownBehind(place, polled)) return whole();
  const url = server.base + server.recordsPath(name) + listQuery(place, askedMs);
  const answer = await server.http.send({ method: 'GET', url });
  if (answer.status === 400 && place.tagMs > 0) {
    // A token that the server does not know any more, or a stamp that it takes from nobody.
    answer.cancel();
    return place.token === null ? whole() : { restart: positionOf({ ...place, token: null }) };
  }
  if (answer.status !== 200) throw unexpected(answer, name);
  const page = recordsPage(answer, config.recordCharsMax, place, { form, polled, askedMs });
  if (page.tagMs >= place.tagMs) return page;
  // Time goes backwards there: tombstones were purged, or a backup was restored.
  page.cancel();
  return lost(true);
}

/** Something may have come in. */
export function hasMoved(stand: Stand, place: Place, { serverNowMs }: ServerNotes): boolean {
  if (stand.kind !== 'there' || !place.isWhole) return true;
  const { tagMs, total, young } = stand.signature;
  if (tagMs !== place.tagMs || total !== place.total || young !== place.young) return true;
  return isDue(place, serverNowMs) && tagMs > place.comparedMs;
}

/** Why a collection does not sync that is not there; null: it is. */
export function refusalOf({ kind }: Stand, collection: string): SyncError | null {
  if (kind !== 'missing' && kind !== 'refused') return null;
  return new SyncError('readOnly', `${collection}: the server lets this user not make it`, {
    collection,
  });
}
