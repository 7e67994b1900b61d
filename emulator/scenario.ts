// One run, from a factory-new device to the report's figures: switch on, sign in, sync, make the
// local edits and sync them, sync once more with nothing to do, then look at what the device holds.
// A power cut ends nothing: the device is started again and goes on from what its flash kept.
// Failed passes are repeated a few times, after the wait that the device itself asks for.

import {
  AT_FIRST,
  compareAll,
  compareSample,
  compareWithClient,
  countOf,
  IN_THE_END,
} from './checks.ts';
import { CommandError, DeviceHung } from './device/device.ts';
import { PowerCut } from './device/flash.ts';
import type { Fault } from './device/flash-image.ts';
import { VmError, VmKilled } from './device/vm-errors.ts';
import type { Expected, Holdings } from './expected.ts';
import { readHoldings } from './holdings.ts';
import { createLedger, type Ledger, type Pass, type PassReport, type Use } from './ledger.ts';
import type { Edit } from './options.ts';
import type { Progress } from './progress.ts';
import { readQuarantine, type SetAside, withForgotten } from './quarantine.ts';
import { deviceNames } from './server-records.ts';
import { ViewError } from './servers/account-view.ts';
import type { SeedAccount } from './servers/store-file.ts';
import { createSetup, type Setup, type SetupOptions } from './setup.ts';

export interface ScenarioOptions extends Omit<SetupOptions, 'onEvent' | 'onStep'> {
  /**
   * What the account's own client says that it holds; compared after the first sync. Not for
   * servers outside.
   */
  readonly expected?: Expected | null;
  readonly edits?: readonly Edit[];
  /** The flash writes at which the power is cut, counted over the whole run, rising. */
  readonly cutsAt?: readonly number[];
  /** What a cut leaves of what was not synced; `torn` when left out. */
  readonly cutFault?: Fault;
  /** What the account's other devices do between the local edits and their sync. */
  readonly elsewhere?: (setup: Setup) => void;
  /**
   * How much of the device is compared with the server: everything, a sample of pages, or nothing.
   */
  readonly compare?: 'all' | 'sample' | 'none';
  /** Hand out everything that the device holds in the end. */
  readonly wantsHoldings?: boolean;
  readonly onProgress?: (progress: Progress) => void;
}

export interface CollectionState {
  readonly held: number;
  readonly quarantined: number;
  readonly pushed: number;
}

/** The device among the account's devices. */
export interface DeviceState {
  readonly name: string;
  readonly type: string;
  /** Other devices that it knows of. */
  readonly others: number;
  /** How often its own record went to the server. */
  readonly pushed: number;
}

export interface ScenarioResult {
  readonly records: Readonly<Record<string, CollectionState>>;
  /** What the device has set aside in the end. */
  readonly quarantine: readonly SetAside[];
  /** Null: the firmware or its configuration leaves the account's devices out. */
  readonly device: DeviceState | null;
  readonly passes: readonly Pass[];
  readonly total: Use;
  readonly inspection: Use;
  readonly load: { readonly instructions: number; readonly longestSlice: number };
  readonly peakBytes: number;
  readonly storagePeakBytes: number;
  readonly boots: number;
  readonly powerCuts: number;
  /** Set when the device killed the agent; the run ended there. */
  readonly killed: string | null;
  /** What the comparisons covered, in words. */
  readonly compared: readonly string[];
  /** Broken promises, in words. */
  readonly problems: readonly string[];
  /** Null unless they were wanted. */
  readonly holdings: Holdings | null;
  readonly setup: Setup;
}

export async function runScenario(options: ScenarioOptions): Promise<ScenarioResult> {
  const run = createRun(options);
  let killed: string | null = null;
  try {
    await play(run);
  } catch (error) {
    if (!END_OF_RUN.some((kind) => error instanceof kind)) throw error;
    if (error instanceof VmKilled) killed = error.reason;
    run.problems.push(`the run ended early: ${(error as Error).message}`);
  }
  const { setup, ledger, problems, compared, powerCuts, records, itself, holdings } = run;
  const { quarantine } = run;
  const { loadInstructions, loadLongestSlice, peakBytes, storagePeakBytes, boots } =
    setup.device.counters();
  return {
    records,
    quarantine,
    device: itself,
    passes: ledger.passes,
    total: ledger.total(),
    inspection: ledger.inspection(),
    load: { instructions: loadInstructions, longestSlice: loadLongestSlice },
    peakBytes,
    storagePeakBytes,
    boots,
    powerCuts,
    killed,
    compared,
    problems,
    holdings,
    setup,
  };
}

/**
 * How a broken agent, or servers outside that cannot be read, end a run; anything else is a mistake
 * of the emulator.
 */
const END_OF_RUN = [VmKilled, VmError, CommandError, DeviceHung, ViewError];

interface Run {
  readonly options: ScenarioOptions;
  readonly setup: Setup;
  readonly ledger: Ledger;
  readonly problems: string[];
  readonly compared: string[];
  powerCuts: number;
  records: Record<string, CollectionState>;
  quarantine: readonly SetAside[];
  /** By events. */
  readonly reported: readonly SetAside[];
  itself: DeviceState | null;
  collections: readonly string[];
  holdings: Holdings | null;
  say(text: string, kind?: Progress['kind']): void;
}

function createRun(options: ScenarioOptions): Run {
  const say = (text: string, kind: Progress['kind'] = 'step') =>
    options.onProgress?.({ kind, virtualMs: setup.clock.nowNs() / 1e6, text });
  const reported: SetAside[] = [];
  const setup: Setup = createSetup({
    ...options,
    onStep: () => ledger.step(),
    onEvent(json) {
      const event = JSON.parse(json) as AgentEvent;
      if (event.kind === 'pass') ledger.passOver(event.report);
      if (event.kind === 'quarantine') reported.push(event);
      if (event.kind === 'progress') {
        say(`${event.collection}: ${event.pulled} received, ${event.pushed} sent`, 'count');
      }
    },
  });
  const ledger = createLedger(setup, options.profile.flash.pageBytes);
  setup.flash().cutAt = options.cutsAt?.[0] ?? null;
  return {
    options,
    setup,
    ledger,
    say,
    problems: [],
    compared: [],
    powerCuts: 0,
    records: {},
    quarantine: [],
    reported,
    itself: null,
    collections: ['history', 'passwords'],
    holdings: null,
  };
}

type AgentEvent =
  | { readonly kind: 'pass'; readonly report: PassReport }
  | {
      readonly kind: 'progress';
      readonly collection: string;
      readonly pulled: number;
      readonly pushed: number;
    }
  | ({ readonly kind: 'quarantine' } & SetAside)
  | { readonly kind: 'state' | 'record' };

async function play(run: Run): Promise<void> {
  const { options, setup, ledger, say } = run;
  const { edits = [], expected = null, compare = 'all' } = options;
  const { device } = setup;

  const found = setup.servers === null && compare === 'all' ? await setup.view() : null;
  say('switched on');
  await withPower(run, () => device.boot());
  say('signing in');
  if (options.signIn === true) await withPower(run, () => signIn(run));
  await syncUntilDone(run, 'enable');
  say('synced');
  if (expected !== null) {
    await withPower(run, () => ledger.inspect(() => compareWithClient(run, expected)));
  }
  if (found !== null) {
    await withPower(run, () => ledger.inspect(() => compareAll(run, found, AT_FIRST)));
  }
  for (const [index, edit] of edits.entries()) {
    const cuts = run.powerCuts;
    await withPower(run, () => applyEdit(run, edit, index + 1, run.powerCuts > cuts));
  }
  options.elsewhere?.(setup);
  if (edits.length > 0) {
    say(`${edits.length} local edits made`);
    await syncUntilDone(run, 'sync');
    say('edits synced');
  }
  const before = compare === 'none' ? options.account : await setup.view();
  await syncUntilDone(run, 'sync');
  say('synced again, with nothing to do');
  await withPower(run, () => ledger.inspect(() => look(run, compare, before)));
}

/** A code is good for one device and one time: after a power cut the phone is asked again. */
async function signIn({ setup, say }: Run): Promise<void> {
  const { url } = (await setup.device.command('signin', { call: 'begin' })) as { url: string };
  say(`the user's phone opens ${url.slice(0, url.indexOf('?'))}`);
  await setup.device.command('signin', { call: 'finish', ...(await setup.approve(url)) });
}

/** Runs a step until it has been done without a power cut. */
async function withPower<T>(run: Run, step: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      await restart(run);
    }
  }
}

async function restart(run: Run): Promise<void> {
  const { setup, ledger, options } = run;
  for (;;) {
    run.say('the power was cut');
    setup.losePower(options.cutFault);
    ledger.powerCut();
    run.powerCuts++;
    setup.flash().cutAt = options.cutsAt?.[run.powerCuts] ?? null;
    try {
      await setup.device.boot();
      run.say('switched on again');
      return;
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
    }
  }
}

const TRIES_MAX = 5;
const WAIT_MS_MAX = 24 * 3_600_000;

/** One pass that succeeds, or a problem. */
async function syncUntilDone(run: Run, first: 'enable' | 'sync'): Promise<void> {
  const { setup, ledger, problems } = run;
  let command = first;
  for (let tries = 1; ; tries++) {
    const report = (await withPower(run, () => {
      ledger.beginPass();
      return setup.device.command(command, {});
    })) as PassReport;
    if (report.ok) return;
    const { code = 'unknown', message = '' } = report.error ?? {};
    if (tries === TRIES_MAX || RETRY_IS_USELESS.has(code)) {
      problems.push(`the sync failed: ${code}, ${message}`);
      return;
    }
    run.say(`the sync failed (${code}); trying again`);
    if (code === 'backoff') await withPower(run, () => waitAsTold(setup));
    command = 'sync';
  }
}

const RETRY_IS_USELESS: ReadonlySet<string> = new Set([
  'signedOut',
  'unverified',
  'keyMismatch',
  'noSyncData',
  'clientTooOld',
  'serviceGone',
]);

async function waitAsTold(setup: Setup): Promise<void> {
  const { notBeforeMs } = (await setup.device.command('status', {})) as {
    notBeforeMs: number | null;
  };
  const waitMs = (notBeforeMs ?? 0) - setup.nowMs();
  if (waitMs > 0) await setup.device.idle(Math.min(waitMs, WAIT_MS_MAX));
}

/**
 * `isAgain`: the power went before its answer came, which a deletion that was durable by then has
 * no record for.
 */
async function applyEdit(
  { setup, problems }: Run,
  edit: Edit,
  number: number,
  isAgain: boolean,
): Promise<void> {
  const { collection, op, record } = edit;
  const input = op === 'put' ? { collection, record } : { collection, id: record.id };
  try {
    await setup.device.command(op, input);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (isAgain && op === 'delete' && error.code === 'notFound') return;
    problems.push(`edit ${number} was refused: ${error.message}`);
  }
}

/**
 * The last look: counters of the collections, and the comparison with the server. `before`: as of
 * the last sync.
 */
async function look(
  run: Run,
  compare: 'all' | 'sample' | 'none',
  before: SeedAccount,
): Promise<void> {
  const { setup, ledger, options, problems } = run;
  const { device } = setup;
  const status = (await device.command('status', {})) as Status;
  const marks = await readQuarantine(device.stored());
  run.quarantine = withForgotten(marks, run.reported);
  for (const [name, { held, pending, quarantined }] of Object.entries(status.collections)) {
    run.records[name] = { held, quarantined, pushed: pushedOf(ledger, name) };
    const named = marks.filter(({ collection }) => collection === name).length;
    if (named !== quarantined) {
      problems.push(`${name}: ${quarantined} counted in quarantine, ${named} are there`);
    }
    if (pending > 0)
      problems.push(`${name}: ${countOf(pending, 'change')} never reached the server`);
  }
  if (ledger.passes.some(({ collections }) => DEVICES in collections))
    await lookAtDevices(run, compare);
  if (options.wantsHoldings === true || compare === 'all')
    run.holdings = await readHoldings(device);
  if (compare === 'all') await compareAll(run, before, IN_THE_END);
  if (compare === 'sample') await compareSample(run, await setup.view());
}

/** The collection of the account's devices. */
const DEVICES = 'clients';

async function lookAtDevices(run: Run, compare: 'all' | 'sample' | 'none'): Promise<void> {
  const { setup, ledger, options, problems } = run;
  const { devices } = (await setup.device.command('devices', {})) as { devices: unknown[] };
  const { name, type } = options.description ?? options.profile.device;
  run.collections = [...run.collections, DEVICES];
  run.itself = { name, type, others: devices.length, pushed: pushedOf(ledger, DEVICES) };
  if (setup.servers === null && compare === 'none') return;
  const account = await setup.view();
  const own = deviceNames(account, setup.nowMs()).filter((other) => other === name);
  // To servers outside a device of this name may have come before.
  const isRight = setup.servers !== null ? own.length === 1 : own.length > 0;
  if (!isRight) problems.push(`the account lists the device ${own.length} times`);
}

function pushedOf({ passes }: Ledger, name: string): number {
  return passes.reduce((sum, { collections }) => sum + (collections[name]?.pushed ?? 0), 0);
}

interface Status {
  readonly collections: Readonly<
    Record<string, { held: number; pending: number; quarantined: number }>
  >;
}
