// The system's apps for as long as it answers: what it says nothing to is given up, by name, and
// whoever waits behind it goes on. What it does after that is found by looking. One timer watches
// over all that is asked.

import type { Apps, Clock } from '../../platform/ports.ts';
import { SyncError } from '../errors.ts';
import { SYSTEM_ANSWER_MS_MAX } from '../limits.ts';

interface Asked {
  /** What is to come after the next look. */
  isOld: boolean;
  giveUp(): void;
}

/**
 * Errors: the system's own; `deviceFailed` where it has not answered for `SYSTEM_ANSWER_MS_MAX` at
 * least, and twice that at most.
 */
export function answering(apps: Apps, clock: Clock): Apps {
  const open = new Set<Asked>();
  let isWatched = false;
  const watch = async (): Promise<void> => {
    isWatched = true;
    while (open.size > 0) {
      await clock.sleep(SYSTEM_ANSWER_MS_MAX);
      for (const asked of open) {
        if (asked.isOld) asked.giveUp();
        asked.isOld = true;
      }
    }
    isWatched = false;
  };
  const ask = async <T>(what: string, answer: Promise<T>): Promise<T> => {
    const asked: Asked = { isOld: false, giveUp: () => undefined };
    const late = new Promise<never>((_, reject) => {
      asked.giveUp = () => reject(notAnswered(what));
    });
    open.add(asked);
    if (!isWatched) void watch();
    try {
      return await Promise.race([answer, late]);
    } finally {
      open.delete(asked);
    }
  };
  return {
    list: (after, limit) => ask('list', apps.list(after, limit)),
    read: (origin) => ask(`read ${origin}`, apps.read(origin)),
    install: (origin, app) => ask(`install ${origin}`, apps.install(origin, app)),
    uninstall: (origin) => ask(`uninstall ${origin}`, apps.uninstall(origin)),
    changed: (listener) => apps.changed(listener),
  };
}

function notAnswered(what: string): SyncError {
  return new SyncError('deviceFailed', `apps: no answer to ${what} for ${SYSTEM_ANSWER_MS_MAX} ms`);
}
