// The state machine of the agent: disabled, enabling, enabled, syncing, disabling, errored, as in
// the Firefox OS sync manager, and everything that outlives a pass. It runs one pass at a time and
// survives a power cut in any state. It never signs anybody in or out of the device: it asks the
// device's account manager.

import type { Platform } from '../platform/ports.ts';
import { shortId } from './collections/members.ts';
import { type AgentConfig, type CollectionSettings, sizeLimitsOf } from './config.ts';
import { type Contents, driverOf } from './contents.ts';
import type { Core } from './core.ts';
import { badInput, fromPort, notEnabled, ported, SyncError } from './errors.ts';
import { FAREWELL_MS_MAX, SPREAD_MS } from './limits.ts';
import { type Claim, createClaims, relationOf } from './remotes/sync/owner.ts';
import { chance, createAlarm } from './schedule/alarm.ts';
import {
  anchored,
  connected,
  passFailed,
  passSucceeded,
  serverAsked,
  waitMs,
} from './schedule/backoff.ts';
import { dueInMs } from './schedule/due.ts';
import { forgetServer, runSessionPass, type Session, type Task } from './session.ts';
import { createSessions } from './sessions.ts';
import { changedSettings } from './settings.ts';
import type { AgentEvent, AgentState, CollectionStatus, PassReport, Status } from './status.ts';
import { NEW_STATE, openStates, type SavedState } from './store/state.ts';
import type { CollectionStore } from './store/store.ts';
import { collectionStatus } from './sync/pass.ts';
import type { Abort, ServerNotes } from './wire/http.ts';

export function createCore(platform: Platform, config: AgentConfig, contents: Contents): Core {
  const presets = new Map(Object.entries(config.collections));
  const names = contents.collections.map(({ name }) => name);
  const notOne = (): SyncError => badInput(`collection: not one of ${names.join(', ')}`);
  const { clock, shell, storage } = platform;
  const states = openStates(storage);
  let saved: SavedState = NEW_STATE;
  let state: AgentState = 'disabled';
  const sessions = createSessions(platform, config, contents, (event) => {
    emit(event);
    // The server is asked soon for what was damaged.
    changedAtMs ??= clock.nowMs();
    arm();
  });
  const claimed = createClaims(platform);
  let running: Promise<PassReport> | null = null;
  let abort: Abort = { aborted: false };
  let lastError: SyncError | null = null;
  let lastPassMs: number | null = null;
  let changedAtMs: number | null = null;
  /** See `ScheduleInput`. */
  let spread = chance(platform.entropy);
  /**
   * A boot goes on with a sign-in that nobody has asked for since: it is for the account that it
   * began with.
   */
  let isResuming = false;
  /** Another device has asked this one to sign out. */
  let isLeaving = false;
  let alert: string | null = null;
  let quotaRemainingBytes: number | null = null;
  const observed = new Set<string>();

  const emit = (event: AgentEvent): void => {
    if (event.kind === 'record' && !observed.has(event.collection)) return;
    shell.event(JSON.stringify(event));
  };

  const save = async (change: Partial<SavedState>): Promise<void> => {
    saved = { ...saved, ...change };
    await states.save(saved);
  };

  const enter = async (next: AgentState, error: SyncError | null = null): Promise<void> => {
    states.check();
    state = next;
    lastError = error;
    const code = error?.code ?? null;
    const kept = next === 'syncing' ? 'enabled' : next;
    // A pass that ends as it began leaves nothing to write.
    if (next !== 'syncing' && (saved.state !== kept || saved.error !== code)) {
      await save({ state: kept, error: code });
    }
    emit({ kind: 'state', state, error: code });
    shell.status(JSON.stringify(status()));
  };

  /** Why there is nothing to work on. */
  const off = (): SyncError => states.refusal ?? notEnabled();

  const settingsOf = (name: string): CollectionSettings => {
    const own = saved.settings.collections.find(([key]) => key === name);
    return own?.[1] ?? presets.get(name) ?? { enabled: false, readOnly: false };
  };

  const generation = (): string => saved.generation.toString(36);
  const open = (): Promise<Session> => sessions.open(generation());

  /**
   * Another user starts with an empty store; another key of the same user voids what the server was
   * known to have.
   */
  const identify = async (): Promise<Claim> => {
    const claim = await claimed();
    const relation = relationOf(saved, claim);
    if (relation === 'stranger' && isResuming && saved.uid !== null) {
      await sessions.wipe(generation());
      await forget();
      throw notEnabled();
    }
    isResuming = false;
    if (relation === 'stranger') {
      const clientId = shortId(platform.entropy.random(12));
      await sessions.wipe(generation(), () =>
        save({ ...claim.owner, clientId, remote: {}, generation: saved.generation + 1 }),
      );
    } else if (relation === 'newKey') {
      await forgetServer(await open());
      await save({ ...claim.owner, remote: {} });
    } else if (saved.kid !== claim.owner.kid) await save(claim.owner);
    return claim;
  };

  const passOnce = async (report: PassReport, task: Task): Promise<void> => {
    const claim = task === 'leave' ? null : await identify();
    const opened = await open();
    const unheard = { requests: 0, waitMs: 0, gone: false, serverNowMs: 0 };
    const notes: ServerNotes = { ...unheard, alert, quotaRemainingBytes };
    const memory = { ...saved.remote };
    const wanted = opened.stores.flatMap((store) => {
      const { enabled, readOnly } = settingsOf(store.collection.name);
      return enabled ? [{ store, readOnly }] : [];
    });
    const remote = driverOf(contents, config).open({
      platform,
      config,
      clientState: saved.clientState ?? '',
      memory,
      cache: opened.cache,
      notes,
      abort,
    });
    try {
      await runSessionPass(
        opened,
        {
          ...{ platform, config, remote, claim, notes, abort, emit, wanted, task },
          observes: (name) => observed.has(name),
          clientId: saved.clientId,
          engine: contents.clients,
          signOut: () => {
            isLeaving = true;
          },
        },
        report,
      );
    } finally {
      report.requests = notes.requests;
      ({ alert, quotaRemainingBytes } = notes);
      const backoff = serverAsked(saved.backoff, notes.waitMs, clock.nowMs());
      const learned = JSON.stringify(memory) !== JSON.stringify(saved.remote);
      if (task !== 'leave' && (backoff !== saved.backoff || learned)) {
        await save({ backoff, remote: memory });
      }
    }
  };

  /** One pass, its outcome in the state machine. Never rejects but for a programming error. */
  const pass = async (byUser: boolean, task: Task): Promise<PassReport> => {
    const report: PassReport = { ok: false, error: null, requests: 0, collections: {} };
    anchorBackoff();
    const wait = waitMs(saved.backoff, clock.nowMs(), byUser);
    abort = { aborted: false };
    const unsentMs = changedAtMs;
    changedAtMs = null;
    try {
      if (wait > 0) {
        throw new SyncError('backoff', `no request for another ${wait} ms`, { retryAfterMs: wait });
      }
      if (state !== 'enabling') await enter('syncing');
      await sessions.mending(generation, () => passOnce(report, task), true);
      report.ok = true;
      const backoff = saved.backoff.failures > 0 ? passSucceeded(saved.backoff) : saved.backoff;
      saved = { ...saved, backoff, lastSyncMs: clock.nowMs() };
      if (state !== 'disabling') await enter('enabled');
    } catch (error) {
      await failed(report, fromPort(error));
      if (report.error?.code !== 'aborted') changedAtMs = unsentMs ?? changedAtMs;
    }
    lastPassMs = clock.nowMs();
    spread = chance(platform.entropy);
    emit({ kind: 'pass', report });
    if (isLeaving && state !== 'disabling') await leave();
    return report;
  };

  const failed = async (report: PassReport, error: SyncError): Promise<void> => {
    report.error = error.shown;
    if (state === 'disabling' || state === 'disabled') return;
    if (error.code === 'aborted') return settle('enabled', null);
    // A server that has answers only to ask for patience gets ours too: its own may be a second.
    if (error.code === 'backoff' && report.requests === 0) return settle('enabled', error);
    await settleFailed(error);
  };

  const settleFailed = async (error: SyncError): Promise<void> => {
    const backoff = passFailed(saved.backoff, clock.nowMs(), chance(platform.entropy));
    saved = { ...saved, backoff, error: null };
    await settle(error.code === 'backoff' ? 'enabled' : 'errored', error);
  };

  /** Enters a state although the storage itself may be what failed. */
  const settle = async (next: AgentState, error: SyncError | null): Promise<void> => {
    try {
      await enter(next, error);
    } catch (failure) {
      lastError = fromPort(failure);
    }
  };

  const run = (byUser: boolean, task: Task = 'sync'): Promise<PassReport> => {
    if (byUser) release();
    const before = running?.catch(() => undefined) ?? Promise.resolve();
    const turn: Promise<PassReport> = before.then(async () => {
      if (state === 'disabled' || state === 'disabling') throw off();
      try {
        return await pass(byUser, task);
      } catch (error) {
        await brokenOff();
        throw error;
      }
    });
    running = turn;
    const over = (): void => {
      if (running === turn) running = null;
      arm();
    };
    turn.then(over, over);
    return turn;
  };

  /**
   * What broke a pass off may be gone at the next one: a mistake for this data, a heap that was
   * full.
   */
  const brokenOff = async (): Promise<void> => {
    if (state !== 'syncing' && state !== 'enabling') return;
    await settleFailed(new SyncError('deviceFailed', 'the pass broke off'));
  };

  const { arm, hold, release } = createAlarm({
    platform,
    spreadMs: config.spreadMs ?? SPREAD_MS,
    // Whatever the last pass ended with there is a next one: nothing that a server says is true for
    // ever.
    dueInMs() {
      if (state !== 'enabled' && state !== 'errored' && state !== 'enabling') return null;
      anchorBackoff();
      return dueInMs({
        nowMs: clock.nowMs(),
        lastPassMs,
        intervalMs: saved.settings.intervalMs ?? config.intervalMs,
        changedAtMs,
        backoff: saved.backoff,
        spread,
      });
    },
    isRunning: () => running !== null,
    wifiOnly: () => saved.settings.wifiOnly ?? config.wifiOnly,
    run: () => void run(false),
  });

  const anchorBackoff = (): void => {
    const backoff = anchored(saved.backoff, clock.nowMs());
    if (backoff !== saved.backoff) saved = { ...saved, backoff };
  };

  const status = (): Status => {
    const wait = waitMs(saved.backoff, clock.nowMs(), false);
    return {
      state,
      account: saved.email,
      lastSyncMs: saved.lastSyncMs,
      error: (lastError ?? states.refusal)?.shown ?? null,
      notBeforeMs: wait === 0 ? null : clock.nowMs() + wait,
      alert,
      quotaRemainingBytes,
      collections: Object.fromEntries(
        (sessions.current?.stores ?? []).map((store) => [store.collection.name, statusOf(store)]),
      ),
    };
  };

  const statusOf = (store: CollectionStore): CollectionStatus =>
    collectionStatus(
      store,
      settingsOf(store.collection.name),
      sessions.current?.account.meta ?? null,
    );

  const store = async (name: unknown): Promise<CollectionStore> => {
    const isOn = (): boolean => saved.uid !== null && state !== 'disabled' && state !== 'disabling';
    if (!isOn()) throw off();
    const { stores } = await open();
    if (!isOn()) throw off();
    const found = stores.find(({ collection }) => collection.name === name);
    if (found !== undefined) return found;
    throw notOne();
  };

  return {
    async start() {
      saved = await states.load();
      state = saved.state;
      isResuming = state === 'enabling';
      if (state === 'disabling') await signOut();
      else if (state !== 'disabled') {
        await open();
        await enter(saved.state, saved.error && new SyncError(saved.error, 'before the restart'));
      }
      // A person is waiting for a sign-in.
      if (state === 'enabling') arm();
      else hold();
    },
    async enable() {
      isResuming = false;
      if (state !== 'disabled' && state !== 'errored') return run(true);
      await enter('enabling');
      return run(true);
    },
    async disable() {
      abort.aborted = true;
      if (await states.giveUp(clock)) await forget();
      else await leave(running);
    },
    sync: () => run(true),
    initialize: () => run(true, 'initialize'),
    cancel() {
      abort.aborted = true;
    },
    async configure(change) {
      await save({ settings: changedSettings(saved.settings, change, names, settingsOf) });
      shell.status(JSON.stringify(status()));
      arm();
    },
    connectionChanged() {
      if (lastError?.code === 'offline') saved = { ...saved, backoff: connected(saved.backoff) };
      hold();
    },
    status,
    check: states.check,
    mended: (work) => sessions.mending(generation, work, false),
    store,
    async writable(wanted) {
      const found = await store(wanted);
      if (statusOf(found).readOnly) {
        throw new SyncError('readOnly', `${wanted}: read-only here or on the server`);
      }
      const name = sessions.current?.clients ? config.device?.name : undefined;
      return {
        store: found,
        self: name === undefined ? null : { id: saved.clientId, name },
        ...sizeLimitsOf(config),
      };
    },
    async company() {
      if (saved.uid === null) throw off();
      const { clients } = await open();
      const { device } = config;
      const engine = contents.clients;
      if (!(clients && device && engine)) return null;
      return { engine, store: clients, device, id: saved.clientId };
    },
    changed(collection, id, change, changes) {
      emit({ kind: 'record', collection, id, change, ...(changes && { changes }) });
      // Later changes go up with the first one.
      if (changedAtMs !== null) return;
      changedAtMs = clock.nowMs();
      arm();
    },
    observe(collection, on) {
      if (!names.includes(collection)) throw notOne();
      observed[on ? 'add' : 'delete'](collection);
    },
  };

  /**
   * The other devices are told if the server can be reached; signing out does not wait long for it.
   */
  async function leave(before: Promise<unknown> | null = null): Promise<void> {
    await enter('disabling');
    await before?.catch(() => undefined);
    const farewell = { aborted: false };
    abort = farewell;
    if (saved.uid !== null && platform.power.connection() !== 'none') {
      const report: PassReport = { ok: false, error: null, requests: 0, collections: {} };
      const said = passOnce(report, 'leave').catch(() => undefined);
      await Promise.race([said, clock.sleep(FAREWELL_MS_MAX)]);
    }
    farewell.aborted = true;
    await signOut();
  }

  async function signOut(): Promise<void> {
    isLeaving = false;
    await sessions.wipe(generation());
    await ported(platform.identity.forget?.() ?? Promise.resolve());
    await forget();
  }

  /** What is kept of an account whose data is gone. */
  async function forget(): Promise<void> {
    const { settings } = saved;
    saved = { ...NEW_STATE, state: 'disabling', generation: saved.generation + 1, settings };
    await enter('disabled');
  }
}
