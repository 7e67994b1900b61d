// A record that was changed here and on the server: the server's version is fetched and merged, and what is left of
// our change is sent. A lost answer is resolved like this, too: the version turns out to be ours.

import { type CollectionPass, openAll } from './context.ts';
import { type Local, NO_ENTRY } from './entry.ts';
import { SyncError } from './errors.ts';
import { sealedJob } from './job.ts';
import { CONFLICT_ROUNDS_MAX, PUSH_TRIES_MAX } from './limits.ts';
import { isTombstone, keepFork, type Received, receive } from './receive.ts';
import type { Document, PushResult, Upload } from './remotes/remote.ts';
import { park, type Staged, settle } from './settle.ts';

/**
 * A version that this device cannot read is not replaced: our change is parked. What is staged is added to `staged`.
 * Errors: those of the remote and the store.
 */
export async function resolve(
  pass: CollectionPass,
  upload: Upload,
  id: string,
  staged: Staged[],
): Promise<PushResult> {
  for (let round = 0; round < CONFLICT_ROUNDS_MAX; round++) {
    const document = await theirs(pass, id);
    const { local, isProven } = await mergedWith(pass, id, document);
    pass.report.merged++;
    if (local === null) return { kind: 'stored', modifiedMs: 0 };
    if (!isProven && local.tries < PUSH_TRIES_MAX) return { kind: 'failed' };
    if (document === null) return { kind: 'refused' };
    const baseMs = document.kind === 'found' ? document.envelope.modifiedMs : null;
    const job = await sealedJob(pass, id, local, baseMs);
    const results = await upload.add([job.outgoing], false);
    await settle(pass, [job], results);
    const [result = { kind: 'failed' }] = results;
    if (result.kind === 'staged') staged.push({ id, seq: job.seq });
    if (result.kind !== 'conflict') return result;
  }
  return { kind: 'failed' };
}

/** The server's version; null if it cannot be read: it is too long for this device, or nothing that is a record. */
async function theirs(pass: CollectionPass, id: string): Promise<Document | null> {
  try {
    return await pass.remote.document(pass.store.collection.name, id, null);
  } catch (error) {
    if (error instanceof SyncError && error.code === 'badResponse') return null;
    throw error;
  }
}

/**
 * Takes the server's version in; returns what still has to go up. A version that does not prove itself may have been
 * damaged on its way: it counts as a try, and only after the last one ours replaces it.
 */
async function mergedWith(
  pass: CollectionPass,
  id: string,
  document: Document | null,
): Promise<{ readonly local: Local | null; readonly isProven: boolean }> {
  const { store } = pass;
  const [opened] = document?.kind === 'found' ? await openAll(pass, [document.envelope]) : [];
  return store.lock.run(async () => {
    const [before = NO_ENTRY] = await store.load([id]);
    const transaction = store.begin();
    const seq = transaction.nextSeq();
    let after: Received = before;
    let isProven = document !== null && document.kind !== 'found';
    if (isProven) after = { ...before, mirror: null };
    else if (document?.kind === 'found' && opened?.ok === true) {
      const body = isTombstone(opened.body) ? null : opened.body;
      if (body === null || store.collection.check(body) === null) {
        const { modifiedMs } = document.envelope;
        const times = {
          serverNowMs: document.serverNowMs,
          deviceNowMs: pass.platform.clock.nowMs(),
        };
        const arrival = { body, text: opened.text, modifiedMs };
        after = receive(store.collection, before, arrival, store.state.epoch, times, seq);
        isProven = true;
      }
    }
    if (!isProven && before.local !== null) {
      const tries = before.local.tries + 1;
      after = { ...before, local: { ...before.local, tries } };
      if (document === null && tries >= PUSH_TRIES_MAX) park(pass, transaction, id, 'unreadable');
    }
    if (after.fork !== undefined) keepFork(pass, transaction, after.fork, seq);
    transaction.set(id, before, after);
    await transaction.commit();
    return { local: after.local, isProven };
  });
}
