// Whether a collection's log is whole: every change follows from the one before it, and is signed
// by the user; what the server says lives is what the log ends with. The first thing that is not so
// is the answer.

import type { Change, CollectionKeys } from './chain.ts';
import { type Head, Refused } from './reading.ts';
import type { Source } from './source.ts';
import { Failure } from './usage.ts';
import { type Violation, Walk } from './walk.ts';

/** What was found: a walk to its end, or the first violation. */
export interface Verdict {
  readonly violation: (Omit<Violation, 'reason'> & { readonly reason: string }) | null;
  /** Of a violation: what is wrong, where the reason's word does not say it. */
  readonly what: string | null;
  /** The last change that is proven. */
  readonly head: Head | null;
  /** Changes that are proven. */
  readonly changes: number;
  /** Records of `/records` that were compared; null: nobody lists them. */
  readonly records: number | null;
  readonly isCompacted: boolean;
}

interface VerifyOptions {
  /** Null: without the user's key only the chain is looked at, and no signature. */
  readonly keys: CollectionKeys | null;
  readonly isOpaque: boolean;
  /** A head that was verified before: it must be on this chain. */
  readonly earlier: Head | null;
  /** Is given each change that is proven, in order. */
  readonly each?: (change: Change) => void;
}

/** Throws Failure where the source cannot be read, or does not go back to the earlier head. */
export async function verify(source: Source, options: VerifyOptions): Promise<Verdict> {
  let walk: Walk | null = null;
  let records: number | null = null;
  const verdict = (violation: Verdict['violation'], what: string | null = null): Verdict => ({
    ...{ violation, what, records },
    head: walk?.head ?? null,
    changes: walk?.count ?? 0,
    isCompacted: source.isCompacted(),
  });
  const { keys, isOpaque, earlier, each } = options;
  const begin = (): Walk =>
    new Walk({
      signKey: keys?.sign ?? null,
      ...{ isOpaque, earlier },
      ...(source.isCompacted() && { from: 'anywhere' }),
    });
  try {
    for await (const change of source.changes()) {
      walk ??= begin();
      const violation = walk.take(change);
      if (violation !== null) return verdict(violation);
      each?.(change);
    }
    walk ??= begin();
    const end = walk.endsAt(source.head()) ?? walk.knowsEarlier();
    if (end === 'unknown')
      throw new Failure(
        `--head ${earlier?.seqnum}: the history begins behind it, so nobody can compare it`,
      );
    if (end !== null) return verdict(end);
    // Of keys that were not changed since, a compacted log says nothing.
    const listed = source.isCompacted() ? null : source.records();
    if (listed === null) return verdict(null);
    records = 0;
    let last = '';
    for await (const record of listed) {
      // Twice the same one would hide that another is missing, and a list need not end.
      if (record.key <= last)
        throw new Refused('malformed', `key ${record.key} comes behind ${last}`);
      last = record.key;
      const violation = walk.holds(record);
      if (violation !== null) return verdict(violation, `key ${record.key}`);
      records++;
    }
    const missing = walk.live.size - records;
    return missing === 0
      ? verdict(null)
      : verdict(
          { index: null, seqnum: null, reason: 'missing-record' },
          `${missing} of the log's live records are not listed`,
        );
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { reason, what } = error;
    return verdict({ index: walk?.count ?? 0, seqnum: null, reason }, what);
  }
}
