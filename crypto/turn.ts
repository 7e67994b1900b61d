// Pacing: whoever computes in JavaScript counts its work and gives the device its turn in time.
// Work is counted in groups. One is a block of SHA-256 or three of AES: half a million instructions
// of an interpreter.

export interface Turn {
  /** Counts work that is about to be done; true when it must wait for the next turn. */
  isOver(groups: number): boolean;
  next(): Promise<void>;
}

/** `pause` lets the device do other work and resolves in a later turn of its event loop. */
export function turnTaker(pause: () => Promise<void>): Turn {
  let done = 0;
  return {
    isOver(groups) {
      done += groups;
      return done > sliceGroups;
    },
    next() {
      done = 0;
      return pause();
    },
  };
}

/** For work that takes a good part of a turn: it is begun in one that has room for it. */
export async function roomFor(turn: Turn, groups: number): Promise<void> {
  if (!turn.isOver(groups)) return;
  await turn.next();
  turn.isOver(groups);
}

/** 24 million instructions. */
const sliceGroups = 48;
