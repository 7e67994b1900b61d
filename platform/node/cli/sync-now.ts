// `kitsync sync-now`: wakes the sync that runs on a folder, whatever its interval, and tells how
// the pass went. What a server has asked to be waited for stays so.

import type { PassReport } from '../../../agent/index.ts';
import { Failure } from './complaint.ts';
import { connectControl } from './control.ts';
import { checkFolder, socketOf } from './data.ts';
import { knownServices } from './known-services.ts';
import { readNotes } from './notes.ts';
import type { LocalOptions } from './options.ts';
import { passLine } from './progress.ts';
import { printableJson, type Terminal } from './terminal.ts';

/**
 * Resolves to the exit code: 1 when the pass failed. Errors: `UsageError`, `Failure`, `SyncError`.
 */
export async function syncNow(
  { directory, json, remote }: LocalOptions,
  terminal: Terminal,
): Promise<number> {
  checkFolder(directory);
  const services = knownServices(readNotes(directory), remote);
  const running = await connectControl(socketOf(directory), PASS_MS_MAX);
  if (running === null) {
    throw new Failure(
      `no sync runs on ${directory}: start one with \`kitsync sync\`, or sync with --once`,
    );
  }
  try {
    if (json || services.length === 1) {
      const report = await running.sync(remote ?? undefined);
      tell(report, json, terminal);
      return report.error === null ? 0 : 1;
    }
    let isGood = true;
    const { remotes = {} } = await running.status();
    for (const { name } of services) {
      // As with one call for all: who is signed out is asked for nothing.
      if (remotes[name]?.state === 'disabled') continue;
      const report = await running.sync(name);
      tell(report, json, terminal, name);
      isGood &&= report.error === null;
    }
    return isGood ? 0 : 1;
  } finally {
    running.close();
  }
}

function tell(report: PassReport, json: boolean, terminal: Terminal, service?: string): void {
  if (json) terminal.write(`${printableJson(report)}\n`);
  else if (report.error === null) terminal.write(passLine(report, service));
  else terminal.complain(passLine(report, service));
}

/** A first sync of a large account, on a slow line, behind one that has just begun. */
const PASS_MS_MAX = 24 * 3_600_000;
