// Local changes that need no server: the deletion of a record that it never had, and a new record
// that means the same as one the server has under another id, which takes the change over.

import { findSame, type Shown } from '../store/dupes.ts';
import { type Entry, type Known, type Local, NO_ENTRY } from '../store/record.ts';
import type { Transaction } from '../store/transaction.ts';
import type { CollectionPass } from './pass-context.ts';

/**
 * True if the change of a record without a mirror is settled; then it is out of the outbox. Errors:
 * the store's.
 */
export async function settledAtHome(
  pass: CollectionPass,
  id: string,
  local: Local,
  { entry, state }: Known,
): Promise<boolean> {
  const { store } = pass;
  return store.lock.run(async () => {
    const [before = NO_ENTRY] = store.state === state ? [entry] : await store.load([id]);
    if (before.local?.seq !== local.seq || before.mirror !== null) return false;
    const isTwin = ({ mirror }: Entry): boolean => mirror !== null;
    const twin = local.body === null ? null : await findSame(store, local.body, isTwin, id);
    if (local.body !== null && twin === null) return false;
    const transaction = store.begin();
    transaction.set(id, before, { ...before, local: null });
    if (twin !== null) mergeIntoTwin(pass, twin, local, transaction);
    await transaction.commit();
    return true;
  });
}

function mergeIntoTwin(
  { store, platform }: CollectionPass,
  twin: Shown,
  local: Local,
  transaction: Transaction,
): void {
  const { entry } = twin;
  const decision = store.collection.merge({
    local,
    mirror: null,
    incoming: { body: twin.body, modifiedMs: entry.mirror?.modifiedMs ?? 0 },
    serverNowMs: entry.mirror?.modifiedMs ?? 0,
    deviceNowMs: platform.clock.nowMs(),
  });
  const kept = decision.local === 'keep' ? local.body : decision.local;
  const body = kept && kept !== 'none' ? { ...kept, id: twin.body.id } : null;
  if (body === null) return;
  const seq = transaction.nextSeq();
  transaction.set(twin.id, entry, {
    ...entry,
    local: { ...local, body, seq, tries: decision.tries ?? 0 },
  });
}
