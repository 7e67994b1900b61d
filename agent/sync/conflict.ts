// A record that was changed here and on the server: the server's version is fetched and merged, and
// what is left of our change is sent. A lost answer is resolved like this, too: the version turns
// out to be ours.

import type { Body, Collection } from '../collections/collection.ts';
import { SyncError } from '../errors.ts';
import { CONFLICT_ROUNDS_MAX, PUSH_TRIES_MAX } from '../limits.ts';
import type { Fetched, Incoming, PushResult, Upload } from '../remotes/remote.ts';
import { isUndecided, type Local, NO_ENTRY, UNKNOWN_FORM } from '../store/record.ts';
import type { Transaction } from '../store/transaction.ts';
import { add, park, type Staged } from './acknowledge.ts';
import { type Received, receive } from './merge.ts';
import { sealedJob } from './outgoing.ts';
import type { CollectionPass } from './pass-context.ts';

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
  told?: Fetched,
): Promise<PushResult> {
  let known = told;
  for (let round = 0; round < CONFLICT_ROUNDS_MAX; round++) {
    const document = known ?? (await theirs(pass, id));
    const { local, standing } = await mergedWith(pass, id, document);
    pass.report.merged++;
    // Nothing is left to be sent, or nothing before somebody has decided.
    if (local === null || isUndecided(local)) return NOTHING_LEFT;
    if (standing === 'unproven' && local.tries < PUSH_TRIES_MAX) return { kind: 'failed' };
    if (standing === 'parked' || document === null) return { kind: 'refused' };
    const base = document.kind === 'found' ? document.envelope.version : null;
    const job = await sealedJob(pass, id, local, base);
    const [result = { kind: 'failed' }] = await add(pass, upload, [job], false);
    if (result.kind === 'staged') staged.push({ id, seq: job.seq, writtenMs: job.writtenMs });
    if (result.kind !== 'conflict') return result;
    known = result.theirs;
  }
  return { kind: 'failed' };
}

/** Makes the version that a merge could not take in a new record of this device. */
export function keepFork(
  { store, platform }: Pick<CollectionPass, 'store' | 'platform'>,
  transaction: Transaction,
  fork: Body,
  seq: number,
): void {
  const own = store.collection.newId(platform.entropy.random(18));
  const id = store.collection.ids?.wireId(own) ?? own;
  const changedAtMs = platform.clock.nowMs();
  const local = { body: store.collection.outgoing(own, fork), changedAtMs, seq, tries: 0 };
  transaction.set(id, NO_ENTRY, { ...NO_ENTRY, local });
}

const NOTHING_LEFT: PushResult = { kind: 'stored', version: '', modifiedMs: 0 };

/**
 * The server's version; null if it cannot be read: it is too long for this device, or nothing that
 * is a record.
 */
async function theirs(pass: CollectionPass, id: string): Promise<Fetched | null> {
  try {
    return await pass.remote.fetch(pass.store, id);
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
  document: Fetched | null,
): Promise<{ readonly local: Local | null; readonly standing: Standing }> {
  const { store } = pass;
  const found = document?.kind === 'found' ? document : null;
  const [opened] = found === null ? [] : await pass.offer.codec.open([found.envelope]);
  return store.lock.run(async () => {
    const [before = NO_ENTRY] = await store.load([id]);
    const transaction = store.begin();
    const seq = transaction.nextSeq();
    const { version = '', modifiedMs = null } = found?.envelope ?? {};
    let after: Received = before;
    let standing: Standing = 'merged';
    const code = refusalOf(store.collection, opened);
    const isGone = document !== null && found === null;
    if (isGone || opened?.kind === 'unprovenDeletion') after = { ...before, mirror: null };
    else if (found !== null && opened && opened.kind !== 'malformed' && code === null) {
      const { body, text } = opened.kind === 'live' ? opened : { body: null, text: '' };
      const { serverNowMs } = found;
      const deviceNowMs = pass.platform.clock.nowMs();
      const times = { serverNowMs, deviceNowMs, clockMs: pass.notes.serverNowMs };
      const arrival = { body, text, version, modifiedMs };
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
    if (code !== null) transaction.quarantine(id, before, code, modifiedMs ?? 0);
    await transaction.commit();
    return { local: after.local, standing };
  });
}

/**
 * Why a version that has arrived whole is nothing for this build; null if it is, or does not prove
 * itself.
 */
function refusalOf({ check }: Collection, opened: Incoming | undefined): string | null {
  if (opened?.kind === 'malformed') return opened.proven ? opened.code : null;
  return opened?.kind !== 'live' || check(opened.body) === null ? null : UNKNOWN_FORM;
}
