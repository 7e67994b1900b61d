// What is to be done about one app, out of what its record, the system and this device's own notes
// say of it. Pure: the one place where that is decided.

import type { Row } from './row.ts';

/** What the collection says. `carried`: nothing that this build can read. */
export type Recorded = 'live' | 'deleted' | 'carried' | 'unknown';

export interface Found {
  readonly recorded: Recorded;
  /** What the system is to have: see `fingerprint`; '' where it is not live. */
  readonly wanted: string;
  /** What the system has; null: it has no such app. */
  readonly there: string | null;
  /** When it was installed there; 0: it does not say. */
  readonly time: number;
  readonly row: Row | null;
  /** Of the collection. */
  readonly generation: string;
}

/**
 * `agree`: both have the same. `install`: the system is given what the record says. `take`: the
 * record is given what the system says. `delete`: the record becomes a deletion. `uninstall`: the
 * system loses it. `clear`: nothing is left to remember. `none`: nothing is to be done.
 */
export type Step = 'agree' | 'install' | 'take' | 'delete' | 'uninstall' | 'clear' | 'none';

export function decide(found: Found): Step {
  const { recorded, there } = found;
  if (recorded === 'live') return ofLive(found);
  if (there === null) return recorded === 'carried' ? 'none' : 'clear';
  const row = noted(found);
  if (recorded === 'deleted') {
    // Who has installed it since has done so after the deletion.
    return row === null || isInstalledAnew(found, row) ? 'take' : 'uninstall';
  }
  if (recorded === 'carried') return row === null ? 'take' : 'none';
  // What came from another account's devices is nothing to this one.
  const isForeign = row?.sync === true && row.generation !== found.generation;
  return isForeign && isKnown(row, there) ? 'none' : 'take';
}

/** Whether the user has installed it here, whatever was known of it. */
export function isOwnInstall(found: Found): boolean {
  const row = noted(found);
  return row === null || isInstalledAnew(found, row);
}

function ofLive(found: Found): Step {
  const { wanted, there, generation } = found;
  const row = noted(found);
  if (there === null) {
    const isRemoved = row !== null && row.generation === generation && row.tag !== '';
    return isRemoved && row.intent === '' ? 'delete' : 'install';
  }
  if (there === wanted) return 'agree';
  return row !== null && isKnown(row, there) ? 'install' : 'take';
}

/** What this device knows of it: an app of its own is new to another account. */
function noted({ row, generation }: Found): Row | null {
  return row !== null && (row.generation === generation || row.sync) ? row : null;
}

/** The system has what it was given, or what it has told. */
function isKnown({ agreed, intent }: Row, there: string): boolean {
  return there === agreed || there === intent;
}

function isInstalledAnew({ there, time }: Found, row: Row): boolean {
  return there !== null && !isKnown(row, there) && time !== row.time;
}
