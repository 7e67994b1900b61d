// The one guard against a listing that never ends: a server may repeat its pages, go round in
// circles, send pages with nothing on them, or just go on.

import { PAGES_MAX } from '../limits.ts';
import type { Position } from '../remotes/remote.ts';

/** Called behind every page that another one follows; true: there is no end to them. */
type PagingGuard = (at: Position, isEmpty: boolean) => boolean;

/**
 * Circles are noticed by the memory of one position, renewed after 1, 2, 4, 8... pages (Brent).
 */
export function createPagingGuard(): PagingGuard {
  let remembered: Position | null = null;
  let pages = 0;
  return (at, isEmpty) => {
    if (isEmpty || at === remembered || ++pages >= PAGES_MAX) return true;
    if ((pages & (pages - 1)) === 0) remembered = at;
    return false;
  };
}
