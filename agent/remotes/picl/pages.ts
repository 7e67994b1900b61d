// Pages as a pass takes them: what was verified goes on, each record with the position behind it.

import type { Envelope, Listed, Page } from '../remote.ts';
import { CHANGE_CHARS, TAG_CHARS } from './limits.ts';
import { type Place, positionOf } from './place.ts';
import type { ListedChange } from './read.ts';

/** A version of a record: its number, and how its id begins. */
export function versionOf({ seqnum, changeid }: { seqnum: number; changeid: string }): string {
  return `${seqnum}-${changeid.slice(0, TAG_CHARS)}`;
}

/** The number in a version; -1: it is none. */
export function seqnumOf(version: string | undefined): number {
  const seqnum = Number(/^(\d{1,16})-/.exec(version ?? '')?.[1] ?? -1);
  return Number.isSafeInteger(seqnum) ? seqnum : -1;
}

/** `plan`: the ids of what was sent, and heard no answer. Null: its payload was not read. */
export function envelopeOf(
  { key, payload, seqnum, changeid }: ListedChange,
  plan: string,
): Envelope | null {
  if (payload !== null && typeof payload !== 'string') return null;
  const isOwn = plan.includes(changeid);
  return { id: key, version: versionOf({ seqnum, changeid }), modifiedMs: null, payload, isOwn };
}

/** A change of a page, and what the pass is told of it. */
interface Row {
  readonly change: ListedChange;
  readonly listed: Listed;
}

/** `plan`: as above. What was not read is set aside by its name, whatever is in it. */
export function rowOf(change: ListedChange, plan: string): Row {
  const envelope = envelopeOf(change, plan);
  const listed: Listed =
    envelope === null
      ? { ok: false, id: change.key, code: 'tooLarge', chars: CHANGE_CHARS }
      : { ok: true, envelope, chars: (envelope.payload?.length ?? 0) + CHANGE_CHARS };
  return { change, listed };
}

/** `behind`: the place behind a change of the page. */
export function pageOf(
  rows: readonly Row[],
  end: Place,
  hasNext: boolean,
  behind: (change: ListedChange) => Place,
): Page {
  let takenCount = 0;
  return {
    serverNowMs: null,
    async next(out) {
      for (const { listed } of rows) out.push(listed);
      return false;
    },
    position(taken, isEnd) {
      takenCount += taken.length;
      const last = rows[takenCount - 1];
      return positionOf(isEnd || last === undefined ? end : behind(last.change));
    },
    hasNext: () => hasNext,
    cancel: () => undefined,
  };
}
