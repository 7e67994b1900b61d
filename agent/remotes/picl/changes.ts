// What comes behind a place in a log: a page of verified changes; or, where the history does not go
// back so far, that all records have to be listed.

import { jsonOf } from '../../../crypto/engine.ts';
import type { CollectionStore } from '../../store/store.ts';
import { member } from '../../wire/document.ts';
import type { Answer } from '../../wire/http.ts';
import type { Page } from '../remote.ts';
import { EPOCH_KEY, epochOf } from './epoch.ts';
import { type Log, only200 } from './log.ts';
import { pageOf, rowOf } from './pages.ts';
import { advanced, type Place } from './place.ts';
import { changesIn, type ListedChange } from './read.ts';
import { type Head, isEmptyLog, isSameHead, type Tag } from './tag.ts';
import { verifiedChanges } from './verify.ts';
import { type Violation, violation, violationIn } from './violation.ts';

/** The server does not know its history from there on. `head`: where it is; null: unsaid. */
interface Compacted {
  readonly compacted: Head | null;
}

/** Errors: `badResponse` with the violation; those of the status and of HTTP. */
export async function changesPage(
  log: Log,
  { state: { plan = '' } }: CollectionStore,
  place: Place,
): Promise<Page | Compacted> {
  const { written } = log;
  if (written && isSameHead(written.from, place.head)) {
    // What this pass has written itself need not come back.
    log.written = null;
    return pageOf([], written.to, false, () => written.to);
  }
  let at = place;
  let isFresh = true;
  for (let tries = 0; ; ) {
    const read = await readOnce(log, at, isFresh).catch((error: unknown) => {
      // A proxy may have spoilt it.
      if (!AGAIN.has(violationIn(error)) || ++tries > 1) throw error;
      return null;
    });
    if (read === null) continue;
    if ('compacted' in read) {
      // The history may begin right behind the place.
      if (!isFresh || isEmptyLog(at.head)) return read;
      isFresh = false;
      continue;
    }
    isFresh = true;
    const { changes, hasNext } = untilOwnIsOver(read, plan);
    const from = at;
    const epoch = await epochOf(log, changes, at.epoch);
    at = { ...advanced(at, changes), epoch };
    const rows = changes.filter(({ key }) => key !== EPOCH_KEY).map((one) => rowOf(one, plan));
    if (rows.length === 0 && hasNext) continue;
    return pageOf(rows, at, hasNext, (change) => ({ ...behind(from, changes, change), epoch }));
  }
}

const AGAIN: ReadonlySet<Violation | null> = new Set<Violation>([
  ...(['gap', 'badChangeid', 'badSignature', 'badShape', 'fork', 'truncated'] as const),
]);

interface Read {
  readonly changes: readonly ListedChange[];
  readonly hasNext: boolean;
}

/**
 * Of a record only the last change of a page is taken. What this device has sent must be met by
 * itself, or the next change of the record would meet an edit that is there already.
 */
function untilOwnIsOver({ changes, hasNext }: Read, plan: string): Read {
  const own = new Set<string>();
  const end = changes.findIndex(({ key, changeid }) => {
    if (own.has(key)) return true;
    if (plan.includes(changeid)) own.add(key);
    return false;
  });
  return end < 0 ? { changes, hasNext } : { changes: changes.slice(0, end), hasNext: true };
}

/** `withHead`: the place's own change comes again, and is compared. */
async function readOnce(log: Log, place: Place, withHead: boolean): Promise<Read | Compacted> {
  const { head } = place;
  const isNew = isEmptyLog(head);
  const since = isNew ? null : withHead ? head.seqnum : head.seqnum + 1;
  const query = since === null ? '?' : `?since=${since}&`;
  const { answer, json, unread } = await log.page(`/changes${query}`, isNew || !withHead ? 1 : 2);
  const tag = log.tagOf(answer);
  if (answer.status !== 200 && (await isCompacted(answer))) return { compacted: tag };
  only200(answer, 'changes');
  const { changes, next } = changesIn(json, unread);
  const fresh = await verifiedChanges(log, place, changes);
  const last = fresh.at(-1) ?? head;
  if (next !== null && (fresh.length === 0 || next <= last.seqnum)) {
    throw violation('badShape', 'next leads nowhere', log.name);
  }
  if (next === null) checkEnd(log, last, tag, fresh.length > 0);
  return { changes: fresh, hasNext: next !== null || (tag !== null && tag.seqnum > last.seqnum) };
}

/** At the end of the log nothing is missing that the server says is there. */
function checkEnd({ name }: Log, last: Head, tag: Tag | null, isMore: boolean): void {
  if (tag === null) return;
  if (tag.seqnum > last.seqnum && !isMore) {
    throw violation('truncated', `changes up to ${tag.seqnum} are said to be there`, name);
  }
  if (tag.seqnum === last.seqnum && tag.changeid !== last.changeid) {
    throw violation('badChangeid', 'the last change is not the one of the tag', name);
  }
}

const COMPACTED = 'history-compacted';

/** 416 and 410 by themselves, other refusals by their word. */
async function isCompacted(answer: Answer): Promise<boolean> {
  const { status } = answer;
  if (status === 416 || status === 410) {
    answer.cancel();
    return true;
  }
  if (status !== 400 && status !== 404) return false;
  const piece = await answer.read();
  answer.cancel();
  return member(jsonOf(piece ?? ''), 'error') === COMPACTED;
}

function behind(from: Place, changes: readonly ListedChange[], change: ListedChange): Place {
  return advanced(from, changes.slice(0, changes.indexOf(change) + 1));
}
