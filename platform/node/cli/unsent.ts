// What a sign-out takes with it, in the words of the question before it.

import type { Status } from '../../../agent/index.ts';

/** Lines about the local changes that are not on the server; none where all are. */
export function unsentLines(collections: Status['collections']): string[] {
  const unsent = Object.values(collections).reduce((sum, { pending }) => sum + pending, 0);
  return unsent === 0 ? [] : [`Not sent yet, and lost then: ${unsent} of your changes.`];
}
