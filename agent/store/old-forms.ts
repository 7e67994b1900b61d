// Stores of forms 1 and 2, of a time when there was one protocol, Firefox Sync, and everybody read
// how far it had come. What they hold becomes what that protocol's remote keeps now; nothing else
// of the agent knows these names. SPEC.md has the forms.

/** Stamps of those servers came in steps of this. */
const STEP_MS = 10;

interface OldCollection {
  readonly cursor?: {
    readonly sinceMs: number;
    readonly stampMs: number;
    readonly floorMs: number;
    readonly page: string | null;
  };
  readonly syncId?: string;
  readonly unknownSinceMs?: number;
}

/** What a collection's state of such a form is now. */
export function renewedCollection(old: OldCollection): object {
  const { cursor, syncId = '', unknownSinceMs, ...rest } = old;
  const { sinceMs = -1, stampMs = 0, floorMs = -1, page = null } = cursor ?? {};
  if (![sinceMs, stampMs, floorMs].every(Number.isInteger)) return { position: null };
  const isNew = sinceMs < 0 && floorMs < 0 && page === null;
  const words = [sinceMs, stampMs, floorMs, ...(page === null ? [] : [page])];
  const from = unknownSinceMs === undefined ? null : Math.max(0, unknownSinceMs - STEP_MS);
  return {
    ...rest,
    position: isNew ? '' : words.join(' '),
    origin: syncId,
    ...(from !== null && { unknownFrom: `${from} 0 -1` }),
  };
}
