// The packs that this device has made in this pass, and nobody has changed since: what is in one of
// them it has stored, record by record, as it was told that the pack is on the server. They are
// known by their stamps, which a collection gives once. What is forgotten is read again.

import { OWN_PACKS_MAX } from './limits.ts';

export interface OwnPacks {
  /** `before`: of the version in whose place it is; null: there was none. */
  add(stamp: string, before: string | null): void;
  has(stamp: string): boolean;
}

export function createOwnPacks(): OwnPacks {
  // As numbers one of them takes 8 bytes.
  let stamps: Float64Array | null = null;
  let next = 0;
  return {
    add(stamp, before) {
      stamps ??= new Float64Array(OWN_PACKS_MAX);
      const at = before === null ? -1 : stamps.indexOf(Number(before));
      stamps[at < 0 ? next++ % OWN_PACKS_MAX : at] = Number(stamp);
    },
    has: (stamp) => stamps !== null && Number(stamp) > 0 && stamps.includes(Number(stamp)),
  };
}
