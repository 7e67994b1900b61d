// What the parts of a pass share: the ports, the remote and what it offers, and the report being
// made.

import type { Platform } from '../../platform/ports.ts';
import type { Collection } from '../collections/collection.ts';
import type { AgentConfig } from '../config.ts';
import type { Offer, Remote } from '../remotes/remote.ts';
import type { AgentEvent, CollectionReport } from '../status.ts';
import type { CollectionStore } from '../store/store.ts';
import type { Abort, ServerNotes } from '../wire/http.ts';

export interface PassContext {
  readonly platform: Platform;
  readonly config: AgentConfig;
  readonly remote: Remote;
  readonly notes: ServerNotes;
  readonly abort: Abort;
  /** Names this device among the account's clients. */
  readonly clientId: string;
  emit(event: AgentEvent): void;
  /** The pass before this one has failed. */
  readonly hasFailed: boolean;
  /** Apps watch the records of this collection. */
  observes(collection: string): boolean;
}

/** A pass over one collection. */
export interface CollectionPass extends PassContext {
  readonly offer: Offer;
  readonly store: CollectionStore;
  readonly report: CollectionReport;
  /**
   * Deletions that this pass has sent, with the versions they got: a deleted record has no mirror
   * to know them by.
   */
  readonly buried: Map<string, string>;
  /** No pause that the server asks for comes before its end. */
  readonly isFirst: boolean;
}

/** A collection whose records are replaced all at once: see replace.ts. */
export interface AtomicCollection extends Collection {
  /**
   * Puts all that there is in the place of all that there was. `pull` lists it, and does what it is
   * given at the end. Errors: those of `pull`.
   */
  replace(
    pass: CollectionPass,
    pull: (pass: CollectionPass, atEnd: () => Promise<void>) => Promise<void>,
  ): Promise<void>;
}

export function isAtomic(collection: Collection): collection is AtomicCollection {
  return 'replace' in collection;
}
