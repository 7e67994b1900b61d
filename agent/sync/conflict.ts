// A record that was changed here and on the server: the server's version is fetched and merged, and
// what is left of our change is sent. A lost answer is resolved like this, too: the version turns
// out to be ours.

import type { OpenedBso } from '../../crypto/bso.ts';
import type { Collection } from '../collections/collection.ts';
import { SyncError } from '../errors.ts';
import { CONFLICT_ROUNDS_MAX, PUSH_TRIES_MAX } from '../limits.ts';
import type { Document, PushResult, Upload } from '../remotes/remote.ts';
import { type Local, NO_ENTRY, UNKNOWN_FORM } from '../store/record.ts';
import { park, type Staged, settle } from './acknowledge.ts';
import { isTombstone, keepFork, type Received, receive } from './merge.ts';
import { sealedJob } from './outgoing.ts';
import { type CollectionPass, openAll } from './pass-context.ts';

/**
 * A version that this device cannot read, or whose form this build does not know, is not replaced:
 * our change is parked. What is staged is added to `staged`. Errors: those of the remote and the
 * store.
 */
export async function resolve(
  pass: CollectionPass,
  upload: Upload,
  id: string,
  staged: Staged[],
): Promise<PushResult> {
  for (let round = 0; round < CONFLICT_ROUNDS_MAX; round++) {
    const document = await theirs(pass, id);
    const { local, standing } = await mergedWith(pass, id, document);
    pass.report.merged++;
    if (local === null) return { kind: 'stored', modifiedMs: 0 };
    if (standing === 'unproven' && local.tries < PUSH_TRIES_MAX) return { kind: 'failed' };
    if (standing === 'parked' || document === null) return { kind: 'refused' };
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

/**
 * The server's version; null if it cannot be read: it is too long for this device, or nothing that
 * is a record.
 */
async function theirs(pass: CollectionPass, id: string): Promise<Document | null> {
  try {
    return await pass.remote.document(pass.store.collection.name, id);
  } catch (error) {
    if (error instanceof SyncError && error.code === 'badResponse') return null;
    throw error;
  }
}

/**
 * `unproven`: it may have been damaged on its way. `parked`: it is whole, but nothing for this
 * build.
 */
type Standing = 'merged' | 'unproven' | 'parked';

/**
 * Takes the server's version in; returns what still has to go up. A version that does not prove
 * itself counts as a try, and only after the last one ours replaces it.
 */
async function mergedWith(
  pass: CollectionPass,
  id: string,
  document: Document | null,
): Promise<{ readonly local: Local | null; readonly standing: Standing }> {
  const { store } = pass;
  const found = document?.kind === 'found' ? document : null;
  const [opened] = found === null ? [] : await openAll(pass, [found.envelope]);
  return store.lock.run(async () => {
    const [before = NO_ENTRY] = await store.load([id]);
    const transaction = store.begin();
    const seq = transaction.nextSeq();
    const modifiedMs = found?.envelope.modifiedMs ?? 0;
    let after: Received = before;
    let standing: Standing = 'merged';
    const code = refusalOf(store.collection, opened);
    if (document !== null && found === null) after = { ...before, mirror: null };
    else if (found !== null && opened?.ok === true && code === null) {
      const body = isTombstone(opened.body) ? null : opened.body;
      const times = { serverNowMs: found.serverNowMs, deviceNowMs: pass.platform.clock.nowMs() };
      const arrival = { body, text: opened.text, modifiedMs };
      after = receive(store.collection, before, arrival, store.state.epoch, times, seq);
    } else standing = code === null ? 'unproven' : 'parked';
    if (standing !== 'merged' && before.local !== null) {
      const tries = code === null ? before.local.tries + 1 : PUSH_TRIES_MAX;
      after = { ...before, local: { ...before.local, tries } };
      if ((document === null || code !== null) && tries >= PUSH_TRIES_MAX) {
        park(pass, transaction, id, code ?? 'unreadable');
      }
    }
    if (after.fork !== undefined) keepFork(pass, transaction, after.fork, seq);
    transaction.set(id, before, after);
    if (code !== null) transaction.quarantine(id, before, code, modifiedMs);
    await transaction.commit();
    return { local: after.local, standing };
  });
}

/**
 * Why a version that has arrived whole is nothing for this build; null if it is, or does not prove
 * itself.
 */
function refusalOf({ check }: Collection, opened: OpenedBso | undefined): string | null {
  if (opened === undefined) return null;
  if (!opened.ok) return opened.code === 'tooLarge' ? opened.code : null;
  return isTombstone(opened.body) || check(opened.body) === null ? null : UNKNOWN_FORM;
}
