// One sync pass as a list of steps: look what changed, take it in, send what is ours, look again.
// It decides nothing about when a pass runs (schedule/due.ts) or what a failure means for the agent
// (agent.ts).

import type { Collection } from '../collections/collection.ts';
import type { CollectionSettings } from '../config.ts';
import { SyncError, type SyncErrorCode } from '../errors.ts';
import { FUTILE_ROUNDS_MAX, ROUNDS_MAX } from '../limits.ts';
import type { PollItem } from '../remotes/remote.ts';
import type { Clients, ClientsMemory, OwnDevice } from '../remotes/sync/clients.ts';
import { type Account, isAbsent, type MetaGlobal } from '../remotes/sync/documents.ts';
import { enlist, unlisted, type Wanted } from '../remotes/sync/enlist.ts';
import { isRefusalBelieved } from '../schedule/due.ts';
import type { CollectionReport, CollectionStatus, PassReport } from '../status.ts';
import type { CollectionState } from '../store/collection-state.ts';
import { resetCollection } from '../store/reset.ts';
import { updateState } from '../store/rewrite.ts';
import type { CollectionStore } from '../store/store.ts';
import type { CollectionPass, PassContext } from './pass-context.ts';
import { pull } from './pull.ts';
import { type PushEnd, push } from './push.ts';

export interface PassInput {
  readonly context: PassContext;
  readonly account: Account;
  /** All that are open, wanted or not. */
  readonly stores: readonly CollectionStore[];
  /** Reads `crypto/keys` with the user's sync key. True if they changed. */
  readonly refreshKeys: () => Promise<boolean>;
  /** The collections that the user wants, with the switch that keeps them from being written. */
  readonly wanted: readonly Wanted[];
  /** The account's devices: they come before everything else and cannot be declined. */
  readonly clients: ClientsPart | null;
}

export interface ClientsPart {
  readonly engine: Clients;
  readonly store: CollectionStore;
  readonly device: OwnDevice;
  readonly memory: ClientsMemory;
  /** Another device wants this one to be signed out when the pass is over. */
  signOut(): void;
}

/** Failures of one collection that say nothing about the others. */
const LOCAL_FAILURES: ReadonlySet<SyncErrorCode> = new Set([
  'badResponse',
  'conflict',
  'keyMismatch',
  'overQuota',
  'readOnly',
  'tooLarge',
  'unavailable',
]);

/** Runs to the end or throws a SyncError; the report is filled in either way. */
export async function runPass(input: PassInput, report: PassReport): Promise<void> {
  const { context, account } = input;
  await leaveOldPlace(input);
  const known = account.meta !== null && account.keysModifiedMs !== null;
  const changed = known ? await poll(input) : null;
  if (changed === null || changed.has('meta')) await account.refreshMeta(context.remote);
  if (changed === null || changed.has('crypto')) await input.refreshKeys();
  const hasMoved = (name: string): boolean => changed === null || changed.has(name);
  const failures: SyncError[] = [];
  const run = async (steps: readonly Step[]): Promise<void> => {
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        if (!(error instanceof SyncError) || !LOCAL_FAILURES.has(error.code)) throw error;
        failures.push(error);
      }
    }
  };
  await run(stepsOf(input, report, hasMoved));
  // Last: whatever a server makes of it, all else has had its turn.
  const added = unlisted(context, account, input.wanted);
  if (added.length > 0) {
    await run([() => enlist(context, account, added)]);
    await run(stepsOf({ ...input, wanted: added, clients: null }, report, hasMoved));
  }
  const [failure] = failures;
  if (failure !== undefined) throw failure;
}

type Step = () => Promise<void>;

/**
 * The user's data is elsewhere now: the device keeps its records and forgets what it had agreed on
 * with the server.
 */
async function leaveOldPlace({ context, account, stores }: PassInput): Promise<void> {
  const place = await context.remote.place();
  if (account.meta === null || account.meta.place === place) return;
  for (const store of stores) await resetCollection(store, store.state.syncId);
  await account.forget();
}

/** One request: which of the account's documents and wanted collections moved? */
async function poll({ context, account, wanted, clients }: PassInput): Promise<Set<string>> {
  const items: PollItem[] = [
    { collection: 'meta', id: 'global', knownMs: account.meta?.modifiedMs ?? 0 },
    { collection: 'crypto', id: 'keys', knownMs: account.keysModifiedMs ?? 0 },
    ...[...(clients === null ? [] : [clients]), ...wanted].map(({ store }) => ({
      collection: store.collection.name,
      id: null,
      knownMs: Math.max(0, store.state.cursor.sinceMs),
    })),
  ];
  const moved = await context.remote.poll(items);
  return new Set(items.filter((_, index) => moved[index] === true).map((item) => item.collection));
}

/**
 * What there is to do, in order: the devices, then what the account offers of what the user wants.
 */
function stepsOf(
  input: PassInput,
  report: PassReport,
  hasMoved: (name: string) => boolean,
): Step[] {
  const { account, clients, context, stores, wanted } = input;
  const steps: Step[] = [];
  /** There is nothing to take in, and nothing to send. */
  const isIdle = ({ collection: { name }, state }: CollectionStore, engineSyncId: string) =>
    !hasMoved(name) &&
    state.pending === 0 &&
    !isUnfinished(state) &&
    state.syncId === syncIdOf(account, name, engineSyncId);
  const engine = engineOf(account.meta, 'clients');
  if (clients !== null && !isNewer(engine, clients.store.collection)) {
    const { store } = clients;
    const { name } = store.collection;
    const syncId = engine?.syncId ?? '';
    report.collections[name] = newReport();
    steps.push(async () => {
      const serverNowMs = (): number => context.notes.serverNowMs;
      const known = { ...clients, serverNowMs };
      if (isIdle(store, syncId) && clients.engine.isSettled(store.state, known)) return;
      const pass = await openPass(input, store, report, syncId);
      await clients.engine.sync(pass, {
        ...clients,
        moved: hasMoved(name),
        stores: stores.filter((other) => other !== store),
        serverNowMs,
        exchange: () => syncCollection(pass, false, false),
      });
    });
  }
  for (const { store, readOnly } of wanted) {
    const { name } = store.collection;
    const own = engineOf(account.meta, name);
    if (own === null || isNewer(own, store.collection)) continue;
    report.collections[name] = newReport();
    steps.push(async () => {
      if (isIdle(store, own.syncId)) return;
      const pass = await openPass(input, store, report, own.syncId);
      await syncCollection(pass, readOnly, hasMoved(name));
    });
  }
  return steps;
}

/** Another syncID or other keys start a collection anew. */
async function openPass(
  { account, context }: PassInput,
  store: CollectionStore,
  report: PassReport,
  engineSyncId: string,
): Promise<CollectionPass> {
  const { name } = store.collection;
  const syncId = syncIdOf(account, name, engineSyncId);
  if (store.state.syncId !== syncId) await resetCollection(store, syncId);
  const own = newReport();
  report.collections[name] = own;
  return { ...context, store, report: own, buried: new Map() };
}

function syncIdOf(account: Account, name: string, engineSyncId: string): string {
  return [account.meta?.syncId, engineSyncId, account.fingerprint(name)].join('/');
}

function newReport(): CollectionReport {
  return { pulled: 0, pushed: 0, quarantined: 0, merged: 0, evicted: 0 };
}

/** The last listing did not come to its end. */
function isUnfinished({ cursor, resetting }: CollectionState): boolean {
  return cursor.sinceMs < 0 || cursor.page !== null || cursor.floorMs > cursor.sinceMs || resetting;
}

/** A collection as people may see it. */
export function collectionStatus(
  { collection, state }: CollectionStore,
  { enabled, readOnly }: CollectionSettings,
  meta: MetaGlobal | null,
): CollectionStatus {
  const { held, pending, quarantined, readOnlyAtMs, unknownForm, listRefusedAtMs = 0 } = state;
  const { damaged = 0, lost = 0 } = state;
  const engine = engineOf(meta, collection.name);
  const absent = isAbsent(meta, collection.name);
  const isRefused = readOnlyAtMs > 0 || (absent && listRefusedAtMs > 0);
  return {
    enabled,
    readOnly: readOnly || isRefused || collection.writes === 'none',
    declined: meta?.declined.includes(collection.name) ?? false,
    absent,
    stopped: isNewer(engine, collection) ? 'clientTooOld' : null,
    held,
    pending,
    quarantined,
    unknownForm,
    damaged,
    lost,
  };
}

/** The account's records have a form that this build does not know. */
function isNewer(engine: Engine | null, collection: Collection): boolean {
  return engine !== null && engine.version > collection.version;
}

type Engine = MetaGlobal['engines'][number];

/** The engine's entry in `meta/global`; null if the account does not sync it. */
export function engineOf(meta: MetaGlobal | null, name: string): Engine | null {
  if (meta === null || meta.declined.includes(name)) return null;
  return meta.engines.find((engine) => engine.name === name) ?? null;
}

async function syncCollection(
  pass: CollectionPass,
  readOnly: boolean,
  moved: boolean,
): Promise<void> {
  const { store } = pass;
  if (moved || isUnfinished(store.state)) {
    stopForBackoff(pass);
    await pull(pass);
  }
  await forgetOldRefusal(pass);
  if (!readOnly) await sendChanges(pass);
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
    const { sinceMs } = store.state.cursor;
    if (kind !== 'done') await pull(pass);
    // There was no news to refuse it for: that is not a writer whom the next round would overtake.
    const isFutile = kind === 'moved' && isIdle && store.state.cursor.sinceMs === sinceMs;
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

/** A server that asked for a pause gets it before the next piece of work. */
function stopForBackoff(pass: CollectionPass): void {
  const { waitMs } = pass.notes;
  if (waitMs === 0) return;
  throw new SyncError('backoff', `the server asks to wait ${waitMs} ms`, { retryAfterMs: waitMs });
}

/** A server may open for writes again: its refusal is believed for a day. */
async function forgetOldRefusal({ store, platform }: CollectionPass): Promise<void> {
  const { readOnlyAtMs, pending } = store.state;
  if (readOnlyAtMs === 0 || pending === 0) return;
  if (isRefusalBelieved(readOnlyAtMs, platform.clock.nowMs())) return;
  await updateState(store, () => ({ readOnlyAtMs: 0 }));
}
