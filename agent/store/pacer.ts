// Turns of the device while many records are worked on: the one pacer that every loop over records
// has, through the store that it loads them from, or by itself where text is worked on beside the
// store. Work is counted in characters and records and never in time, so a slice is as long on
// every platform.

import { SLICE_CHARS_MAX } from '../limits.ts';

/**
 * Null while the slice lasts; else to be awaited before more is done. Cheap to call for every
 * record.
 */
export type Pacer = (chars: number) => Promise<void> | null;

/** `pause` lets the device do other work and resolves in a later turn. */
export function createPacer(pause: () => Promise<void>): Pacer {
  let spent = 0;
  return (chars) => {
    spent += chars;
    if (spent < SLICE_CHARS_MAX) return null;
    spent = 0;
    return pause();
  };
}
