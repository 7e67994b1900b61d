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

/**
 * A maker from straight code: what `write` gives is a part, and `write` goes on when the next one
 * is asked for. Where nobody asks any more it goes on no further: what it holds open then is for
 * its caller to close. Errors: those of `write`.
 */
export function written(write: (give: Give) => Promise<void>): Make {
  let goOn: (() => void) | null = null;
  let resolve: (part: string | Uint8Array | null) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const give: Give = (part) =>
    new Promise((next) => {
      goOn = next;
      resolve(part);
    });
  return () =>
    new Promise((resolved, rejected) => {
      [resolve, reject] = [resolved, rejected];
      if (goOn !== null) return goOn();
      write(give).then(
        () => resolve(null),
        (error: unknown) => reject(error),
      );
    });
}

/** Resolves when the part has been taken and the next one is wanted. */
export type Give = (part: string | Uint8Array) => Promise<void>;

/** A text is never cut through a pair of units. */
function pieceEnd(part: string | Uint8Array, from: number): number {
  const end = from + BODY_PIECE_MAX;
  if (end >= part.length) return part.length;
  const isPair = typeof part === 'string' && (part.charCodeAt(end - 1) & 0xfc00) === 0xd800;
  return isPair ? end - 1 : end;
}
