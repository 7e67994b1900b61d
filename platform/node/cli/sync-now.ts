// `kitsync sync-now`: wakes the sync that runs on a folder, whatever its interval, and tells how
// the pass went. What a server has asked to be waited for stays so.

import { Failure } from './complaint.ts';
import { connectControl } from './control.ts';
import { checkFolder, socketOf } from './data.ts';
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
  const running = await connectControl(socketOf(directory), PASS_MS_MAX);
  if (running === null) {
    throw new Failure(
      `no sync runs on ${directory}: start one with \`kitsync sync\`, or sync with --once`,
    );
  }
  try {
    const report = await running.sync(remote ?? undefined);
    const isGood = report.error === null;
    if (json) terminal.write(`${printableJson(report)}\n`);
    else if (isGood) terminal.write(passLine(report));
    else terminal.complain(passLine(report));
    return isGood ? 0 : 1;
  } finally {
    running.close();
  }
}

/** A first sync of a large account, on a slow line, behind one that has just begun. */
const PASS_MS_MAX = 24 * 3_600_000;
