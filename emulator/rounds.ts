// One sync of all remotes of a device, until each has succeeded. Failed passes are repeated a few
// times, after the wait that the device itself asks for. A remote that is switched off must fail,
// and say why; the others must not notice.

import { CommandError } from './device/device.ts';
import type { PassReport } from './ledger.ts';
import { type Part, SIGNED_OUT } from './part.ts';
import { type Run, withPower } from './run.ts';

/** A remote that nobody reaches in these syncs: 1 the first, 2 that of the edits, 3 the last. */
export interface Off {
  /** Of the remote, as reports call it. */
  readonly name: string;
  readonly rounds: readonly number[];
}

/** What each remote is asked for; a problem for each promise that is not kept. */
export async function syncRound(run: Run, round: number, off: readonly Off[]): Promise<void> {
  const { say } = run;
  const parts = run.parts.filter(({ state }) => state !== SIGNED_OUT);
  for (const { remote } of parts) {
    const isOff = off.some(({ name, rounds }) => name === remote.name && rounds.includes(round));
    if (isOff !== remote.isOff) say(`${remote.name} is switched ${isOff ? 'off' : 'on'}`);
    remote.isOff = isOff;
  }
  if (run.parts.length === 1) {
    for (const part of parts) await syncUntilDone(run, part, commandFor(part), {});
    return;
  }
  for (const part of run.parts) part.last = null;
  await withPower(run, () => {
    run.ledger.beginPass();
    return run.setup.device.command(round === 1 ? 'enable' : 'sync', {});
  }).catch((error: unknown) => {
    // Of which remote, each one tells by itself.
    if (!(error instanceof CommandError)) throw error;
  });
  for (const part of run.parts) {
    const { state, last, remote, problems } = part;
    if (state === SIGNED_OUT && last !== null) problems.push('it was signed out, and synced');
    if (state === SIGNED_OUT || (last !== null && isSettled(part, last))) continue;
    await syncUntilDone(run, part, commandFor(part), { remote: remote.address });
  }
}

type Command = 'enable' | 'sync';

function commandFor({ hasSynced }: Part): Command {
  return hasSynced ? 'sync' : 'enable';
}

const TRIES_MAX = 5;
const WAIT_MS_MAX = 24 * 3_600_000;

/** One pass that succeeds, or a problem. */
async function syncUntilDone(
  run: Run,
  part: Part,
  first: Command,
  input: { readonly remote?: string },
): Promise<void> {
  const { setup, ledger } = run;
  let command = first;
  for (let tries = 1; ; tries++) {
    const report = (await withPower(run, () => {
      ledger.beginPass();
      return setup.device.command(command, input);
    })) as PassReport;
    if (isSettled(part, report)) return;
    const { code = 'unknown', message = '' } = report.error ?? {};
    if (tries === TRIES_MAX || RETRY_IS_USELESS.has(code)) {
      part.problems.push(`the sync failed: ${code}, ${message}`);
      return;
    }
    run.say(run.named(part, `the sync failed (${code}); trying again`));
    if (code === 'backoff') await withPower(run, () => waitAsTold(run, part));
    command = 'sync';
  }
}

/** Whether there is nothing more to try: it has succeeded, or nobody was there. */
function isSettled(part: Part, { ok, error }: PassReport): boolean {
  const { remote, problems } = part;
  if (ok) part.hasSynced = true;
  if (!remote.isOff) return ok;
  if (ok) problems.push('it was switched off, and synced all the same');
  const code = error?.code ?? 'none';
  if (!ok && !NOBODY_THERE.includes(code)) problems.push(`it was switched off: ${code}`);
  return true;
}

/** How a pass ends where nobody answers, or has answered just now. */
const NOBODY_THERE = ['offline', 'backoff'];

const RETRY_IS_USELESS: ReadonlySet<string> = new Set([
  'signedOut',
  'unverified',
  'keyMismatch',
  'noSyncData',
  'clientTooOld',
  'serviceGone',
]);

interface Waiting {
  readonly notBeforeMs: number | null;
  readonly remotes?: Readonly<Record<string, Waiting>>;
}

async function waitAsTold({ setup }: Run, { remote }: Part): Promise<void> {
  const status = (await setup.device.command('status', {})) as Waiting;
  const { notBeforeMs } = status.remotes?.[remote.address] ?? status;
  const waitMs = (notBeforeMs ?? 0) - setup.nowMs();
  if (waitMs > 0) await setup.device.idle(Math.min(waitMs, WAIT_MS_MAX));
}
