// One sync pass as a list of steps: look what changed, take it in, send what is ours, look again.
// It decides nothing about when a pass runs (schedule/due.ts) or what a failure means for the agent
// (agent.ts).

import type { CollectionSettings } from '../config.ts';
import { SyncError, type SyncErrorCode } from '../errors.ts';
import { FUTILE_ROUNDS_MAX, ROUNDS_MAX } from '../limits.ts';
import type { Offer, Standing, Wanted } from '../remotes/remote.ts';
import { chance } from '../schedule/alarm.ts';
import { isRefusalBelieved } from '../schedule/due.ts';
import type { CollectionReport, CollectionStatus, PassReport } from '../status.ts';
import type { CollectionState, KnownCollection } from '../store/collection-state.ts';
import { resetCollection } from '../store/reset.ts';
import { updateState } from '../store/rewrite.ts';
import type { CollectionPass, PassContext } from './pass-context.ts';
import { pull } from './pull.ts';
import { type PushEnd, push } from './push.ts';

export interface PassInput {
  readonly context: PassContext;
  /** The collections that the user wants. */
  readonly wanted: readonly Wanted[];
}

/** Failures of one collection that say nothing about the others. */
export const LOCAL_FAILURES: ReadonlySet<SyncErrorCode> = new Set([
  'badResponse',
  'conflict',
  'keyMismatch',
  'overQuota',
  'readOnly',
  'tooLarge',
  'unavailable',
]);

/** Runs to the end or throws a SyncError; the report is filled in either way. */
export async function runPass({ context, wanted }: PassInput, report: PassReport): Promise<void> {
  const { remote } = context;
  const failures: SyncError[] = [];
  const attempt = async (step: () => Promise<void>): Promise<void> => {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof SyncError) || !LOCAL_FAILURES.has(error.code)) throw error;
      failures.push(error);
    }
  };
  const work = async (offers: readonly Offer[]): Promise<void> => {
    for (const { store } of offers) report.collections[store.collection.name] = newReport();
    const first = firstOf(offers, context);
    const others = offers.filter((offer) => offer !== first);
    for (const offer of first ? [first, ...others] : others) {
      if (hasWork(offer)) await attempt(() => take(context, offer, report, offer === first));
    }
  };
  const offers = await remote.begin(wanted);
  const isPaused = context.notes.waitMs > 0 && offers.some(hasWork);
  await work(offers);
  // Last: whatever a server makes of it, all else has had its turn.
  if (!isPaused) await attempt(async () => work((await remote.rest?.(wanted)) ?? []));
  if (failures[0] !== undefined) throw failures[0];
}

/**
 * A server may ask for a pause with every answer that it ever gives, or with every listing: where a
 * pass begins with one, or the last pass has failed, one collection is synced all the same, by
 * chance, so that each has its turn.
 */
function firstOf(offers: readonly Offer[], context: PassContext): Offer | undefined {
  const { notes, platform, hasFailed } = context;
  if (notes.waitMs === 0 && !hasFailed) return undefined;
  const due = offers.filter(hasWork);
  return due.length > 1 ? due[Math.floor(chance(platform.entropy) * due.length)] : due[0];
}

function hasWork({ moved, origin, store: { state } }: Offer): boolean {
  const isNew = state.resetting || state.position === '' || state.origin !== origin;
  return isNew || moved || state.pending > 0;
}

/** What there is to do about one collection. Another origin starts it anew. */
async function take(
  context: PassContext,
  offer: Offer,
  report: PassReport,
  isFirst: boolean,
): Promise<void> {
  const { store, moved, origin, around } = offer;
  const { name } = store.collection;
  if (store.state.origin !== origin) {
    const isNew = store.state.origin === '';
    await resetCollection(store, origin);
    if (!isNew) context.emit({ kind: 'beganAnew', collection: name });
  }
  const own = newReport();
  report.collections[name] = own;
  const buried = new Map<string, string>();
  const pass: CollectionPass = { ...context, offer, store, report: own, buried, isFirst };
  if (around === undefined) await syncCollection(pass, moved);
  else await around((again) => syncCollection(pass, again));
}

function newReport(): CollectionReport {
  return { pulled: 0, pushed: 0, quarantined: 0, merged: 0, evicted: 0 };
}

/** A collection as people may see it. */
export function collectionStatus(
  { collection, state }: { readonly collection: KnownCollection; readonly state: CollectionState },
  { enabled, readOnly }: CollectionSettings,
  standing: Standing,
): CollectionStatus {
  const { held, pending, quarantined, readOnlyAtMs, unknownForm } = state;
  const { conflicts, damaged = 0, lost = 0 } = state;
  const isRefused = readOnlyAtMs > 0 || standing.readOnly;
  return {
    ...standing,
    enabled,
    readOnly: readOnly || isRefused || collection.writes === 'none',
    held,
    pending,
    quarantined,
    unknownForm,
    conflicts,
    damaged,
    lost,
  };
}

async function syncCollection(pass: CollectionPass, moved: boolean): Promise<void> {
  const { position, resetting } = pass.store.state;
  if (moved || position === '' || resetting) {
    stopForBackoff(pass);
    await pull(pass);
  }
  await forgetOldRefusal(pass);
  if (!pass.offer.readOnly) await sendChanges(pass);
}

/**
 * Sends and looks, until there is nothing to send. Errors: also why changes that were tried stay
 * here.
 */
async function sendChanges(pass: CollectionPass): Promise<void> {
  const { store, report } = pass;
  let unsent: SyncError | null = null;
  let kind: PushEnd['kind'] | null = null;
  let futile = 0;
  for (let round = 0; round < ROUNDS_MAX && futile < FUTILE_ROUNDS_MAX; round++) {
    if (store.state.pending === 0 || store.state.readOnlyAtMs > 0) break;
    stopForBackoff(pass);
    const [pushed, seq] = [report.pushed, store.state.seq];
    const end = await push(pass);
    unsent ??= end.unsent;
    kind = end.kind;
    const isIdle = report.pushed === pushed && store.state.seq === seq;
    // Two records that became one are a new change, which has not been sent yet.
    if (kind === 'done' && isIdle) break;
    const { position } = store.state;
    if (kind !== 'done') await pull(pass);
    // There was no news to refuse it for: that is not a writer whom the next round would overtake.
    const isFutile = kind === 'moved' && isIdle && store.state.position === position;
    futile = isFutile ? futile + 1 : 0;
  }
  if (unsent !== null) throw unsent;
  if (kind === null || store.state.pending === 0) return;
  const collection = store.collection.name;
  // A device's own record is no change of its user's: that a server keeps none is no failure.
  if (store.state.readOnlyAtMs > 0 && store.collection.writes !== 'own') {
    throw new SyncError('readOnly', `${collection}: the server takes no changes`, { collection });
  }
  if (kind !== 'moved') return;
  throw new SyncError('conflict', `${collection}: no upload is taken`, { collection });
}

/** A server that asked for a pause gets it before the next piece of work: see `firstOf`. */
function stopForBackoff(pass: CollectionPass): void {
  const { waitMs } = pass.notes;
  if (waitMs === 0 || pass.isFirst) return;
  throw new SyncError('backoff', `the server asks to wait ${waitMs} ms`, { retryAfterMs: waitMs });
}

/** A server may open for writes again: its refusal is believed for a day. */
async function forgetOldRefusal({ store, platform }: CollectionPass): Promise<void> {
  const { readOnlyAtMs, pending } = store.state;
  if (readOnlyAtMs === 0 || pending === 0) return;
  if (isRefusalBelieved(readOnlyAtMs, platform.clock.nowMs())) return;
  await updateState(store, () => ({ readOnlyAtMs: 0 }));
}
