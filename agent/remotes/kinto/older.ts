// A listing in which a record may be older than what was agreed on: a backup was restored there,
// and others have written since, so that no stamp and no count of the collection went back. Such a
// version never takes the place of a younger one: all is compared first, and it is told.

import type { CollectionStore } from '../../store/store.ts';
import type { Page, Position } from '../remote.ts';
import type { Doubts } from './doubts.ts';
import { type Place, placeOf, positionOf, sinceOf } from './position.ts';

interface Older {
  readonly store: CollectionStore;
  /** Where the page begins. */
  readonly at: Position;
  readonly doubts: Doubts;
  /** Whether a version of a record is from before another one of it; left out: by their stamps. */
  readonly isOlder?: ((version: string, known: string) => boolean) | undefined;
}

/**
 * A server gives each version of a record a later stamp than the one before. A stamp is its word
 * alone: one that the listing did not ask for is no reason to keep anything out.
 */
function olderStampAt(place: Place, isWhole: boolean): NonNullable<Older['isOlder']> {
  const sinceMs = isWhole ? -1 : (sinceOf(place, 0) ?? -1);
  return (version, known) => Number(version) < Number(known) && Number(version) > sinceMs;
}

/**
 * The same page, in which an older version is passed over. Where all is compared already, and what
 * is not there goes up again, it is listed as it is, to be merged; otherwise the position behind it
 * asks for that.
 */
export function watchedPage(
  page: Page,
  { store, at, doubts, isOlder = olderStampAt(placeOf(at), store.state.resetting) }: Older,
): Page {
  const { name } = store.collection;
  if (!doubts.isWatched(name)) return page;
  const compared = positionOf({ ...placeOf(at), isWhole: true, comparedMs: -1 });
  let isLost = false;
  return {
    ...page,
    older(version, agreed, behind) {
      if (!isOlder(version, agreed)) return null;
      const { resetting, gone } = store.state;
      if (resetting && !gone) doubts.tell(name);
      else isLost ||= doubts.met(name);
      if (isLost) return compared;
      return resetting ? null : behind;
    },
    hasNext: () => isLost || page.hasNext(),
    position(taken, isEnd) {
      const behind = page.position(taken, isEnd);
      return isLost ? compared : behind;
    },
  };
}
