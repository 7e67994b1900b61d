// A server may be set to ask for a pause with every answer it ever gives. A pass that obeyed after
// its first request would never bring anything: what it finds to do is begun, and the pause comes
// before the next piece of work.

import type { Remote, RemoteOptions } from '../remote.ts';

/** The remote, whose look at the server is no reason to stop when there is something to do. */
export function patient(remote: Remote, { notes }: Pick<RemoteOptions, 'notes'>): Remote {
  let heldMs = 0;
  const asked = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } finally {
      notes.waitMs = Math.max(notes.waitMs, heldMs);
    }
  };
  return {
    ...remote,
    async begin(wanted) {
      const offers = await remote.begin(wanted);
      const hasWork = offers.some(
        ({ around, moved, store }) => around === undefined && (moved || store.state.pending > 0),
      );
      if (hasWork) {
        heldMs = notes.waitMs;
        notes.waitMs = 0;
      }
      return offers;
    },
    changes: (store, at) => asked(remote.changes(store, at)),
    async upload(store, held) {
      const upload = await remote.upload(store, held);
      return { ...upload, add: (records, isLast) => asked(upload.add(records, isLast)) };
    },
  };
}
