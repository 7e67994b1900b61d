// The agent behind its public door: the state machine, the passes, the session and what they share,
// put together. It decides nothing itself. It never signs anybody in or out of the device: it asks
// the device's account manager.

import type { Platform } from '../platform/ports.ts';
import { type Company, listDevices } from './api/devices.ts';
import type { Writable } from './api/records.ts';
import { type AgentConfig, type CollectionSettings, sizeLimitsOf } from './config.ts';
import type { Contents } from './contents.ts';
import { badInput, SyncError } from './errors.ts';
import { enter, forget, isOn, type Machine, note, off, save } from './machine.ts';
import { createPasses, signOut } from './passes.ts';
import { driverOf } from './remotes/parts.ts';
import { UNHEARD } from './remotes/remote.ts';
import { connected, waitMs } from './schedule/backoff.ts';
import { createSessions } from './sessions.ts';
import { changedSettings, settingsOf } from './settings.ts';
import type { RemoteCore } from './several/remotes.ts';
import type { Keeper } from './signin/keeper.ts';
import type { AgentEvent, CollectionStatus, Status } from './status.ts';
import {
  type CollectionState,
  type KnownCollection,
  NEW_COLLECTION,
} from './store/collection-state.ts';
import { createLock } from './store/lock.ts';
import { createClaims } from './store/owner.ts';
import { NEW_STATE, openStates } from './store/state.ts';
import type { CollectionStore } from './store/store.ts';
import { collectionStatus } from './sync/pass.ts';
import type { Timetable } from './timetable.ts';

/** The agent of one remote. Those that share `turns` have one pass at a time between them. */
export function createCore(
  device: Platform,
  config: AgentConfig,
  contents: Contents,
  turns = createLock(),
): RemoteCore {
  const keeper = openKeeper(device, config, contents);
  const platform = { ...device, ...keeper };
  const names = (): string[] => contents.collections.map(({ name }) => name);
  const observed = new Set<string>();
  const machine = createMachine(platform, config, contents, observed, () => timetable.changed());
  const { sessions, states, emit } = machine;
  const { timetable, run, leave } = createPasses(machine, turns);
  const company = (): Promise<Company | null> => companyOf(machine);

  return {
    signIn() {
      states.check();
      if (keeper) return keeper.signIn;
      throw badInput('signIn: users sign in to this device elsewhere');
    },
    start: () => start(machine, timetable),
    async enable() {
      machine.isResuming = false;
      if (machine.state === 'disabled' || machine.state === 'errored') {
        await enter(machine, 'enabling');
      }
      return run(true);
    },
    async disable() {
      machine.abort.aborted = true;
      if (await states.giveUp(platform.clock)) await forget(machine);
      else await leave();
    },
    sync: () => run(true),
    initialize: () => run(true, 'initialize'),
    cancel() {
      machine.abort.aborted = true;
    },
    async configure(change) {
      const current = (name: string): CollectionSettings => settingsIn(machine, name);
      const settings = changedSettings(machine.saved.settings, change, names(), current);
      await save(machine, { settings });
      platform.shell.status(JSON.stringify(statusOf(machine)));
      timetable.arm();
    },
    connectionChanged() {
      if (machine.lastError?.code === 'offline') {
        note(machine, { backoff: connected(machine.saved.backoff) });
      }
      timetable.hold();
    },
    status: () => statusOf(machine),
    reading: (name, work) =>
      sessions.mending(async () => work(await storeIn(machine, names, name), company)),
    writing: (name, work) =>
      sessions.mending(async () => work(writableIn(machine, await storeIn(machine, names, name)))),
    devices: () => sessions.mending(async () => listDevices(await company())),
    changed(collection, id, change, changes) {
      emit({ kind: 'record', collection, id, change, ...(changes && { changes }) });
      timetable.changed();
    },
    observe(collection, on) {
      if (!names().includes(collection)) throw notOneOf(names());
      observed[on ? 'add' : 'delete'](collection);
    },
    reopen: sessions.reopen,
  };
}

function openKeeper(platform: Platform, config: AgentConfig, contents: Contents): Keeper | null {
  const { devices, signIn, passwordSignIn } = contents;
  if (!config.signIn || !signIn) return null;
  return signIn(platform, config.signIn, devices && config.device, passwordSignIn);
}

/** `changed`: the server is to be asked soon. */
function createMachine(
  platform: Platform,
  config: AgentConfig,
  contents: Contents,
  observed: ReadonlySet<string>,
  changed: () => void,
): Machine {
  const observes = (name: string): boolean => observed.has(name);
  const emit = (event: AgentEvent): void => {
    if (event.kind === 'record' && !observes(event.collection)) return;
    platform.shell.event(JSON.stringify(event));
  };
  const generation = (): string => machine.saved.generation.toString(36);
  const isWanted = (name: string): boolean => settingsIn(machine, name).enabled;
  const machine: Machine = {
    ...{ platform, config, contents, emit, observes },
    sessions: createSessions(platform, config, contents, generation, isWanted, (event) => {
      emit(event);
      changed();
    }),
    states: openStates(platform.storage),
    claimed: createClaims(platform, async (key) => (await driverOf(contents, config)).keyName(key)),
    status: () => statusOf(machine),
    saved: NEW_STATE,
    state: 'disabled',
    lastError: null,
    isResuming: false,
    isLeaving: false,
    shown: new Map(),
    told: { alert: null, quotaRemainingBytes: null },
    abort: { aborted: false },
  };
  return machine;
}

async function start(machine: Machine, timetable: Timetable): Promise<void> {
  machine.saved = await machine.states.load();
  const { state, error } = machine.saved;
  machine.state = state;
  machine.isResuming = state === 'enabling';
  if (state === 'disabling') await signOut(machine);
  else if (state !== 'disabled') {
    // What cannot be loaded now may be at the next pass.
    const failed = await machine.sessions.open().then(() => null, unlessPart);
    await enter(machine, state, failed ?? (error && new SyncError(error, 'before the restart')));
  }
  // A person is waiting for a sign-in.
  if (state === 'enabling') timetable.arm();
  else timetable.hold();
}

function unlessPart(error: unknown): SyncError {
  if (error instanceof SyncError && error.code === 'deviceFailed') return error;
  throw error;
}

function notOneOf(names: readonly string[]): SyncError {
  return badInput(`collection: not one of ${names.join(', ')}`);
}

async function storeIn(
  machine: Machine,
  names: () => readonly string[],
  name: unknown,
): Promise<CollectionStore> {
  const check = (): void => {
    if (machine.saved.uid === null || !isOn(machine)) throw off(machine);
  };
  check();
  const { stores } = await machine.sessions.open(name);
  check();
  const found = stores.find(({ collection }) => collection.name === name);
  if (found !== undefined) return found;
  throw notOneOf(names());
}

function writableIn(machine: Machine, store: CollectionStore): Writable {
  const { config, saved, sessions } = machine;
  if (collectionStatusOf(machine, store.collection, store).readOnly) {
    throw new SyncError('readOnly', `${store.collection.name}: read-only here or on the server`);
  }
  const name = sessions.current?.company ? config.device?.name : undefined;
  const self = name === undefined ? null : { id: saved.clientId, name };
  return { store, self, ...sizeLimitsOf(config) };
}

async function companyOf(machine: Machine): Promise<Company | null> {
  if (machine.saved.uid === null) throw off(machine);
  const { company: store, devices } = await machine.sessions.open();
  const { device } = machine.config;
  return store && device && devices ? { devices, store, device, id: machine.saved.clientId } : null;
}

function statusOf(machine: Machine): Status {
  const { platform, saved, sessions, state, told } = machine;
  const { email, lastSyncMs, backoff } = saved;
  const nowMs = platform.clock.nowMs();
  const wait = waitMs(backoff, nowMs, false);
  const { stores = [] } = sessions.current ?? {};
  const known = sessions.current === null ? [] : machine.contents.collections;
  const storeOf = (name: string) => stores.find(({ collection }) => collection.name === name);
  return {
    state,
    account: email,
    lastSyncMs,
    error: (machine.lastError ?? machine.states.refusal)?.shown ?? null,
    notBeforeMs: wait === 0 ? null : nowMs + wait,
    alert: told.alert,
    quotaRemainingBytes: told.quotaRemainingBytes,
    collections: Object.fromEntries(
      known.map((one) => [one.name, shownOf(machine, one, storeOf(one.name))]),
    ),
  };
}

/** Of a collection that was never used here there is no store. Most are as they were shown last. */
function shownOf(
  machine: Machine,
  collection: KnownCollection,
  { state } = { state: NEW_COLLECTION },
): CollectionStatus {
  const { saved, sessions, shown } = machine;
  const { settings } = saved;
  const heard = sessions.current?.account.heard;
  const last = shown.get(collection.name);
  if (last?.state === state && last.settings === settings && last.heard === heard) {
    return last.status;
  }
  const status = collectionStatusOf(machine, collection, { state });
  shown.set(collection.name, { status, state, settings, heard });
  return status;
}

function collectionStatusOf(
  machine: Machine,
  collection: KnownCollection,
  { state }: { readonly state: CollectionState },
): CollectionStatus {
  const standing = machine.sessions.current?.account.standing(collection, state) ?? UNHEARD;
  return collectionStatus({ collection, state }, settingsIn(machine, collection.name), standing);
}

function settingsIn({ config, saved }: Machine, name: string): CollectionSettings {
  return settingsOf(saved.settings, config.collections, name);
}
