// The agent behind its public door: the state machine, the passes, the session and what they share,
// put together. It decides nothing itself. It never signs anybody in or out of the device: it asks
// the device's account manager.

import type { Platform } from '../platform/ports.ts';
import type { Company } from './api/devices.ts';
import type { Writable } from './api/records.ts';
import type { Body } from './collections/collection.ts';
import { type AgentConfig, type CollectionSettings, sizeLimitsOf } from './config.ts';
import type { Contents } from './contents.ts';
import { badInput, SyncError } from './errors.ts';
import { enter, forget, isOn, type Machine, note, off, save } from './machine.ts';
import { createPasses, signOut } from './passes.ts';
import { driverOf } from './remotes/parts.ts';
import { UNHEARD } from './remotes/remote.ts';
import { connected, waitMs } from './schedule/backoff.ts';
import { createSessions } from './sessions.ts';
import { type SettingsChange, settingsOf } from './settings.ts';
import type { OneCore } from './several/remotes.ts';
import type { Keeper } from './signin/keeper.ts';
import {
  type AgentEvent,
  type CollectionStatus,
  jsonOfStatus,
  type Status,
  type StatusText,
} from './status.ts';
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

/**
 * The agent of one remote. Those that share `turns` have one pass at a time between them. `show`:
 * what the device shows when this one has changed, its own status if left out.
 */
export function createCore(
  device: Platform,
  config: AgentConfig,
  contents: Contents,
  turns = createLock(),
  show?: () => string,
): OneCore {
  const keeper = openKeeper(device, config, contents);
  const platform = { ...device, ...keeper };
  const names = (): string[] => contents.collections.map(({ name }) => name);
  const observed = new Set<string>();
  const askSoon = (): void => timetable.changed();
  const machine = createMachine(platform, config, contents, observed, askSoon, show);
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
      await configure(machine, change, names());
      timetable.arm();
    },
    connectionChanged() {
      if (machine.lastError?.code === 'offline') {
        note(machine, { backoff: connected(machine.saved.backoff) });
      }
      timetable.hold();
    },
    state: () => machine.state,
    status: () => JSON.parse(jsonOfStatus(textOf(machine))),
    statusText: () => textOf(machine),
    reading: (name, work) =>
      sessions.mending(async () => work(await storeIn(machine, names, name), company)),
    writing: (name, work) =>
      sessions.mending(async () => work(writableIn(machine, await storeIn(machine, names, name)))),
    devices: () => sessions.mending(() => listed(machine)),
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

/** Errors: those of `changedSettings` and `save`. */
async function configure(
  machine: Machine,
  change: SettingsChange,
  names: readonly string[],
): Promise<void> {
  const changed = (await import('./api/switches.ts')).changedSettings;
  const current = (name: string): CollectionSettings => settingsIn(machine, name);
  const settings = changed(machine.saved.settings, change, names, current);
  await save(machine, { settings });
  machine.platform.shell.status(machine.show());
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
  show?: () => string,
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
    show: show ?? (() => jsonOfStatus(textOf(machine))),
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

async function listed(machine: Machine): Promise<Body[]> {
  return (await import('./api/devices.ts')).listDevices(await companyOf(machine));
}

async function companyOf(machine: Machine): Promise<Company | null> {
  if (machine.saved.uid === null) throw off(machine);
  const { company: store, devices } = await machine.sessions.open();
  const { device } = machine.config;
  return store && device && devices ? { devices, store, device, id: machine.saved.clientId } : null;
}

/** The status as JSON, said anew only where something has changed: an interpreter is slow at it. */
function textOf(machine: Machine): StatusText {
  const { platform, saved, sessions, state, told } = machine;
  const { email, lastSyncMs, backoff } = saved;
  const nowMs = platform.clock.nowMs();
  const wait = waitMs(backoff, nowMs, false);
  const { stores = [] } = sessions.current ?? {};
  const known = sessions.current === null ? [] : machine.contents.collections;
  const storeOf = (name: string) => stores.find(({ collection }) => collection.name === name);
  const own: Omit<Status, 'collections'> = {
    state,
    account: email,
    lastSyncMs,
    error: (machine.lastError ?? machine.states.refusal)?.shown ?? null,
    notBeforeMs: wait === 0 ? null : nowMs + wait,
    alert: told.alert,
    quotaRemainingBytes: told.quotaRemainingBytes,
  };
  return {
    own: JSON.stringify(own).slice(0, -1),
    collections: known.map((one) => shownOf(machine, one, storeOf(one.name))).join(),
  };
}

/** Of a collection that was never used here there is no store. Most are as they were shown last. */
function shownOf(
  machine: Machine,
  collection: KnownCollection,
  { state } = { state: NEW_COLLECTION },
): string {
  const { saved, sessions, shown } = machine;
  const { settings } = saved;
  const { name } = collection;
  const heard = sessions.current?.account.heard;
  const last = shown.get(name);
  if (last?.state === state && last.settings === settings && last.heard === heard) {
    return last.text;
  }
  const status = collectionStatusOf(machine, collection, { state });
  const text = JSON.stringify({ [name]: status }).slice(1, -1);
  shown.set(name, { text, state, settings, heard });
  return text;
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
