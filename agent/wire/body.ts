// A request body that a protocol makes while it goes up: what it gives, however long, becomes
// pieces as the network port takes them, and the pass can end between any two. It holds what its
// maker gave last, and keeps nothing of what has left.

import type { StreamedBody } from '../../platform/ports.ts';
import { BODY_PIECE_MAX } from '../limits.ts';
import { type Abort, stopIfAborted } from './http.ts';

/** Gives the next part of a body, of any length; null at its end. */
export type Make = () => Promise<string | Uint8Array | null>;

/**
 * A body for an exchange. `begin` is called for each time that it is sent, and what it returns for
 * each part; `lengthBytes`: of all of them, where that is known.
 * Its pieces end with SyncError `aborted` or `timeout` when the pass does, and with the errors of
 * its maker.
 */
export function streamedBody(abort: Abort, begin: () => Make, lengthBytes?: number): StreamedBody {
  return {
    ...(lengthBytes !== undefined && { lengthBytes }),
    open() {
      const make = begin();
      let part: string | Uint8Array = '';
      let at = 0;
      return {
        async next() {
          stopIfAborted(abort);
          // What was given before has left.
          abort.waitedMs = 0;
          while (at === part.length) {
            const made = await make();
            if (made === null) return null;
            part = made;
            at = 0;
          }
          const from = at;
          at = pieceEnd(part, from);
          return part.slice(from, at);
        },
      };
    },
  };
}

/** A text is never cut through a pair of units. */
function pieceEnd(part: string | Uint8Array, from: number): number {
  const end = from + BODY_PIECE_MAX;
  if (end >= part.length) return part.length;
  const isPair = typeof part === 'string' && (part.charCodeAt(end - 1) & 0xfc00) === 0xd800;
  return isPair ? end - 1 : end;
}
