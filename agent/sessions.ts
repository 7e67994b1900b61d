// Whose data is open: at most one session at a time, since two would not see each other's commits.
// Opening and wiping take turns; a session that was closed tells those who still hold it why.

import type { Platform } from '../platform/ports.ts';
import type { AgentConfig } from './config.ts';
import type { Contents } from './contents.ts';
import { SyncError, type SyncErrorCode } from './errors.ts';
import { createLock } from './lock.ts';
import { openSession, type Session, storesOf, wipeGeneration } from './session.ts';

export interface Sessions {
  readonly current: Session | null;
  /** The session of a generation, the open one if there is one. Errors: those of `openSession`. */
  open(generation: string): Promise<Session>;
  /**
   * Closes the session and removes everything of its generation; `then` comes before anything is opened again.
   * Errors: those of the storage.
   */
  wipe(generation: string, then?: () => Promise<void>): Promise<void>;
}

export function createSessions(
  platform: Platform,
  config: AgentConfig,
  contents: Contents,
): Sessions {
  const lock = createLock();
  let current: Session | null = null;
  const close = (code: SyncErrorCode, why: string): void => {
    for (const store of current === null ? [] : storesOf(current)) {
      store.close(new SyncError(code, why));
    }
    current = null;
  };
  return {
    get current() {
      return current;
    },
    open: (generation) =>
      lock.run(async () => {
        if (current !== null && storesOf(current).some(({ isStale }) => isStale)) {
          close('outOfMemory', 'the collections are opened anew');
        }
        current ??= await openSession(platform, generation, contents, config);
        return current;
      }),
    wipe: (generation, then = async () => undefined) =>
      lock.run(async () => {
        close('disabled', 'the account has left the device');
        await wipeGeneration(platform, generation);
        await then();
      }),
  };
}
