// What a pass has met that a server which has lost nothing would not say: its time went back, there
// are fewer records than there were, or it holds an older version than one that it has given a
// stamp. A backup was restored there, or it is another server. All is compared then, once a pass,
// and it is told once.

import type { AgentEvent } from '../../status.ts';

export interface Doubts {
  /**
   * A change has met an older version than the one that it was made from. True: it is not to be
   * merged with that one before all is compared; false: it was, in this pass.
   */
  met(collection: string): boolean;
  /** What is listed of it in this pass is looked at, whether it is older than what is known. */
  watch(collection: string): void;
  isWatched(collection: string): boolean;
  /** Whether all is to be compared for it; asked once, the answer is no. */
  take(collection: string): boolean;
  /** What a server had of the collection was lost there. */
  tell(collection: string): void;
}

export function createDoubts(emit: (event: AgentEvent) => void): Doubts {
  const open = new Set<string>();
  const told = new Set<string>();
  const watched = new Set<string>();
  return {
    watch: (collection) => void watched.add(collection),
    isWatched: (collection) => watched.has(collection),
    met(collection) {
      if (told.has(collection)) return false;
      open.add(collection);
      return true;
    },
    take: (collection) => open.delete(collection),
    tell(collection) {
      if (told.has(collection)) return;
      told.add(collection);
      emit({ kind: 'beganAnew', collection });
    },
  };
}
