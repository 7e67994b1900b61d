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
  /**
   * The open one, if there is one, with the collections that are on and that of the name. Errors:
   * those of `openSession`.
   */
  open(also?: unknown): Promise<Session>;
  /**
   * Does the work. Where it meets damage, that is mended and everything opened anew; then the work
   * is done once more (`isAgain`), or the error given to the caller. Errors: those of `open`.
   */
  mending<T>(work: () => Promise<T>, isAgain?: boolean): Promise<T>;
  /**
   * Closes the session and removes everything of its generation; `then` comes before anything is
   * opened again. Errors: those of the storage.
   */
  wipe(then?: () => Promise<void>): Promise<void>;
  /**
   * Opens the session anew, if there is one; whoever holds the old one is told to come again.
   * Errors: those of `openSession`.
   */
  reopen(): Promise<void>;
  /** Closes it at once, whatever is under way in it; whoever comes next opens another. */
  drop(): void;
}

/** `generation` is that of the data now; `isOn`: the user wants this collection. */
export function createSessions(
  platform: Platform,
  config: AgentConfig,
  contents: Contents,
  generation: () => string,
  isOn: (name: string) => boolean,
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
  const drop = (): void => close('outOfMemory', 'open the collections anew');
  const opened = async (damaged?: string): Promise<Session> => {
    current ??= await repairing(platform.storage, async () => {
      await contents.opening?.(generation());
      return openSession(platform, generation(), contents, config, tell, damaged);
    });
    return current;
  };
  const mend = async ({ detail }: SyncError): Promise<void> => {
    if (detail.stored === undefined) await repairStorage(platform.storage);
    drop();
    await opened(detail.collection);
  };
  return {
    get current() {
      return current;
    },
    open: (also) =>
      lock.run(async () => {
        if (current !== null && storesOf(current).some(({ closed }) => closed !== null)) {
          drop();
        }
        const session = current ?? (await opened());
        await session.need((name) => name === also || isOn(name));
        return session;
      }),
    async mending(work, isAgain = false) {
      try {
        return await work();
      } catch (error) {
        // What is refused for good is not touched.
        if (!isDamage(error) || error.detail.stored === 'state') throw error;
        await lock.run(() => mend(error));
        if (isAgain) return work();
        throw error;
      }
    },
    wipe: (then) =>
      lock.run(async () => {
        close('disabled', 'the account has left the device');
        await removeRange(platform, `${generation()}.`);
        await then?.();
      }),
    reopen: () =>
      lock.run(async () => {
        if (current === null) return;
        drop();
        await opened();
      }),
    drop,
  };
}
