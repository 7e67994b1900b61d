// Whose data is open: at most one session at a time, since two would not see each other's commits.
// Opening and wiping take turns; a session that was closed tells those who still hold it why.

import type { Platform } from '../platform/ports.ts';
import type { AgentConfig } from './config.ts';
import type { Contents } from './contents.ts';
import { SyncError, type SyncErrorCode } from './errors.ts';
import { openSession, type Session, storesOf } from './session.ts';
import type { AgentEvent } from './status.ts';
import { createLock } from './store/lock.ts';
import { isDamage, removeRange, repairing, repairStorage } from './store/mend.ts';

export interface Sessions {
  readonly current: Session | null;
  /** The session of a generation, the open one if there is one. Errors: those of `openSession`. */
  open(generation: string): Promise<Session>;
  /**
   * Does the work. Where it meets damage, that is mended and everything opened anew; then the work
   * is done once more, or the error given to the caller. Errors: those of `open`.
   */
  mending<T>(generation: () => string, work: () => Promise<T>, isAgain: boolean): Promise<T>;
  /**
   * Closes the session and removes everything of its generation; `then` comes before anything is
   * opened again.
   * Errors: those of the storage.
   */
  wipe(generation: string, then?: () => Promise<void>): Promise<void>;
}

export function createSessions(
  platform: Platform,
  config: AgentConfig,
  contents: Contents,
  tell: (event: AgentEvent) => void,
): Sessions {
  const lock = createLock();
  let current: Session | null = null;
  const close = (code: SyncErrorCode, why: string): void => {
    for (const store of current === null ? [] : storesOf(current)) {
      store.close(new SyncError(code, why));
    }
    current = null;
  };
  const reopen = (): void => close('outOfMemory', 'the collections are opened anew');
  const opened = async (generation: string, damaged?: string): Promise<Session> => {
    current ??= await repairing(platform.storage, () =>
      openSession(platform, generation, contents, config, tell, damaged),
    );
    return current;
  };
  const mend = async (generation: string, { detail }: SyncError): Promise<void> => {
    if (detail.stored === undefined) await repairStorage(platform.storage);
    reopen();
    await opened(generation, detail.collection);
  };
  return {
    get current() {
      return current;
    },
    open: (generation) =>
      lock.run(async () => {
        if (current !== null && storesOf(current).some(({ isStale }) => isStale)) {
          reopen();
        }
        return opened(generation);
      }),
    async mending(generation, work, isAgain) {
      try {
        return await work();
      } catch (error) {
        // What is refused for good is not touched.
        if (!isDamage(error) || error.detail.stored === 'state') throw error;
        await lock.run(() => mend(generation(), error));
        if (isAgain) return work();
        throw error;
      }
    },
    wipe: (generation, then) =>
      lock.run(async () => {
        close('disabled', 'the account has left the device');
        await removeRange(platform, `${generation}.`);
        await then?.();
      }),
  };
}
