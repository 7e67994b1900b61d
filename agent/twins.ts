// Local changes that need no server: the deletion of a record that it never had, and a new record that means the same
// as one the server has under another id, which takes the change over.

import type { Body } from './collections/collection.ts';
import type { CollectionPass } from './context.ts';
import { type Entry, type Local, NO_ENTRY, visible } from './entry.ts';
import type { Transaction } from './store.ts';

/** True if the change of a record without a mirror is settled; then it is out of the outbox. Errors: the store's. */
export async function settledAtHome(
  pass: CollectionPass,
  id: string,
  local: Local,
): Promise<boolean> {
  const { store } = pass;
  return store.lock.run(async () => {
    const [before = NO_ENTRY] = await store.load([id]);
    if (before.local?.seq !== local.seq || before.mirror !== null) return false;
    const twin = local.body === null ? null : await findTwin(pass, id, local.body);
    if (local.body !== null && twin === null) return false;
    const transaction = store.begin();
    transaction.set(id, before, { ...before, local: null });
    if (twin !== null) mergeIntoTwin(pass, twin, local, transaction);
    await transaction.commit();
    return true;
  });
}

interface Twin {
  readonly id: string;
  readonly entry: Entry;
}

const TWINS_MAX = 32;

async function findTwin({ store }: CollectionPass, id: string, body: Body): Promise<Twin | null> {
  const { collection } = store;
  const prefix = `${collection.identity(body)}!`;
  const { ids } = await store.indexed({ prefix, limit: TWINS_MAX });
  for (const other of ids) {
    if (other === id) continue;
    const [entry = NO_ENTRY] = await store.load([other]);
    const shown = visible(entry);
    if (entry.mirror === null || shown === null) continue;
    if (collection.same(shown, body)) return { id: other, entry };
  }
  return null;
}

function mergeIntoTwin(
  { store, platform }: CollectionPass,
  twin: Twin,
  local: Local,
  transaction: Transaction,
): void {
  const { entry } = twin;
  const decision = store.collection.merge({
    local,
    mirror: null,
    incoming: { body: visible(entry), modifiedMs: entry.mirror?.modifiedMs ?? 0 },
    serverNowMs: entry.mirror?.modifiedMs ?? 0,
    deviceNowMs: platform.clock.nowMs(),
  });
  const body =
    decision.local === 'none' ? null : decision.local === 'keep' ? local.body : decision.local;
  if (body === null) return;
  const seq = transaction.nextSeq();
  transaction.set(twin.id, entry, { ...entry, local: { ...local, body, seq, tries: 0 } });
}
