// A walk along a collection's chain: every change is proven from the one before it, and the first
// that is not ends the walk. It holds nothing of what it has seen but the ids of the last changes,
// the one that an earlier head is compared with, and which change is the last of each key.

import { type Change, changeidOf, GENESIS, payloadTag, signatureOf } from './chain.ts';
import type { Head, LiveRecord } from './reading.ts';

type Reason =
  | 'gap'
  | 'bad-changeid'
  | 'bad-signature'
  | 'replay-or-duplicate'
  | 'fork'
  | 'rolled-back'
  | 'truncated'
  | 'stale-record';

/** The first thing that is wrong. */
export interface Violation {
  /** Which change of the walk, from 0; null: what is wrong is not in one. */
  readonly index: number | null;
  readonly seqnum: number | null;
  readonly reason: Reason;
}

export interface WalkOptions {
  /** 32 bytes; null: signatures are not looked at. */
  readonly signKey: Buffer | null;
  /** A state that is known to be the collection's. `anywhere`: what came before was compacted. */
  readonly from?: Head | 'anywhere';
  /** Made-up ids: they are not computed anew. */
  readonly isOpaque?: boolean;
  /** A head that was verified before, by whomever: see `knowsEarlier`. */
  readonly earlier?: Head | null;
}

/** Numbers of changes whose ids are remembered, to tell what comes again from a fork. */
const REMEMBERED = 1_024;

export class Walk {
  /** The last change that is proven; null: none yet, and nothing is known of what came before. */
  head: Head | null;
  /** How many changes are proven. */
  count = 0;
  /** The last change of each key that has a payload, without that. */
  readonly live = new Map<string, string>();
  readonly #ids = new Map<number, string>();
  /** What the walk has under the number of the earlier head; null: nothing yet. */
  #idOfEarlier: string | null = null;
  readonly #options: WalkOptions;

  constructor(options: WalkOptions) {
    this.#options = options;
    const { from = { seqnum: 0, changeid: GENESIS } } = options;
    this.head = from === 'anywhere' ? null : from;
    if (this.head !== null) this.#remember(this.head);
  }

  /** Goes on to this change. What it answers ends the walk. */
  take(change: Change): Violation | null {
    const reason = this.#reason(change);
    if (reason !== null) return { index: this.count, seqnum: change.seqnum, reason };
    const { key, payload, seqnum, changeid } = change;
    this.head = { seqnum, changeid };
    this.count++;
    this.#remember(this.head);
    if (payload === null) this.live.delete(key);
    else this.live.set(key, traceOf(change));
    return null;
  }

  /** Whether the walk ends where the server says that the collection is. */
  endsAt(said: Head | null): Violation | null {
    if (said === null || this.head === null) return null;
    const { seqnum, changeid } = said;
    const at = (reason: Reason): Violation => ({ index: null, seqnum, reason });
    if (seqnum > this.head.seqnum) return at('truncated');
    if ((this.#ids.get(seqnum) ?? changeid) !== changeid) return at('fork');
    return seqnum < this.head.seqnum ? at('rolled-back') : null;
  }

  /**
   * Whether the earlier head is on this chain, however far back. `unknown`: the chain begins behind
   * it.
   */
  knowsEarlier(): Violation | 'unknown' | null {
    const { earlier = null } = this.#options;
    if (earlier === null || earlier.changeid === GENESIS) return null;
    const { seqnum, changeid } = earlier;
    const at = (reason: Reason): Violation => ({ index: null, seqnum, reason });
    if (this.head === null || seqnum > this.head.seqnum) return at('rolled-back');
    if (this.#idOfEarlier === null) return 'unknown';
    return this.#idOfEarlier === changeid ? null : at('fork');
  }

  /** Whether a record of `/records` is what the walk has seen last of its key. */
  holds(record: LiveRecord): Violation | null {
    if (this.live.get(record.key) === traceOf(record)) return null;
    return { index: null, seqnum: record.seqnum, reason: 'stale-record' };
  }

  #remember({ seqnum, changeid }: Head): void {
    this.#ids.set(seqnum, changeid);
    this.#ids.delete(seqnum - REMEMBERED);
    if (seqnum === this.#options.earlier?.seqnum) this.#idOfEarlier = changeid;
  }

  #reason(change: Change): Reason | null {
    const { seqnum, changeid, signature } = change;
    const { signKey, isOpaque = false } = this.#options;
    const { head } = this;
    if (head !== null && seqnum <= head.seqnum && !this.#isFirst(seqnum)) {
      return (this.#ids.get(seqnum) ?? changeid) === changeid ? 'replay-or-duplicate' : 'fork';
    }
    if (head !== null && seqnum !== head.seqnum + 1 && !this.#isFirst(seqnum)) return 'gap';
    if (head !== null && !isOpaque && changeidOf(change, head.changeid) !== changeid)
      return 'bad-changeid';
    if (signKey !== null && signatureOf(changeid, signKey) !== signature) return 'bad-signature';
    return null;
  }

  /** The very first change has the number 1, or 0 on a server that counts from there. */
  #isFirst(seqnum: number): boolean {
    return this.count === 0 && this.head?.changeid === GENESIS && seqnum === 0;
  }
}

/** What tells a change from all others, however long its payload is. */
function traceOf({ payload, seqnum, changeid, signature }: Change): string {
  return [seqnum, changeid, signature, payloadTag(payload)].join(' ');
}
