// From a page of the server to the store: prove, merge, commit; a batch of records travels with the
// cursor that covers it, and only then is more asked for. Holds one batch in memory, never a page.
// A record that does not prove itself is set aside, however many there are: the keys are those of a
// `crypto/keys` that has opened, so it is the records. Other keys, whenever they come, begin the
// collection anew.

import type { Body } from '../collections/collection.ts';
import { badResponse, SyncError } from '../errors.ts';
import { type HeapLimits, PAGES_MAX, STAMP_STEP_MS } from '../limits.ts';
import type { Envelope, Listed, Page } from '../remotes/remote.ts';
import type { AgentEvent } from '../status.ts';
import { type CollectionState, type Cursor, START } from '../store/collection-state.ts';
import { tellOthers } from '../store/dupes.ts';
import { createPacer } from '../store/pacer.ts';
import { type Entry, NO_ENTRY, UNKNOWN_FORM, visible } from '../store/record.ts';
import { requeueUnseen } from '../store/reset.ts';
import { updateState } from '../store/rewrite.ts';
import { takeRisk } from '../store/risk.ts';
import { evict } from './evict.ts';
import { isTombstone, keepFork, receive, type Times } from './merge.ts';
import { type CollectionPass, openAll } from './pass-context.ts';

/** Listings that begin again, and links that break after some records, in one pull. */
const RESTARTS_MAX = 3;

/**
 * Brings a collection to what the server has.
 * Errors: those of the remote and the store; `conflict` when the collection never stands still.
 * What was committed before an error stays, and the next pull goes on behind it.
 */
export async function pull(pass: CollectionPass): Promise<void> {
  let restarts = 0;
  let cursor = resumed(pass.store.state.cursor);
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const page = await pass.remote.changes(pass.store.collection.name, cursor);
    // A power cut may have come between the listing's end and what follows it.
    if (page === null) return cursor.sinceMs > 0 ? requeueUnseen(pass) : undefined;
    const wentBack = page !== 'restart' && page.stampMs < cursor.sinceMs;
    if (page === 'restart' || wentBack) {
      if (wentBack) page.cancel();
      if (++restarts > RESTARTS_MAX) throw movedOn(pass);
      cursor = wentBack ? START : resumed({ ...pass.store.state.cursor, page: null });
      continue;
    }
    const { cursor: before } = pass.store.state;
    const next = await readPage(pass, page, cursor).catch((error: unknown) => {
      // A server gives up a connection whose reader is slow: what has come by then is kept.
      const isBroken = error instanceof SyncError && error.code === 'truncated';
      if (!isBroken || pass.store.state.cursor === before || ++restarts > RESTARTS_MAX) throw error;
      return null;
    });
    if (next === null) {
      cursor = resumed(pass.store.state.cursor);
      continue;
    }
    if (next.page === null) return requeueUnseen(pass);
    if (next.page === cursor.page) break;
    cursor = next;
  }
  throw endless(pass);
}

function endless(pass: CollectionPass): SyncError {
  return badResponse('paging: the server repeats its pages', {
    collection: pass.store.collection.name,
  });
}

/**
 * Where to go on: on the page that was under way, else behind everything that has surely arrived.
 */
function resumed(cursor: Cursor): Cursor {
  if (cursor.page !== null) return cursor;
  return { ...START, sinceMs: Math.max(cursor.sinceMs, cursor.floorMs) };
}

function movedOn(pass: CollectionPass): SyncError {
  return new SyncError('conflict', 'the collection changes faster than it can be read', {
    collection: pass.store.collection.name,
  });
}

/** Reads one page to its end in batches; returns the cursor behind it, which is committed. */
async function readPage(pass: CollectionPass, page: Page, cursor: Cursor): Promise<Cursor> {
  const stampMs = cursor.page === null ? page.stampMs : cursor.stampMs;
  const progress = createProgress(cursor, stampMs);
  const batch: Listed[] = [];
  let isEmpty = true;
  try {
    const arrived: Listed[] = [];
    for (let more = true; more; ) {
      more = await page.next(arrived);
      if (arrived.length > 0) {
        isEmpty = false;
        pass.abort.waitedMs = 0;
      }
      while (moved(arrived, batch, pass.store.heap)) {
        await applyBatch(pass, page, batch, progress.after(batch));
      }
      await pass.platform.clock.pause();
    }
  } catch (error) {
    page.cancel();
    throw error;
  }
  const token = page.nextPage();
  if (isEmpty && token !== null) throw endless(pass);
  const end =
    token === null
      ? { ...START, sinceMs: stampMs > 0 ? stampMs : Math.max(0, progress.after(batch).floorMs) }
      : { ...progress.after(batch), page: token };
  await applyBatch(pass, page, batch, end);
  return end;
}

/** Moves records on until the batch is full (true) or no more have arrived (false). */
function moved(
  arrived: Listed[],
  batch: Listed[],
  { batchRecordsMax, batchCharsMax }: HeapLimits,
): boolean {
  let chars = batch.reduce((sum, listed) => sum + listed.chars, 0);
  while (batch.length < batchRecordsMax && chars < batchCharsMax) {
    const listed = arrived.shift();
    if (listed === undefined) return false;
    batch.push(listed);
    chars += listed.chars;
  }
  return true;
}

/**
 * Follows how far a listing has come. A server that does not sort by time gets no credit for it.
 */
function createProgress(
  cursor: Cursor,
  stampMs: number,
): { after(batch: readonly Listed[]): Cursor } {
  let sorted = true;
  let newestMs = 0;
  return {
    after(batch) {
      for (const listed of batch) {
        if (!listed.ok) continue;
        if (listed.envelope.modifiedMs < newestMs) sorted = false;
        newestMs = Math.max(newestMs, listed.envelope.modifiedMs);
      }
      const sureMs = Math.min(newestMs, stampMs > 0 ? stampMs : newestMs) - STAMP_STEP_MS;
      if (!sorted || sureMs <= cursor.floorMs) return { ...cursor, stampMs };
      // That is further than the start of this page, where records that share a stamp would keep a
      // listing for ever.
      return { ...cursor, stampMs, page: null, floorMs: sureMs };
    },
  };
}

/** Proves, merges and commits a batch together with the cursor that covers it. */
async function applyBatch(
  pass: CollectionPass,
  page: Page,
  batch: Listed[],
  cursor: Cursor,
): Promise<void> {
  const { store } = pass;
  const latest = new Map<string, Envelope>();
  const spoilt = new Map<string, string>();
  // What a batch holds is dropped as it is worked off: one record may be a third of a megabyte.
  for (const listed of batch.splice(0)) {
    if (listed.ok) {
      latest.set(listed.envelope.id, listed.envelope);
      spoilt.delete(listed.envelope.id);
    } else {
      spoilt.set(listed.id, listed.code);
      latest.delete(listed.id);
    }
  }
  const { risks } = store.state;
  await takeRisk(store, latest, spoilt);
  const envelopes = [...latest.values()];
  latest.clear();
  try {
    const batch = await proven(pass, envelopes);
    await store.lock.run(() => commitBatch(pass, page, cursor, batch, spoilt));
  } catch (error) {
    // The device lives: whatever this is, no record has ended it.
    if (store.state.risks !== risks) await updateState(store, () => ({ risks })).catch(() => null);
    throw error;
  }
  await evict(pass);
  const { pulled, pushed } = pass.report;
  pass.emit({ kind: 'progress', collection: store.collection.name, pulled, pushed });
}

interface Proven {
  readonly id: string;
  readonly modifiedMs: number;
  readonly body: { readonly [member: string]: unknown } | null;
  readonly text: string;
  /** Why it is set aside; null if it is good. */
  readonly code: string | null;
}

interface ProvenBatch {
  readonly arrivals: Proven[];
  /** What the device had of each, as long as the collection is in this state. */
  readonly known: Entry[];
  readonly state: CollectionState;
}

/**
 * Opens what the device does not have yet; its own writes come back with the version that it knows.
 */
async function proven(pass: CollectionPass, envelopes: Envelope[]): Promise<ProvenBatch> {
  const { store } = pass;
  const { state } = store;
  const loaded = await store.load(envelopes.map(({ id }) => id));
  const known: Entry[] = [];
  const unknown = envelopes.splice(0).filter(({ id, modifiedMs }) => {
    const entry = loaded.shift() ?? NO_ENTRY;
    if (pass.buried.get(id) === modifiedMs) return false;
    const isUnknown =
      entry.quarantined ||
      entry.mirror?.modifiedMs !== modifiedMs ||
      entry.mirror.epoch !== state.epoch;
    if (isUnknown) known.push(entry);
    return isUnknown;
  });
  const modified = unknown.map(({ modifiedMs }) => modifiedMs);
  const opened = await openAll(pass, unknown);
  const arrivals = opened.map((result, index): Proven => {
    const modifiedMs = modified[index] ?? 0;
    const { id } = result;
    if (!result.ok) return { id, modifiedMs, body: null, text: '', code: result.code };
    const { body, text } = result;
    if (isTombstone(body)) return { id, modifiedMs, body: null, text: '', code: null };
    const complaint = store.collection.check(body);
    return { id, modifiedMs, body, text, code: complaint === null ? null : UNKNOWN_FORM };
  });
  return { arrivals, known, state };
}

async function commitBatch(
  pass: CollectionPass,
  page: Page,
  cursor: Cursor,
  { arrivals, known, state }: ProvenBatch,
  spoilt: ReadonlyMap<string, string>,
): Promise<void> {
  const { store, report } = pass;
  // Most of the time nothing was committed since they were looked at.
  const isKnown = store.state === state;
  const ids = [...(isKnown ? [] : arrivals.map(({ id }) => id)), ...spoilt.keys()];
  const entries = [...(isKnown ? known.splice(0) : []), ...(await store.load(ids))];
  const transaction = store.begin();
  const pacer = createPacer(() => pass.platform.clock.pause());
  const times: Times = {
    serverNowMs: page.serverNowMs,
    deviceNowMs: pass.platform.clock.nowMs(),
  };
  const told: { readonly event: RecordEvent; readonly was: Body | null }[] = [];
  let seq = store.state.seq;
  const setAside = (id: string, before: Entry, code: string, modifiedMs: number): void => {
    transaction.quarantine(id, before, code, modifiedMs);
    report.quarantined++;
    pass.emit({ kind: 'quarantine', collection: store.collection.name, id, code });
  };
  // What a batch holds is dropped as it is worked off.
  for (let arrival = arrivals.shift(); arrival !== undefined; arrival = arrivals.shift()) {
    const { id, modifiedMs, text, code } = arrival;
    const before = entries.shift() ?? NO_ENTRY;
    if (code !== null) setAside(id, before, code, modifiedMs);
    else {
      const after = receive(store.collection, before, arrival, store.state.epoch, times, seq + 1);
      if (after.local !== null && after.local !== before.local) seq++;
      if (before.local !== null) report.merged++;
      if (after.fork !== undefined) keepFork(pass, transaction, after.fork, ++seq);
      transaction.set(id, before, after);
      report.pulled++;
      const [was, is] = [visible(before), visible(after)];
      if (was !== is) {
        const isSame = was && is && store.collection.things?.same(was, is) !== false;
        told.push({ event: changeOf(pass, id, was, is), was: isSame ? null : was });
      }
    }
    await pacer(text.length);
  }
  for (const [id, code] of spoilt) setAside(id, entries.shift() ?? NO_ENTRY, code, 0);
  const { risks } = store.state;
  if (transaction.size === 0 && sameCursor(store.state.cursor, cursor) && !risks) return;
  transaction.update({ cursor, seq, ...(risks && { risks: undefined }) });
  await transaction.commit();
  for (const { event, was } of told) {
    pass.emit(event);
    if (pass.observes(event.collection)) await tellThing(pass, event, was);
  }
}

/** A record's change may be that of a thing which apps know by another of its records. */
async function tellThing(
  { store, emit }: CollectionPass,
  { collection, id }: RecordEvent,
  was: Body | null,
): Promise<void> {
  const [entry = NO_ENTRY] = await store.load([id]);
  for (const body of [was, visible(entry)]) {
    if (body === null) continue;
    await tellOthers(store, id, body, (other, change) =>
      emit({ kind: 'record', collection, id: other, change }),
    );
  }
}

type RecordEvent = Extract<AgentEvent, { kind: 'record' }>;

/** What apps that watch the collection are told of a change that came from elsewhere. */
function changeOf(
  { store }: CollectionPass,
  id: string,
  was: Body | null,
  is: Body | null,
): RecordEvent {
  const { name, changes } = store.collection;
  return {
    kind: 'record',
    collection: name,
    id,
    change: is === null ? 'delete' : 'put',
    ...(changes && { changes: changes(was, is) }),
  };
}

function sameCursor(a: Cursor, b: Cursor): boolean {
  return (
    a.sinceMs === b.sinceMs &&
    a.page === b.page &&
    a.stampMs === b.stampMs &&
    a.floorMs === b.floorMs
  );
}
