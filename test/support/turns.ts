// Waiting for what has no end that can be seen: that something has happened by then, or has not.

import { setImmediate, setTimeout } from 'node:timers/promises';

/**
 * After so long, and when all that had come from sockets by then was handled: a process that was
 * stopped meanwhile runs its timers first.
 */
export async function turnsAfter(timeMs: number): Promise<void> {
  await setTimeout(timeMs);
  for (let turn = 0; turn < 2; turn++) await setImmediate();
}
