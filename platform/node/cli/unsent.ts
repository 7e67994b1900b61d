// What a sign-out takes with it, in the words of the question before it.

import type { Status } from '../../../agent/index.ts';

/** Lines about the local changes that are not on the server; none where all are. */
export function unsentLines(status: Pick<Status, 'collections' | 'unsent' | 'remotes'>): string[] {
  const all = status.remotes ? Object.values(status.remotes) : [status];
  const counts = all.flatMap(({ collections, unsent = {} }) => [
    ...Object.values(collections).map(({ pending }) => pending),
    ...Object.values(unsent),
  ]);
  const sum = counts.reduce((sum, count) => sum + count, 0);
  return sum === 0 ? [] : [`Not sent yet, and lost then: ${sum} of your changes.`];
}
