// One pass at a time for all remotes of a device: two would need twice the memory. What still waits
// for its turn can be called off; what has begun is its own remote's to end.

import { SyncError } from '../errors.ts';
import { createLock, type Lock } from '../store/lock.ts';

export interface Turns extends Lock {
  /** What waits here rejects with `aborted` when its turn has come. */
  callOff(): void;
}

/** Makes the turns of one remote after the other. */
export function createTurns(): () => Turns {
  const lock = createLock();
  return () => {
    let round = { isOff: false };
    return {
      run(task) {
        const mine = round;
        return lock.run(() => {
          if (mine.isOff) throw new SyncError('aborted', 'the pass was called off');
          return task();
        });
      },
      callOff() {
        round.isOff = true;
        round = { isOff: false };
      },
    };
  };
}
