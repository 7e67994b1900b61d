// From the outbox to the server: local changes are sealed, sent under preconditions, and acknowledged in one
// commit. An acknowledgement is for the version that was sent: an edit made meanwhile stays in the outbox.
// A lost answer is resolved by looking: a conflict whose record turns out to be ours is an acknowledgement.

import type { Body } from './collections/collection.ts';
import { type CollectionPass, createPacer, openAll } from './context.ts';
import { type Entry, type Local, NO_ENTRY, visible } from './entry.ts';
import { SyncError } from './errors.ts';
import {
  BATCH_RECORDS_MAX,
  CONFLICT_ROUNDS_MAX,
  PAYLOAD_SAFE_CHARS,
  PUSH_TRIES_MAX,
  STAGED_MAX,
} from './limits.ts';
import { isTombstone, keepFork, mirrorOf, type Received, receive } from './receive.ts';
import type { Document, Outgoing, PushResult, Upload } from './remotes/remote.ts';
import { START } from './store.ts';

/** One change on its way. */
interface Job {
  readonly id: string;
  readonly local: Local;
  readonly outgoing: Outgoing;
}

/** A change that only the end of its upload makes real. */
interface Staged {
  readonly id: string;
  readonly seq: number;
}

/**
 * Sends the local changes of the collection that are not parked, in as many uploads as the server's limits ask for.
 * True if a pull is needed to see how things stand: the collection moved on, or has versions behind the cursor that
 * are ours.
 * Errors: those of the remote and the store; `unavailable` when some changes could not be stored for now.
 */
export async function push(pass: CollectionPass): Promise<boolean> {
  for (;;) {
    const end = await pushOnce(pass);
    if (end !== 'full' || pass.notes.waitMs > 0) return end === 'unseen';
  }
}

/** One upload. `full`: it is stored, and there are changes that did not fit. */
async function pushOnce(pass: CollectionPass): Promise<'full' | 'unseen' | 'done'> {
  const { store } = pass;
  const upload = await pass.remote.upload(store.collection.name, store.state.cursor);
  const pushedBefore = pass.report.pushed;
  const staged: Staged[] = [];
  let failed = 0;
  let moved = false;
  let full = false;
  let ids = await store.pendingIds(null, upload.addMax);
  while (ids.length > 0 && store.state.readOnlyAtMs === 0 && !moved && !full) {
    const isShort = ids.length < upload.addMax;
    const next = isShort ? [] : await store.pendingIds(ids.at(-1) ?? null, upload.addMax);
    full = next.length > 0 && staged.length + ids.length >= STAGED_MAX;
    const results = await pushPortion(pass, upload, ids, staged, full || next.length === 0);
    failed += results.filter(({ kind }) => kind === 'failed').length;
    moved = results.some(({ kind }) => kind === 'moved');
    full ||= results.some(({ kind }) => kind === 'later');
    ids = next;
  }
  const committed = moved ? { kind: 'moved' as const } : await upload.commit();
  const unseen = committed.kind === 'moved' || pass.report.pushed > pushedBefore;
  if (committed.kind === 'stored') await acknowledgeStaged(pass, staged, committed.modifiedMs);
  if (failed > 0) {
    throw new SyncError('unavailable', `${failed} changes could not be stored for now`, {
      collection: store.collection.name,
    });
  }
  if (committed.kind === 'stored' && full) return 'full';
  return unseen ? 'unseen' : 'done';
}

/** Sends one portion; what is staged is added to `staged`. */
async function pushPortion(
  pass: CollectionPass,
  upload: Upload,
  ids: readonly string[],
  staged: Staged[],
  isLast: boolean,
): Promise<PushResult[]> {
  const { store } = pass;
  const entries = await store.load(ids);
  const changes: { id: string; local: Local; baseMs: number | null }[] = [];
  const disputed: PushResult[] = [];
  for (const [index, id] of ids.entries()) {
    const { mirror, local, quarantined } = entries[index] ?? NO_ENTRY;
    if (local === null || local.tries >= PUSH_TRIES_MAX) continue;
    if (quarantined) {
      disputed.push(await resolve(pass, upload, id, staged));
      continue;
    }
    if (mirror === null && (await settledAtHome(pass, id, local))) continue;
    changes.push({ id, local, baseMs: mirror?.modifiedMs ?? pass.buried.get(id) ?? null });
  }
  if (changes.length === 0) return disputed;
  // Deletions first: what takes a deleted record's place then never meets it.
  changes.sort((a, b) => Number(a.local.body !== null) - Number(b.local.body !== null));
  const jobs = await sealed(pass, changes);
  const outgoing = jobs.map((job) => job.outgoing);
  const results = [...(await upload.add(outgoing, isLast))];
  await settle(pass, jobs, results);
  for (const [index, job] of jobs.entries()) {
    const kind = results[index]?.kind;
    if (kind === 'staged') staged.push({ id: job.id, seq: job.local.seq });
    if (kind === 'conflict') results[index] = await resolve(pass, upload, job.id, staged);
  }
  return [...disputed, ...results];
}

/**
 * What was staged is on the server now. The last commit moves the cursor behind it, so a device that loses power
 * before it finds its own records in the next pull.
 */
async function acknowledgeStaged(
  pass: CollectionPass,
  staged: readonly Staged[],
  modifiedMs: number,
): Promise<void> {
  const { store, report } = pass;
  for (let at = 0; at < staged.length; at += BATCH_RECORDS_MAX) {
    const portion = staged.slice(at, at + BATCH_RECORDS_MAX);
    await store.lock.run(async () => {
      const entries = await store.load(portion.map(({ id }) => id));
      const transaction = store.begin();
      for (const [index, { id, seq }] of portion.entries()) {
        const before = entries[index] ?? NO_ENTRY;
        transaction.set(id, before, acknowledged(pass, before, { seq }, modifiedMs));
        report.pushed++;
      }
      const isLast = at + BATCH_RECORDS_MAX >= staged.length;
      if (isLast) transaction.update({ cursor: { ...START, sinceMs: modifiedMs } });
      await transaction.commit();
    });
  }
}

/**
 * Changes that need no server: the deletion of a record that it never had, and a new record that means the same as
 * one the server has under another id, which takes the change over.
 */
async function settledAtHome(pass: CollectionPass, id: string, local: Local): Promise<boolean> {
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
  const others = ids.filter((other) => other !== id);
  const entries = await store.load(others);
  for (const [index, other] of others.entries()) {
    const entry = entries[index] ?? NO_ENTRY;
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
  transaction: ReturnType<CollectionPass['store']['begin']>,
): void {
  const { entry } = twin;
  const nowMs = platform.clock.nowMs();
  const decision = store.collection.merge({
    local,
    mirror: null,
    incoming: { body: visible(entry), modifiedMs: entry.mirror?.modifiedMs ?? 0 },
    serverNowMs: entry.mirror?.modifiedMs ?? 0,
    deviceNowMs: nowMs,
  });
  const body =
    decision.local === 'none' ? null : decision.local === 'keep' ? local.body : decision.local;
  if (body === null) return;
  const seq = store.state.seq + 1;
  transaction.update({ seq });
  transaction.set(twin.id, entry, { ...entry, local: { ...local, body, seq, tries: 0 } });
}

async function sealed(
  pass: CollectionPass,
  changes: readonly { id: string; local: Local; baseMs: number | null }[],
): Promise<Job[]> {
  const { collection } = pass.store;
  const pacer = createPacer(pass.platform);
  const jobs: Job[] = [];
  for (const { id, local, baseMs } of changes) {
    const { body } = local;
    const text = JSON.stringify(
      body === null ? { id, deleted: true } : collection.outgoing(id, body),
    );
    const [payload = ''] = await pass.crypto.seal(pass.keys.bundle(collection.name), [text]);
    const sortindex = body === null ? null : collection.sortindex(body);
    const { ttlSeconds } = collection;
    jobs.push({ id, local, outgoing: { id, payload, sortindex, ttlSeconds, baseMs } });
    await pacer(text.length);
  }
  return jobs;
}

/** Writes what the server said of these changes, in one commit. */
async function settle(
  pass: CollectionPass,
  jobs: readonly Job[],
  results: readonly PushResult[],
): Promise<void> {
  const { store, report } = pass;
  const someStored = results.some(({ kind }) => kind === 'stored' || kind === 'staged');
  await store.lock.run(async () => {
    const entries = await store.load(jobs.map((job) => job.id));
    const transaction = store.begin();
    for (const [index, job] of jobs.entries()) {
      const before = entries[index] ?? NO_ENTRY;
      const result = results[index];
      if (result === undefined) continue;
      if (result.kind === 'stored') {
        const after = acknowledged(pass, before, job.local, result.modifiedMs);
        transaction.set(job.id, before, after);
        if (job.local.body === null) pass.buried.set(job.id, result.modifiedMs);
        report.pushed++;
      } else if (result.kind === 'readOnly') {
        transaction.update({ readOnlyAtMs: Math.max(1, pass.platform.clock.nowMs()) });
      } else {
        const tries = triesAfter(result, job, someStored);
        const code = (result.kind === 'refused' ? result.code : null) ?? 'refused';
        if (tries > job.local.tries) countTry(pass, transaction, job, before, { tries, code });
      }
    }
    if (transaction.size > 0 || results.some((result) => result.kind === 'readOnly')) {
      await transaction.commit();
    }
  });
}

/**
 * `sent` is stored in this version. An edit made since stays, on top of what was sent; where that was a deletion or
 * is not known any more, on top of the mirror that there was, or of one without members: its version is what counts.
 */
function acknowledged(
  pass: CollectionPass,
  now: Entry,
  sent: { readonly seq: number; readonly body?: Body | null },
  modifiedMs: number,
): Entry {
  if (now.local === null) return now;
  const isEdited = now.local.seq !== sent.seq;
  const body = isEdited ? (sent.body ?? now.mirror?.body ?? {}) : now.local.body;
  const text = body === null ? '' : JSON.stringify(body);
  const mirror = mirrorOf({ body, text, modifiedMs }, pass.store.state.epoch);
  return { mirror, local: isEdited ? now.local : null, quarantined: false };
}

/** A refusal that looks like an outage counts as a try of the record only where it cannot be one. */
function triesAfter(result: PushResult, { local, outgoing }: Job, someStored: boolean): number {
  if (result.kind === 'refused') return PUSH_TRIES_MAX;
  const suspect = someStored || outgoing.payload.length > PAYLOAD_SAFE_CHARS;
  return result.kind === 'failed' && suspect ? local.tries + 1 : local.tries;
}

function countTry(
  pass: CollectionPass,
  transaction: ReturnType<CollectionPass['store']['begin']>,
  job: Job,
  before: Entry,
  { tries, code }: { readonly tries: number; readonly code: string },
): void {
  if (before.local?.seq !== job.local.seq) return;
  transaction.set(job.id, before, { ...before, local: { ...before.local, tries } });
  if (tries >= PUSH_TRIES_MAX) parked(pass, job.id, code);
}

function parked({ store, emit }: CollectionPass, id: string, code: string): void {
  emit({ kind: 'quarantine', collection: store.collection.name, id, code });
}

/**
 * Somebody else changed the record: fetch it, merge, and send what is left of our change. A version that this device
 * cannot read is not replaced: our change is parked.
 */
async function resolve(
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
    if (document === null) {
      parked(pass, id, 'unreadable');
      return { kind: 'refused' };
    }
    const baseMs = document.kind === 'found' ? document.envelope.modifiedMs : null;
    const jobs = await sealed(pass, [{ id, local, baseMs }]);
    const outgoing = jobs.map((job) => job.outgoing);
    const results = await upload.add(outgoing, false);
    await settle(pass, jobs, results);
    const [result = { kind: 'failed' }] = results;
    if (result.kind === 'staged') staged.push({ id, seq: local.seq });
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
        const seq = store.state.seq + 1;
        after = receive(store.collection, before, arrival, store.state.epoch, times, seq);
        isProven = true;
      }
    }
    if (!isProven && before.local !== null) {
      after = { ...before, local: { ...before.local, tries: before.local.tries + 1 } };
    }
    const transaction = store.begin();
    const seq = store.state.seq + 1;
    if (after.fork !== undefined) keepFork(pass, transaction, after.fork, seq);
    transaction.set(id, before, after);
    transaction.update({ seq });
    await transaction.commit();
    return { local: after.local, isProven };
  });
}
