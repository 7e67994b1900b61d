// The passes of the agent, one at a time, and what the outcome of each means for the state machine.
// The last thing of an account is not quite a pass: its other devices are told that this one
// leaves. Signing in is left to the device's account manager.

import { fromPort, ported, SyncError } from './errors.ts';
import { FAREWELL_MS_MAX, FORGET_MS_MAX, GIVE_UP_MS, PASS_MS_MAX } from './limits.ts';
import { enter, forget, isOn, type Machine, note, off, settle } from './machine.ts';
import { runOnce } from './one-pass.ts';
import type { Task } from './remotes/remote.ts';
import { chance } from './schedule/alarm.ts';
import { passFailed, passSucceeded, waitMs } from './schedule/backoff.ts';
import type { PassReport } from './status.ts';
import type { Lock } from './store/lock.ts';
import { createTimetable, type Timetable } from './timetable.ts';

interface Passes {
  readonly timetable: Timetable;
  /**
   * Runs a pass when the one before is over. Rejects only with `disabled`, or with a programming
   * error.
   */
  run(byUser: boolean, task?: Task): Promise<PassReport>;
  /** Signs out when the pass of this account that is running is over. */
  leave(): Promise<void>;
}

/** `turns`: whoever shares it has one pass at a time. */
export function createPasses(machine: Machine, turns: Lock): Passes {
  let asked: Promise<PassReport> | null = null;
  let running: Promise<PassReport> | null = null;

  const run: Passes['run'] = (byUser, task = 'sync') => {
    if (byUser) timetable.release();
    const turn = turns.run(async () => {
      if (!isOn(machine)) throw off(machine);
      try {
        running = pass(machine, timetable, byUser, task);
        return await running;
      } catch (error) {
        await brokenOff(machine);
        throw error;
      }
    });
    asked = turn;
    const over = (): void => {
      if (asked === turn) asked = null;
      timetable.arm();
    };
    turn.then(over, over);
    return turn;
  };
  const timetable = createTimetable(machine, {
    isRunning: () => asked !== null,
    run: () => void run(false, 'due'),
  });
  return { timetable, run, leave: () => leave(machine, running) };
}

/** Its outcome is in the state machine. Never rejects but for a programming error. */
async function pass(
  machine: Machine,
  timetable: Timetable,
  byUser: boolean,
  task: Task,
): Promise<PassReport> {
  const report = newReport();
  const end = timetable.begin();
  const { clock } = machine.platform;
  const wait = waitMs(machine.saved.backoff, clock.nowMs(), byUser);
  machine.abort = { aborted: false };
  const left = new Promise<number>((resolve) => {
    machine.giveUp = () => resolve(GIVE_UP_MS);
  });
  try {
    if (wait > 0) {
      throw new SyncError('backoff', `no request for another ${wait} ms`, { retryAfterMs: wait });
    }
    if (machine.state !== 'enabling') await enter(machine, 'syncing');
    await watched(
      machine,
      machine.sessions.mending(() => runOnce(machine, report, task), true),
      left,
    );
    report.ok = true;
    const lastSyncMs = clock.nowMs();
    note(machine, { backoff: passSucceeded(machine.saved.backoff, lastSyncMs), lastSyncMs });
    if (isOn(machine)) await enter(machine, 'enabled');
  } catch (error) {
    await failed(machine, report, fromPort(error));
  }
  end(report.ok || report.error?.code === 'aborted');
  machine.emit({ kind: 'pass', report });
  if (machine.isLeaving && isOn(machine)) await leave(machine);
  return report;
}

/**
 * Errors: those of the work; where it does not end in time `deviceFailed`, or `aborted` where
 * somebody waits for its end: what it still does is void.
 */
async function watched(machine: Machine, work: Promise<void>, left: Promise<number>) {
  const { abort, platform, sessions } = machine;
  const late = platform.clock.sleep(PASS_MS_MAX).then(() => PASS_MS_MAX);
  const afterMs = await Promise.race([work, late, left]);
  if (!afterMs) return;
  abort.aborted = true;
  sessions.drop();
  const code = afterMs === PASS_MS_MAX ? 'deviceFailed' : 'aborted';
  throw new SyncError(code, `the pass took over ${afterMs} ms`);
}

function newReport(): PassReport {
  return { ok: false, error: null, requests: 0, collections: {} };
}

async function failed(machine: Machine, report: PassReport, error: SyncError): Promise<void> {
  const { code } = error;
  report.error = error.shown;
  if (!isOn(machine)) return;
  if (code === 'aborted') return settle(machine, 'enabled', null);
  // A server that has answers only to ask for patience gets ours too: its own may be a second.
  if (code === 'backoff' && report.requests === 0) return settle(machine, 'enabled', error);
  await settleFailed(machine, error);
}

async function settleFailed(machine: Machine, error: SyncError): Promise<void> {
  const { clock, entropy } = machine.platform;
  const backoff = passFailed(machine.saved.backoff, clock.nowMs(), chance(entropy));
  note(machine, { backoff, error: null });
  await settle(machine, error.code === 'backoff' ? 'enabled' : 'errored', error);
}

/**
 * What broke a pass off may be gone at the next one: a mistake for this data, a heap that was full.
 */
async function brokenOff(machine: Machine): Promise<void> {
  if (!isOn(machine)) return;
  await settleFailed(machine, new SyncError('deviceFailed', 'the pass broke off'));
}

/**
 * The other devices are told if the server can be reached; signing out does not wait long for it.
 */
async function leave(machine: Machine, before: Promise<unknown> | null = null): Promise<void> {
  await enter(machine, 'disabling');
  const over = before?.catch(() => undefined);
  await within(machine, GIVE_UP_MS, over);
  machine.giveUp?.();
  await over;
  const abort = { aborted: false };
  machine.abort = abort;
  if (machine.saved.uid !== null && machine.platform.power.connection() !== 'none') {
    const said = runOnce(machine, newReport(), 'leave').catch(() => undefined);
    await within(machine, FAREWELL_MS_MAX, said);
  }
  abort.aborted = true;
  await signOut(machine);
}

/** Without a word to other devices. */
export async function signOut(machine: Machine): Promise<void> {
  const { identity } = machine.platform;
  machine.isLeaving = false;
  await machine.sessions.wipe();
  await within(machine, FORGET_MS_MAX, identity.forget && ported(identity.forget()));
  await forget(machine);
}

/** Waits for the work, and not for longer than that. Errors: its own. */
async function within({ platform }: Machine, ms: number, work?: Promise<unknown>) {
  if (work) await Promise.race([work, platform.clock.sleep(ms)]);
}
