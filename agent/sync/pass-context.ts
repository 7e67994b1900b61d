// What the parts of a pass share: the ports, the account's keys, the remote, and the report being
// made.

import type { BsoCrypto, OpenedBso } from '../../crypto/bso.ts';
import type { KeyBundle } from '../../crypto/keys.ts';
import type { Platform } from '../../platform/ports.ts';
import type { AgentConfig } from '../config.ts';
import { SyncError } from '../errors.ts';
import { SLICE_CHARS_MAX } from '../limits.ts';
import type { Envelope, Remote } from '../remotes/remote.ts';
import type { AgentEvent, CollectionReport } from '../status.ts';
import type { CollectionStore } from '../store/store.ts';
import type { Abort, ServerNotes } from '../wire/http.ts';

export interface PassContext {
  readonly platform: Platform;
  readonly config: AgentConfig;
  readonly remote: Remote;
  readonly notes: ServerNotes;
  readonly abort: Abort;
  readonly crypto: BsoCrypto;
  readonly keys: PassKeys;
  /** Names this device among the account's clients. */
  readonly clientId: string;
  emit(event: AgentEvent): void;
  /** Apps watch the records of this collection. */
  observes(collection: string): boolean;
}

export interface PassKeys {
  bundle(collection: string): KeyBundle;
  /** Reads `crypto/keys` again, at most once in a pass; true if they changed. */
  recheck(): Promise<boolean>;
}

/** A pass over one collection. */
export interface CollectionPass extends PassContext {
  readonly store: CollectionStore;
  readonly report: CollectionReport;
  /**
   * Deletions that this pass has sent, with the versions they got: a deleted record has no mirror
   * to know them by.
   */
  readonly buried: Map<string, number>;
}

/**
 * Proves and decrypts payloads, a slice's worth at a time, and empties the list on its way. A wrong
 * MAC may mean that the keys changed: they are looked at once more before a record is blamed.
 */
export async function openAll(pass: CollectionPass, envelopes: Envelope[]): Promise<OpenedBso[]> {
  const name = pass.store.collection.name;
  const results: OpenedBso[] = [];
  while (envelopes.length > 0) {
    const group = envelopes
      .splice(0, groupLength(envelopes))
      .map(({ id, payload }) => ({ id, payload }));
    let opened = await pass.crypto.open(pass.keys.bundle(name), group);
    const suspect = opened.some((result) => !result.ok && result.code === 'badMac');
    if (suspect && (await pass.keys.recheck())) {
      if (group.some(({ payload }) => payload === '')) throw keysChanged(name);
      opened = await pass.crypto.open(pass.keys.bundle(name), group);
    }
    results.push(...opened);
    await pass.platform.clock.pause();
  }
  return results;
}

/** A long payload is not there for a second try: the next pass reads it again. */
function keysChanged(collection: string): SyncError {
  return new SyncError('conflict', 'the keys changed while the collection was read', {
    collection,
  });
}

/** How many payloads make a slice's worth; at least one. */
function groupLength(envelopes: readonly Envelope[]): number {
  let chars = 0;
  const end = envelopes.findIndex(({ payload }, at) => {
    chars += payload.length;
    return at > 0 && chars > SLICE_CHARS_MAX;
  });
  return end < 0 ? envelopes.length : end;
}
