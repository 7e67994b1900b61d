// Pages that are asked for before they are needed: as soon as all of a page has arrived, the next
// one is on its way, while the last batch of records is proven and stored. For who has the memory
// of a second answer and a connection to spare: a computer. What comes is looked at only when the
// position before it is durable, so nothing is taken that would not have been taken then.

import type { CollectionStore } from '../store/store.ts';
import type { Offer, Page, Position, Remote, RemoteAccount, RemoteDriver } from './remote.ts';

/** The driver, whose remotes are one page ahead. */
export function readsAhead<A extends RemoteAccount, D extends RemoteDriver<A>>(
  driver: D & RemoteDriver<A>,
): D {
  return { ...driver, open: (options) => aheadOf(driver.open(options)) };
}

type Answer = ReturnType<Remote['changes']>;

interface Asked {
  readonly store: CollectionStore;
  readonly at: Position;
  readonly answer: Answer;
}

function aheadOf(remote: Remote): Remote {
  /** At most one, of the collection that is being read. */
  let asked: Asked | null = null;

  const ask = (store: CollectionStore, at: Position): void => {
    const answer = remote.changes(store, at);
    // It is told to who needs the page.
    answer.catch(() => undefined);
    asked = { store, at, answer };
  };

  const taken = (store: CollectionStore, at: Position): Answer => {
    const { answer } = asked ?? {};
    if (answer === undefined || asked?.store !== store || asked.at !== at) {
      giveUp();
      return remote.changes(store, at);
    }
    asked = null;
    return answer;
  };

  const giveUp = (): void => {
    asked?.answer.then(
      (page) => page !== null && 'cancel' in page && page.cancel(),
      () => undefined,
    );
    asked = null;
  };

  const watched = (store: CollectionStore, page: Page): Page => ({
    serverNowMs: page.serverNowMs,
    next: (out) => page.next(out),
    hasNext: () => page.hasNext(),
    cancel: () => page.cancel(),
    position(records, isEnd) {
      const position = page.position(records, isEnd);
      if (isEnd && page.hasNext()) ask(store, position);
      return position;
    },
  });

  /** What was asked for and is not needed any more does not outlive the collection's turn. */
  const guarded = (offer: Offer): Offer => ({
    ...offer,
    async around(round) {
      try {
        await (offer.around === undefined ? round(offer.moved) : offer.around(round));
      } finally {
        giveUp();
      }
    },
  });

  return {
    ...remote,
    begin: async (wanted) => (await remote.begin(wanted)).map(guarded),
    ...(remote.rest && {
      rest: async (wanted) => ((await remote.rest?.(wanted)) ?? []).map(guarded),
    }),
    async changes(store, at) {
      const page = await taken(store, at);
      return page === null || 'restart' in page ? page : watched(store, page);
    },
  };
}
