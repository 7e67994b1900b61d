// Pages as a pass takes them: what was verified goes on, each record with the position behind it.

import type { Listed, Page } from '../remote.ts';
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

/** `plan`: the ids of what was sent, and heard no answer. */
export function listedOf(
  { key, payload, seqnum, changeid }: ListedChange,
  plan: string,
): Listed & { ok: true } {
  const isOwn = plan.includes(changeid);
  const version = versionOf({ seqnum, changeid });
  const envelope = { id: key, version, modifiedMs: null, payload, isOwn };
  return { ok: true, envelope, chars: (payload?.length ?? 0) + CHANGE_CHARS };
}

/** `behind`: the place behind a record of the page. */
export function pageOf(
  listed: readonly Listed[],
  end: Place,
  hasNext: boolean,
  behind: (version: string, id: string) => Place,
): Page {
  return {
    serverNowMs: null,
    async next(out) {
      for (const one of listed) out.push(one);
      return false;
    },
    position(taken, isEnd) {
      const last = taken.at(-1);
      if (isEnd || !last?.ok) return positionOf(end);
      return positionOf(behind(last.envelope.version, last.envelope.id));
    },
    hasNext: () => hasNext,
    cancel: () => undefined,
  };
}
