// One run, from a factory-new device to the report's figures: switch on, sign in, sync, make the
// local edits and sync them, sync once more with nothing to do, then look at what the device holds.
// With several remotes each sync is one of all of them; each has promises of its own, and one may
// be switched off meanwhile, or signed out of before the last look.

import { AT_FIRST, compareAll, compareWithClient } from './checks.ts';
import { CommandError, DeviceHung } from './device/device.ts';
import type { Fault } from './device/flash-image.ts';
import { VmError, VmKilled } from './device/vm-errors.ts';
import type { Expected, Holdings } from './expected.ts';
import type { Pass, Use } from './ledger.ts';
import { look, lookAt, signOutOf } from './look.ts';
import type { Edit } from './options.ts';
import type { CollectionState, DeviceState, Part } from './part.ts';
import type { Progress } from './progress.ts';
import type { SetAside } from './quarantine.ts';
import { type Off, syncRound } from './rounds.ts';
import { createRun, type Run, withPower } from './run.ts';
import { ViewError } from './servers/account-view.ts';
import type { Setup, SetupOptions } from './setup.ts';

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
  /** Remotes that are switched off in some syncs. */
  readonly off?: readonly Off[];
  /** Remotes that the device signs out of in the end, by their names. */
  readonly signOut?: readonly string[];
  /**
   * How much of the device is compared with the server: everything, a sample of pages, or nothing.
   */
  readonly compare?: 'all' | 'sample' | 'none';
  /** Hand out everything that the device holds in the end. */
  readonly wantsHoldings?: boolean;
  readonly onProgress?: (progress: Progress) => void;
  /** With `signIn` to a Kinto: the user has one already. */
  readonly recoveryCode?: string;
}

export interface ScenarioResult {
  /** That of the user in the end; null: there is none. */
  readonly recoveryCode: string | null;
  /** Each with what it is, in the end, to the device; the first one in front. */
  readonly parts: readonly Part[];
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
  /** Null unless they were wanted; records of apps by the names of their collections. */
  readonly holdings: (Holdings & { readonly [name: string]: readonly unknown[] }) | null;
  readonly setup: Setup;
}

export async function runScenario(options: ScenarioOptions): Promise<ScenarioResult> {
  const run = createRun(options);
  await attempt(run, () => play(run, options));
  return resultOf(run);
}

/** Does `work` unless the run has ended early; how a broken agent ends it is a problem of it. */
export async function attempt(run: Run, work: () => Promise<void>): Promise<void> {
  if (run.hasEnded) return;
  try {
    await work();
  } catch (error) {
    if (!END_OF_RUN.some((kind) => error instanceof kind)) throw error;
    run.hasEnded = true;
    if (error instanceof VmKilled) run.killed = error.reason;
    run.problems.push(`the run ended early: ${(error as Error).message}`);
  }
}

export function resultOf(run: Run): ScenarioResult {
  const { setup, ledger, parts, powerCuts, killed } = run;
  const { loadInstructions, loadLongestSlice, peakBytes, storagePeakBytes, boots } =
    setup.device.counters();
  return {
    recoveryCode: run.recoveryCode,
    parts,
    records: Object.assign({}, ...parts.map(({ records }) => records)),
    quarantine: parts.flatMap(({ quarantine }) => quarantine),
    device: parts[0].itself,
    passes: ledger.passes,
    total: ledger.total(),
    inspection: ledger.inspection(),
    load: { instructions: loadInstructions, longestSlice: loadLongestSlice },
    ...{ peakBytes, storagePeakBytes, boots, powerCuts, killed },
    compared: parts.flatMap((part) => part.compared.map((line) => run.named(part, line))),
    problems: [
      ...parts.flatMap((part) => part.problems.map((line) => run.named(part, line))),
      ...run.problems,
    ],
    holdings: holdingsOf(parts),
    setup,
  };
}

function holdingsOf(parts: readonly Part[]): ScenarioResult['holdings'] {
  const all = parts.flatMap(({ holdings }) => holdings ?? []);
  if (all.length === 0) return null;
  return {
    ...Object.assign({}, ...parts.map(({ others }) => others)),
    history: all.flatMap(({ history }) => history),
    logins: all.flatMap(({ logins }) => logins),
  };
}

/**
 * How a broken agent, or servers outside that cannot be read, end a run; anything else is a mistake
 * of the emulator.
 */
const END_OF_RUN = [VmKilled, VmError, CommandError, DeviceHung, ViewError];

async function play(run: Run, options: ScenarioOptions): Promise<void> {
  const { setup, ledger, parts, say } = run;
  const { edits = [], expected = null, compare = 'all', off = [], signOut = [] } = options;
  const { device } = setup;
  const [first] = parts;

  const found = new Map<Part, Part['before']>();
  for (const part of compare === 'all' ? parts : []) {
    if (!part.remote.isAccount) found.set(part, await part.remote.view());
  }
  say('switched on');
  await withPower(run, () => device.boot());
  say('signing in');
  for (const part of options.signIn === true ? parts : [])
    await withPower(run, () => signIn(run, part, options.recoveryCode));
  await syncRound(run, 1, off);
  say('synced');
  if (expected !== null && first.hasSynced) {
    await withPower(run, () => ledger.inspect(() => compareWithClient(run, first, expected)));
  }
  for (const [part, before] of found) {
    if (part.hasSynced)
      await withPower(run, () => ledger.inspect(() => compareAll(run, part, before, AT_FIRST)));
  }
  for (const [index, edit] of edits.entries()) {
    const cuts = run.powerCuts;
    await withPower(run, () => applyEdit(run, edit, index + 1, run.powerCuts > cuts));
  }
  options.elsewhere?.(setup);
  if (edits.length > 0) {
    say(`${edits.length} local edits made`);
    await syncRound(run, 2, off);
    say('edits synced');
  }
  for (const part of compare === 'none' ? [] : parts) part.before = await part.remote.view();
  await syncRound(run, 3, off);
  say('synced again, with nothing to do');
  for (const part of parts.filter(({ remote }) => signOut.includes(remote.name))) {
    await withPower(run, () => ledger.inspect(() => lookAt(run, part, options)));
    await signOutOf(run, part);
  }
  if (signOut.length > 0) await syncRound(run, 3, off);
  await withPower(run, () => ledger.inspect(() => look(run, options)));
}

/**
 * A code is good for one device and one time: after a power cut the phone is asked again. To a
 * Kinto the user signs in by name and password; the device makes a recovery code, or is given one.
 */
async function signIn(run: Run, { remote }: Part, code?: string): Promise<void> {
  const { setup, parts, say } = run;
  const at = parts.length > 1 ? { remote: remote.address } : {};
  const call = (given: object) => setup.device.command('signin', { ...at, ...given });
  if (remote.kinto !== null) {
    const { name, password } = remote.kinto.user;
    const given = { call: 'password', email: name, password, ...(code && { code }) };
    const made = (await call(given)) as { readonly code?: string };
    say(made.code === undefined ? 'the user gave their recovery code' : 'a recovery code is shown');
    run.recoveryCode = made.code ?? code ?? null;
    if (run.recoveryCode !== null) remote.kinto.learn(run.recoveryCode);
    return;
  }
  const { url } = (await call({ call: 'begin' })) as { url: string };
  say(`the user's phone opens ${url.slice(0, url.indexOf('?'))}`);
  await call({ call: 'finish', ...(await remote.approve(url)) });
}

/**
 * `isAgain`: the power went before its answer came, which a deletion that was durable by then has
 * no record for.
 */
async function applyEdit(
  { setup, parts, problems }: Run,
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
    // Nobody has ever signed in where it was to go.
    const part = parts.find(({ remote }) => remote.collections.includes(collection));
    if (part?.remote.isOff && !part.hasSynced && error.code === 'disabled') return;
    problems.push(`edit ${number} was refused: ${error.message}`);
  }
}
