// From the outbox to the server: local changes are sealed, sent under preconditions, and
// acknowledged. Deletions go first: what takes a deleted record's place then never meets it. No
// more changes are in memory than one request takes.

import { SyncError, type SyncErrorCode } from '../errors.ts';
import {
  FAILED_IN_ROW_MAX,
  PARKED_RECHECK_MS,
  PUSH_IDS_MAX,
  PUSH_TRIES_MAX,
  QUARANTINE_MAX,
} from '../limits.ts';
import type { Fetched, PushResult, Upload } from '../remotes/remote.ts';
import { isUndecided, NO_ENTRY } from '../store/record.ts';
import { updateState } from '../store/rewrite.ts';
import { isNoting } from '../store/transaction.ts';
import { isTooLong } from '../wire/record-size.ts';
import { acknowledgeStaged, add, type Staged, settle } from './acknowledge.ts';
import { settledAtHome } from './merge-dupe.ts';
import { charsOf, type Job, sealedJob } from './outgoing.ts';
import type { CollectionPass } from './pass-context.ts';

/** One upload on its way. */
interface Sending {
  readonly upload: Upload;
  readonly staged: Staged[];
  readonly withParked: boolean;
  /**
   * Records whose deletion is on its way: what an app makes of them meanwhile goes up another time.
   */
  readonly deleting: Set<string>;
  /** What the next request takes, and characters of its payloads. */
  jobs: Job[];
  chars: number;
  failed: number;
  /** Of them, since the last one that was taken. */
  failedInRow: number;
  /** Changes that the server will not take as they are, and its word for the first one. */
  refused: number;
  refusal: string | null;
  /** The collection has changed: nothing that was staged is written. */
  moved: boolean;
  /** There are changes that do not fit any more. */
  full: boolean;
}

/** How an upload has ended. */
export interface PushEnd {
  /**
   * `moved`: nothing that was staged is written, for the collection has moved on. `unseen`: there
   * are versions behind the position that are ours. Both want a pull.
   */
  readonly kind: 'moved' | 'unseen' | 'done';
  /**
   * Why changes that were tried stay here, where trying again at once is of no use; null: none
   * does.
   */
  readonly unsent: SyncError | null;
}

/**
 * Sends the local changes of the collection that are not parked, in as many uploads as the server's
 * limits ask for.
 * Errors: those of the remote and the store; `unavailable` when some changes could not be stored
 * for now.
 */
export async function push(pass: CollectionPass): Promise<PushEnd> {
  const withParked = await parkedAreDue(pass);
  let unsent: SyncError | null = null;
  for (;;) {
    const end = await pushOnce(pass, withParked);
    unsent ??= end.unsent;
    if (end.kind === 'full' && pass.notes.waitMs === 0) continue;
    return { kind: end.kind === 'full' ? 'done' : end.kind, unsent };
  }
}

/** What a server has refused it may take another day. */
async function parkedAreDue({ store, platform }: CollectionPass): Promise<boolean> {
  const nowMs = platform.clock.nowMs();
  const { parkedCheckMs = nowMs } = store.state;
  const ageMs = nowMs - parkedCheckMs;
  // After a clock that went back the time is counted from now on.
  if (ageMs >= 0 && ageMs < PARKED_RECHECK_MS) return false;
  await updateState(store, () => ({ parkedCheckMs: nowMs }));
  return ageMs > 0;
}

/** One upload. `full`: it is stored, and there are changes that did not fit. */
async function pushOnce(
  pass: CollectionPass,
  withParked: boolean,
): Promise<{ kind: PushEnd['kind'] | 'full'; unsent: SyncError | null }> {
  const { store } = pass;
  const { position, plan = null } = store.state;
  const upload = await pass.remote.upload(store, {
    position,
    plan,
    each: async (take) => (await import('./held.ts')).eachHeld(store, take),
  });
  const pushedBefore = pass.report.pushed;
  const sending: Sending = {
    ...{ upload, withParked, staged: [], deleting: new Set(), jobs: [], chars: 0 },
    ...{ failed: 0, failedInRow: 0, refused: 0, refusal: null, moved: false, full: false },
  };
  await gather(pass, sending, true);
  await gather(pass, sending, false);
  if (sending.jobs.length > 0) await send(pass, sending, true);
  const { staged, moved, full } = sending;
  const committed = moved ? { kind: 'moved' as const } : await upload.commit();
  const isSome = pass.report.pushed > pushedBefore;
  const isStored = committed.kind === 'stored';
  const isRead = isStored && (await acknowledgeStaged(pass, staged, committed));
  if (sending.failed > 0 || (full && !isSome && committed.kind === 'none')) {
    throw unsentError(pass, 'unavailable', `${sending.failed} changes are not taken for now`);
  }
  const unsent = refusalOf(pass, sending);
  if (committed.kind === 'moved') return { kind: 'moved', unsent };
  // What was sent lies behind it, and what others may have sent.
  if (isRead && full) return { kind: 'full', unsent };
  return { kind: isSome || (isStored && !isRead) ? 'unseen' : 'done', unsent };
}

/** What the server will not take is reported by the pass that has tried it, and rests then. */
function refusalOf(pass: CollectionPass, { refused, refusal }: Sending): SyncError | null {
  if (refused === 0) return null;
  const code = refusal === 'tooLarge' ? 'tooLarge' : 'conflict';
  return unsentError(pass, code, `${refused} changes are not taken`);
}

function unsentError(pass: CollectionPass, code: SyncErrorCode, why: string): SyncError {
  const { name: collection } = pass.store.collection;
  return new SyncError(code, `${collection}: ${why}`, { collection });
}

/**
 * Seals the deletions, or all else, and sends whenever a request is full; what is left waits in
 * `jobs`.
 */
async function gather(pass: CollectionPass, sending: Sending, deletions: boolean): Promise<void> {
  const { deletionIds, pendingIds } = pass.store;
  const list = deletions ? deletionIds : pendingIds;
  let after: string | null = null;
  do {
    const ids: string[] = await list(after, PUSH_IDS_MAX);
    for (const id of ids) {
      if (isOver(pass, sending)) return;
      if (sending.staged.length + sending.jobs.length >= pass.store.heap.stagedMax) {
        sending.full = true;
        return;
      }
      if (sending.deleting.has(id)) continue;
      const job = await jobOf(pass, sending, id, deletions);
      if (job === null) continue;
      if (isTooLong(job.outgoing.payload ?? '', pass.config)) {
        await settle(pass, [job], [{ kind: 'refused', code: 'tooLarge' }]);
        continue;
      }
      if (isRequestFull(sending, job)) {
        await send(pass, sending, false);
        if (isOver(pass, sending)) return;
      }
      sending.jobs.push(job);
      sending.chars += charsOf(job.outgoing);
      if (deletions) sending.deleting.add(id);
    }
    after = ids.length < PUSH_IDS_MAX ? null : (ids.at(-1) ?? null);
  } while (after !== null);
}

/** There is no room for one more. */
function isRequestFull({ jobs, chars, upload }: Sending, { outgoing }: Job): boolean {
  if (jobs.length === 0) return false;
  return jobs.length >= upload.addMax || chars + charsOf(outgoing) > upload.addCharsMax;
}

function isOver({ store }: CollectionPass, sending: Sending): boolean {
  const { moved, full } = sending;
  return moved || full || isHopeless(sending) || store.state.readOnlyAtMs > 0;
}

/** Null if there is nothing to send of this change, or it has been settled otherwise. */
async function jobOf(
  pass: CollectionPass,
  sending: Sending,
  id: string,
  deletions: boolean,
): Promise<Job | null> {
  const { state } = pass.store;
  const [entry = NO_ENTRY] = await pass.store.load([id]);
  const { mirror, local, quarantined } = entry;
  if (local === null || (local.body === null) !== deletions) return null;
  const isParked = local.tries >= PUSH_TRIES_MAX && !sending.withParked;
  // What waits for somebody to decide waits where there is somebody who can.
  if (isParked || (isNoting(pass.store.collection) && isUndecided(local))) return null;
  // Without a mirror, past the marks that are remembered, only the server knows what an edit would
  // replace.
  const isUnsure = mirror === null && pass.store.state.quarantined >= QUARANTINE_MAX;
  if (quarantined || isUnsure) {
    await meet(pass, sending, id);
    return null;
  }
  const known = { entry, state };
  if (mirror === null && (await settledAtHome(pass, id, local, known))) return null;
  const base = mirror?.version ?? pass.buried.get(id) ?? null;
  // The agreed version would be in memory beside the new one.
  const job = await sealedJob(
    pass,
    id,
    local,
    base,
    mirror === null ? known : undefined,
    mirror?.body,
  );
  await pass.platform.clock.pause();
  return job;
}

async function send(pass: CollectionPass, sending: Sending, isLast: boolean): Promise<void> {
  const { jobs, upload, staged } = sending;
  sending.jobs = [];
  sending.chars = 0;
  const results = await add(pass, upload, jobs, isLast);
  if (results.some(({ kind }) => kind === 'stored' || kind === 'staged')) pass.abort.waitedMs = 0;
  for (const [index, { id, seq, writtenMs }] of jobs.entries()) {
    const result = results[index];
    if (result?.kind === 'staged') staged.push({ id, seq, writtenMs });
    else sending.deleting.delete(id);
    if (result?.kind === 'refused') {
      sending.refused++;
      sending.refusal ??= result.code ?? null;
    }
    if (result?.kind !== 'conflict') note(sending, result);
    else if (isHopeless(sending)) note(sending, { kind: 'failed' });
    else await meet(pass, sending, id, result.theirs);
  }
}

/** `theirs`: the server's version, where it is known. */
async function meet(
  pass: CollectionPass,
  sending: Sending,
  id: string,
  theirs?: Fetched,
): Promise<void> {
  const { staged, upload } = sending;
  note(sending, await (await import('./conflict.ts')).resolve(pass, upload, id, staged, theirs));
}

function note(sending: Sending, result: PushResult | undefined): void {
  const kind = result?.kind;
  if (kind === 'stored' || kind === 'staged') sending.failedInRow = 0;
  if (kind === 'failed') {
    sending.failed++;
    sending.failedInRow++;
  }
  sending.moved ||= kind === 'moved';
  sending.full ||= kind === 'later';
}

/**
 * So many in a row are not the changes' fault: the rest is kept for another pass, with its
 * requests.
 */
function isHopeless({ failedInRow }: Sending): boolean {
  return failedInRow >= FAILED_IN_ROW_MAX;
}
