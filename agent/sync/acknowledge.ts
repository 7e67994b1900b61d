// What becomes of local changes when the server has spoken: acknowledged, counted as a try, or
// parked. An acknowledgement is for the version that was sent: an edit made meanwhile stays in the
// outbox.

import type { Body } from '../collections/collection.ts';
import { PAYLOAD_SAFE_CHARS, PUSH_TRIES_MAX } from '../limits.ts';
import type { Committed, PushResult, Stored, Upload } from '../remotes/remote.ts';
import type { Entry } from '../store/record.ts';
import { rewriteEach, updateState } from '../store/rewrite.ts';
import type { Transaction } from '../store/transaction.ts';
import { mirrorOf } from './merge.ts';
import { charsOf, type Job } from './outgoing.ts';
import type { CollectionPass } from './pass-context.ts';

/**
 * Deletions of a pass that are known by their versions; the others come back and are found to be
 * ours.
 */
const BURIED_MAX = 1_000;

/** A change that only the end of its upload makes real. */
export type Staged = Pick<Job, 'id' | 'seq' | 'writtenMs'>;

/**
 * Sends these changes, and writes what the server said of them. Errors: the remote's, the store's.
 */
export async function add(
  pass: CollectionPass,
  upload: Upload,
  jobs: readonly Job[],
  isLast: boolean,
): Promise<PushResult[]> {
  const records = jobs.map(({ outgoing }) => outgoing);
  const plan = await upload.plan?.(records);
  if (plan != null) await updateState(pass.store, () => ({ plan }));
  const results = await upload.add(records, isLast);
  await settle(pass, jobs, results);
  return results;
}

/** Writes what the server said of these changes. */
export async function settle(
  pass: CollectionPass,
  jobs: readonly Job[],
  results: readonly PushResult[],
): Promise<void> {
  const { store, platform } = pass;
  const someStored = results.some(({ kind }) => kind === 'stored' || kind === 'staged');
  const spoken = jobs.flatMap((job, index) => {
    const result = results[index];
    return result === undefined ? [] : [{ id: job.id, known: job.known, job, result }];
  });
  const told = spoken.filter(
    ({ job, result }) =>
      result.kind === 'stored' || triesAfter(result, job, someStored) > job.tries,
  );
  await rewriteEach(
    store,
    told,
    (transaction, before, { id, job, result }) => {
      if (result.kind === 'stored') {
        transaction.set(id, before, acknowledged(pass, before, job, result));
        if (pass.buried.size >= BURIED_MAX) pass.buried.clear();
        if (job.isDeletion) pass.buried.set(id, result.version);
        pass.report.pushed++;
      } else if (before.local?.seq === job.seq) {
        const tries = triesAfter(result, job, someStored);
        transaction.set(id, before, { ...before, local: { ...before.local, tries } });
        const code = (result.kind === 'refused' ? result.code : null) ?? 'refused';
        if (tries >= PUSH_TRIES_MAX && job.tries < PUSH_TRIES_MAX) {
          park(pass, transaction, id, code);
        }
      }
    },
    (transaction) => {
      const isUnsure = results.some(({ kind }) => kind === 'staged' || kind === 'failed');
      if (store.state.plan !== undefined && !isUnsure) transaction.update({ plan: undefined });
      if (!results.some(({ kind }) => kind === 'readOnly')) return;
      transaction.update({ readOnlyAtMs: Math.max(1, platform.clock.nowMs()) });
    },
  );
}

/**
 * What was staged is on the server now. The last commit moves the position behind it, so a device
 * that loses power before it finds its own records in the next pull. So does one whose apps have
 * changed a record meanwhile: what was sent of it is not known any more, and has to be read.
 * Resolves to whether the position is behind all of it.
 */
export async function acknowledgeStaged(
  pass: CollectionPass,
  staged: readonly Staged[],
  end: Committed,
): Promise<boolean> {
  const { position: start } = pass.store.state;
  let isEdited = false;
  await rewriteEach(
    pass.store,
    staged,
    (transaction, before, { id, ...sent }) => {
      isEdited ||= before.local !== null && before.local.seq !== sent.seq;
      transaction.set(id, before, acknowledged(pass, before, sent, end.of?.(id) ?? end));
      pass.report.pushed++;
    },
    (transaction) => {
      const position = isEdited ? start : end.position;
      transaction.update({ position, plan: undefined });
    },
  );
  return !isEdited && end.position !== start;
}

/**
 * The change stays here, and is tried again in a day, or when the record changes on either side.
 */
export function park(
  { store, platform, emit }: CollectionPass,
  transaction: Transaction,
  id: string,
  code: string,
): void {
  const { parkedCheckMs = platform.clock.nowMs() } = store.state;
  transaction.update({ parkedCheckMs });
  emit({ kind: 'quarantine', collection: store.collection.name, id, code });
}

/**
 * `sent` is stored in this version. An edit made since stays, on top of what was sent; where that
 * was a deletion or is not known any more, on top of the mirror that there was, or of one without
 * members: its version is what counts.
 */
function acknowledged(
  pass: CollectionPass,
  now: Entry,
  sent: Pick<Job, 'seq' | 'writtenMs'> & { readonly body?: Body | null },
  { version, modifiedMs }: Stored,
): Entry {
  if (now.local === null) return now;
  const isEdited = now.local.seq !== sent.seq;
  const agreed = now.mirror?.body;
  const { collection } = pass.store;
  const made = now.local.body;
  const mine = made && (collection.stamped?.(made, sent.writtenMs, agreed) ?? made);
  const body = isEdited ? (sent.body ?? agreed ?? {}) : mine;
  const text = body === null ? '' : JSON.stringify(body);
  const arrival = { body, text, version, modifiedMs };
  const mirror = mirrorOf(arrival, pass.store.state.epoch, pass.platform.clock.nowMs());
  return { mirror, local: isEdited ? now.local : null, quarantined: false };
}

/**
 * A refusal that looks like an outage counts as a try of the record only where it cannot be one.
 */
function triesAfter(result: PushResult, { tries, outgoing }: Job, someStored: boolean): number {
  if (result.kind === 'refused') return Math.max(tries, PUSH_TRIES_MAX);
  const suspect = someStored || charsOf(outgoing) > PAYLOAD_SAFE_CHARS;
  return result.kind === 'failed' && suspect ? tries + 1 : tries;
}
