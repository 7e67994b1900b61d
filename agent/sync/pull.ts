// From a page of the server to the store: prove, merge, commit; a batch of records travels with the
// position that covers it, and only then is more asked for. Holds one batch in memory, never a
// page. A record that does not prove itself is set aside, however many there are: the remote's
// codec has looked at its keys again, so it is the records. Other keys begin the collection anew.

import type { Body } from '../collections/collection.ts';
import { badResponse, SyncError } from '../errors.ts';
import type { HeapLimits } from '../limits.ts';
import type { Envelope, Listed, Page, Position } from '../remotes/remote.ts';
import type { AgentEvent } from '../status.ts';
import type { CollectionState } from '../store/collection-state.ts';
import { tellOthers } from '../store/dupes.ts';
import { createPacer } from '../store/pacer.ts';
import { type Entry, NO_ENTRY, UNKNOWN_FORM, visible } from '../store/record.ts';
import { resetCollection } from '../store/reset.ts';
import { updateState } from '../store/rewrite.ts';
import { evict } from './evict.ts';
import { type Arrival, receive, requeued, type Times } from './merge.ts';
import { createPagingGuard } from './paging.ts';
import { type CollectionPass, isAtomic } from './pass-context.ts';
import { requeueUnseen } from './requeue.ts';
import { takeRisk } from './risk.ts';

/** Listings that begin again, and links that break after some records, in one pull. */
const RESTARTS_MAX = 3;

/**
 * Brings a collection to what the server has.
 * Errors: those of the remote and the store; `conflict` when the collection never stands still.
 * What was committed before an error stays, and the next pull goes on behind it.
 */
export async function pull(pass: CollectionPass, atEnd = requeueUnseen): Promise<void> {
  const { remote, store } = pass;
  const { collection } = store;
  if (atEnd === requeueUnseen && isAtomic(collection) && store.state.resetting) {
    return collection.replace(pass, pull);
  }
  let isEndless = createPagingGuard();
  let restarts = 0;
  let at = store.state.position;
  for (;;) {
    const page = await remote.changes(store, at);
    // A power cut may have come between the listing's end and what follows it.
    if (page === null) return at === '' ? undefined : atEnd(pass);
    if ('restart' in page) {
      if (++restarts > RESTARTS_MAX) throw movedOn(pass);
      at = page.restart;
      isEndless = createPagingGuard();
      const { origin } = store.state;
      if (!page.whole) continue;
      await resetCollection(store, origin, { position: at, gone: page.whole === 'gone' });
      if (isAtomic(collection)) return pull(pass);
      continue;
    }
    const { position: before } = store.state;
    const read = await readPage(pass, page).catch((error: unknown) => {
      // A server gives up a connection whose reader is slow: what has come by then is kept.
      const isBroken = error instanceof SyncError && error.code === 'truncated';
      if (!isBroken || store.state.position === before || ++restarts > RESTARTS_MAX) throw error;
      return null;
    });
    at = store.state.position;
    if (read === null) continue;
    if (!page.hasNext()) return atEnd(pass);
    if (isEndless(at, read.isEmpty)) throw endless(pass);
  }
}

function endless(pass: CollectionPass): SyncError {
  return badResponse('paging: the server repeats its pages', {
    collection: pass.store.collection.name,
  });
}

function movedOn(pass: CollectionPass): SyncError {
  return new SyncError('conflict', 'the collection changes faster than it can be read', {
    collection: pass.store.collection.name,
  });
}

/** Reads one page to its end in batches, and commits each with the position behind it. */
async function readPage(pass: CollectionPass, page: Page): Promise<{ isEmpty: boolean }> {
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
        await applyBatch(pass, page, batch, page.position(batch, false));
      }
      await pass.platform.clock.pause();
    }
  } catch (error) {
    page.cancel();
    throw error;
  }
  await applyBatch(pass, page, batch, page.position(batch, true));
  return { isEmpty };
}

/** Moves records on until the batch is full (true) or no more have arrived (false). */
function moved(
  arrived: Listed[],
  batch: Listed[],
  { batchRecordsMax, batchCharsMax }: HeapLimits,
): boolean {
  let chars = batch.reduce((sum, listed) => sum + listed.chars, 0);
  for (let next = arrived[0]; next !== undefined; next = arrived[0]) {
    // A long one is in memory twice while it is opened.
    const isFull = batch.length === batchRecordsMax || chars + 2 * next.chars > batchCharsMax;
    if (batch.length > 0 && isFull) return true;
    chars += next.chars;
    batch.push(next);
    arrived.shift();
  }
  return false;
}

/** Proves, merges and commits a batch together with the position that covers it. */
async function applyBatch(
  pass: CollectionPass,
  page: Page,
  batch: Listed[],
  position: Position,
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
    const batch = await proven(pass, page, position, envelopes);
    await store.lock.run(() => commitBatch(pass, page, batch, spoilt));
  } catch (error) {
    // The device lives: whatever this is, no record has ended it.
    if (store.state.risks !== risks) await updateState(store, () => ({ risks })).catch(() => null);
    throw error;
  }
  await evict(pass);
  const { pulled, pushed } = pass.report;
  pass.emit({ kind: 'progress', collection: store.collection.name, pulled, pushed });
}

interface Proven extends Arrival {
  readonly id: string;
  /** Why it is set aside; null if it is good. */
  readonly code: string | null;
  /** The server has lost it, or says so. */
  readonly isLost: boolean;
}

interface ProvenBatch {
  readonly arrivals: Proven[];
  /** What the device had of each, as long as the collection is in this state. */
  readonly known: Entry[];
  readonly state: CollectionState;
  /** It covers all of them. */
  readonly position: Position;
}

/** Opens what the device does not have; its own writes come back with a version that it knows. */
async function proven(
  pass: CollectionPass,
  page: Page,
  behind: Position,
  envelopes: Envelope[],
): Promise<ProvenBatch> {
  const { store } = pass;
  const { state } = store;
  const loaded = await store.load(envelopes.map(({ id }) => id));
  const known: Entry[] = [];
  let position = behind;
  const unknown = envelopes.splice(0).filter(({ id, version, payload }) => {
    const entry = loaded.shift() ?? NO_ENTRY;
    if (pass.buried.get(id) === version) return false;
    const { mirror, quarantined } = entry;
    const agreed = quarantined ? undefined : mirror?.version;
    if (page.older && agreed && agreed !== version && payload !== null) {
      const instead = page.older(version, agreed, behind);
      if (instead !== null) {
        position = instead;
        return false;
      }
    }
    const isUnknown =
      agreed !== version ||
      // A whole listing says what it has shown; what was replaced at once keeps its epoch.
      (state.resetting && mirror?.epoch !== state.epoch);
    if (isUnknown) known.push(entry);
    return isUnknown;
  });
  const named = unknown.map(({ id, version, modifiedMs, isOwn }) => {
    return { id, version, modifiedMs, isOwn };
  });
  const opened = await pass.offer.codec.open(unknown);
  const arrivals = named.map(({ id, version, modifiedMs, isOwn }, at): Proven => {
    const incoming = opened[at];
    if (incoming?.kind === 'live') {
      const { body, text } = incoming;
      const code = store.collection.check(body) && UNKNOWN_FORM;
      // With the name spread into it, V8 would take a kilobyte for it.
      return { id, version, modifiedMs, isOwn, body, text, code, isLost: false };
    }
    const isLost = incoming?.kind === 'unprovenDeletion';
    const isGone = isLost || incoming?.kind === 'tombstone';
    const code = isGone ? null : (incoming?.code ?? 'badPayload');
    return { id, version, modifiedMs, isOwn, body: null, text: '', code, isLost };
  });
  return { arrivals, known, state, position };
}

async function commitBatch(
  pass: CollectionPass,
  page: Page,
  { arrivals, known, state, position }: ProvenBatch,
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
    clockMs: pass.notes.serverNowMs,
  };
  const told: { readonly id: string; readonly event: RecordEvent; readonly was: Body | null }[] =
    [];
  let seq = store.state.seq;
  const setAside = (id: string, before: Entry, code: string, atMs: number | null): void => {
    transaction.quarantine(id, before, code, atMs ?? 0);
    report.quarantined++;
    pass.emit({ kind: 'quarantine', collection: store.collection.name, id, code });
  };
  // What a batch holds is dropped as it is worked off.
  for (let arrival = arrivals.shift(); arrival !== undefined; arrival = arrivals.shift()) {
    const { id, modifiedMs, text, code, isLost } = arrival;
    const before = entries.shift() ?? NO_ENTRY;
    if (code !== null) setAside(id, before, code, modifiedMs);
    else if (isLost) {
      if (before.mirror === null) continue;
      const { name, ids } = store.collection;
      const own = ids?.ownId(id, before.mirror.body) ?? id;
      transaction.set(
        id,
        before,
        requeued(before, times.deviceNowMs, () => ++seq),
      );
      pass.emit({ kind: 'unprovenDeletion', collection: name, id: own });
    } else {
      const after = receive(store.collection, before, arrival, store.state.epoch, times, seq + 1);
      if (after.local !== null && after.local !== before.local) seq++;
      if (before.local !== null) report.merged++;
      if (after.fork !== undefined) {
        (await import('./conflict.ts')).keepFork(pass, transaction, after.fork, ++seq);
      }
      transaction.set(id, before, after);
      report.pulled++;
      const [was, is] = [visible(before), visible(after)];
      if (was !== is) {
        const isSame = was && is && store.collection.things?.same(was, is) !== false;
        told.push({ id, event: changeOf(pass, id, was, is), was: isSame ? null : was });
      }
    }
    await pacer(text.length);
  }
  for (const [id, code] of spoilt) setAside(id, entries.shift() ?? NO_ENTRY, code, 0);
  const { risks } = store.state;
  if (transaction.size === 0 && store.state.position === position && !risks) return;
  transaction.update({ position, seq, ...(risks && { risks: undefined }) });
  await transaction.commit();
  for (const { id, event, was } of told) {
    pass.emit(event);
    if (pass.observes(event.collection)) await tellThing(pass, id, was);
  }
}

/** A record's change may be that of a thing which apps know by another of its records. */
export async function tellThing(
  { store, emit }: CollectionPass,
  id: string,
  was: Body | null,
): Promise<void> {
  const [entry = NO_ENTRY] = await store.load([id]);
  for (const body of [was, visible(entry)]) {
    if (body === null) continue;
    await tellOthers(store, id, body, (other, change) =>
      emit({ kind: 'record', collection: store.collection.name, id: other, change }),
    );
  }
}

type RecordEvent = Extract<AgentEvent, { kind: 'record' }>;

/** What apps that watch the collection are told of a change that came from elsewhere. */
export function changeOf(
  { store }: CollectionPass,
  id: string,
  was: Body | null,
  is: Body | null,
): RecordEvent {
  const { name, changes, ids } = store.collection;
  const body = is ?? was;
  return {
    kind: 'record',
    collection: name,
    id: (body && ids?.ownId(id, body)) ?? id,
    change: is === null ? 'delete' : 'put',
    ...(changes && { changes: changes(was, is) }),
  };
}
