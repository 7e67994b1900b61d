// What a pass begins with: how a collection's log stands, and whether it is still the one that was
// verified. A server that has gone back to an older state of it is believed after some looks: what
// this device has of the newer one goes up again, deletions too, behind a record that says so.
// Another log is a fork, which nobody but somebody with the key can end: what the server says
// meanwhile is not listened to.

import { DOCUMENT_CHARS_MAX } from '../../limits.ts';
import { updateState } from '../../store/rewrite.ts';
import type { CollectionStore } from '../../store/store.ts';
import { parseDocument, readDocument } from '../../wire/document.ts';
import type { RemoteOptions } from '../remote.ts';
import { currentEpoch, type Epoch } from './epoch.ts';
import { ROLLBACK_LOOK_MS, ROLLBACK_LOOKS } from './limits.ts';
import { type Log, only200 } from './log.ts';
import { type Place, placeOf, positionOf, type Verdict, wasHead } from './place.ts';
import { metadataIn } from './read.ts';
import { type Head, isEmptyLog, isSameHead, NO_CHANGES, tagText } from './tag.ts';
import { type Violation, violation, violationIn } from './violation.ts';

/** `origin`: of the log that is there. `refusal`: why nothing is done with it. */
interface Look {
  readonly origin: string;
  readonly moved: boolean;
  readonly refusal: Error | null;
}

/** Errors: those of the status and of HTTP; `badResponse` with a violation. */
export async function lookAt(
  options: RemoteOptions,
  log: Log,
  store: CollectionStore,
  mayWrite: boolean,
): Promise<Look> {
  const { state } = store;
  const place = placeOf(state.position);
  const known = state.position === '' ? null : place;
  let theirs = await headOf(log, known);
  const isFork = findingOf(place, theirs ?? place.head) === 'fork';
  // One spoilt answer is no proof of another log.
  if (isFork && place.verdict === null) theirs = await headOf(log, known);
  log.heard = theirs ?? place.head;
  const origin = state.origin || FIRST;
  const found = findingOf(place, log.heard);
  if (found === null) {
    const isNew = theirs !== null || place.verdict !== null || place.refetch !== null;
    return { origin, moved: isNew, refusal: null };
  }
  const begun = await currentEpoch(log);
  if (begun !== null && begun.epoch > place.epoch) {
    return { origin: originOf(begun, store, place), moved: true, refusal: null };
  }
  const { looks } = await note(options, log, store, found);
  const isRepaired = found === 'rolledBack' && looks >= ROLLBACK_LOOKS && mayWrite;
  if (isRepaired && log.config.onRollback !== 'halt') {
    const epoch = { epoch: place.epoch + 1, fromSeq: log.heard.seqnum };
    return { origin: originOf(epoch, store, place), moved: true, refusal: null };
  }
  const what = `ours ${tagText(place.floor, false)}, theirs ${tagText(log.heard, false)}`;
  return { origin, moved: true, refusal: violation(found, what, log.name) };
}

/** What `work` finds of a violation is remembered, and told. Errors: its own. */
export async function watched<T>(
  options: RemoteOptions,
  log: Log,
  store: CollectionStore,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const found = violationIn(error);
    if (found !== null) await note(options, log, store, found);
    throw error;
  }
}

/** The epoch that an origin is of. */
export function epochIn(origin: string): Epoch {
  const [, epoch = 0, fromSeq = 0] = EPOCH.exec(origin) ?? [];
  return { epoch: Number(epoch), fromSeq: Number(fromSeq) };
}

/**
 * Whether a record of the restored log that this device does not hold was deleted behind the state
 * that was restored: the device had all of the log up to there and beyond, and this is the first
 * listing since then.
 */
export function knowsDeleted({ state: { origin, epoch } }: CollectionStore): boolean {
  return EPOCH.exec(origin)?.[3] === `${epoch}`;
}

/** Of a log that goes on from its first change. */
const FIRST = 'log';
const EPOCH = /^epoch (\d{1,16}) (\d{1,16})(?: (\d{1,16}))?$/;

/** With the number of the listing that follows, where that `knowsDeleted`. */
function originOf({ epoch, fromSeq }: Epoch, { collection, state }: CollectionStore, at: Place) {
  const origin = `epoch ${epoch} ${fromSeq}`;
  // Behind two restored states, records may come from between them.
  const isWhole = at.floor.seqnum >= fromSeq && at.refetch === null && epoch === at.epoch + 1;
  // What the device lacks for other reasons is nobody's deletion.
  const isRead = !state.resetting && !state.damaged && state.quarantined === 0;
  const isKept = isRead && !collection.evictable;
  const isOurs = (collection.writes ?? 'all') === 'all';
  return isWhole && isKept && isOurs ? `${origin} ${state.epoch + 1}` : origin;
}

/** Null: it is where the place is. */
async function headOf(log: Log, place: Place | null): Promise<Head | null> {
  const known = place === null || isEmptyLog(place.head) ? undefined : place.head;
  let answer = await log.get('', known, 'If-None-Match');
  if (answer.status === 404) {
    answer.cancel();
    // It may have been moved since the login.
    await log.renew();
    answer = await log.get('', known, 'If-None-Match');
  }
  const tag = log.tagOf(answer);
  if (answer.status === 304) {
    answer.cancel();
    return null;
  }
  if (answer.status === 404) {
    answer.cancel();
    return known === undefined ? null : NO_CHANGES;
  }
  only200(answer, log.name);
  const text = await readDocument(() => answer.read(), DOCUMENT_CHARS_MAX);
  const said = metadataIn(parseDocument(text));
  const { seqnum, changeid = tag?.changeid ?? '' } = said;
  const head = { seqnum, changeid: changeid ?? tag?.changeid ?? '' };
  if (tag !== null && !isSameHead(tag, head)) {
    throw violation('badShape', 'body and tag have different heads', log.name);
  }
  return place !== null && isSameHead(place.head, head) ? null : head;
}

/** Findings that no other answer undoes. */
const STICKY: ReadonlySet<Violation> = /* @__PURE__ */ new Set<Violation>(['fork', 'badSignature']);

function findingOf(place: Place, theirs: Head): Violation | null {
  const { floor, verdict } = place;
  if (verdict !== null && STICKY.has(verdict.reason)) return verdict.reason;
  if (isEmptyLog(floor) || theirs.seqnum > floor.seqnum || isSameHead(theirs, floor)) return null;
  return wasHead(place, theirs) === true ? 'rolledBack' : 'fork';
}

/** Keeps both heads as evidence. */
export async function note(
  { platform, emit }: RemoteOptions,
  log: Log,
  store: CollectionStore,
  reason: Violation,
): Promise<Verdict> {
  const nowMs = platform.clock.nowMs();
  const place = placeOf(store.state.position);
  const { verdict: before } = place;
  const theirs = log.heard;
  // Of what no answer undoes the first evidence stays.
  const isSame = STICKY.has(reason) || (before !== null && isSameHead(before.theirs, theirs));
  const isKnown = before?.reason === reason && isSame;
  // A clock may have gone back meanwhile.
  const isLater = !before || Math.abs(nowMs - before.atMs) >= ROLLBACK_LOOK_MS;
  if (isKnown && (before.looks >= ROLLBACK_LOOKS || !isLater)) return before;
  const verdict = isKnown
    ? { ...before, looks: before.looks + 1, atMs: nowMs }
    : { reason, theirs, looks: 1, atMs: nowMs };
  await updateState(store, () => ({ position: positionOf({ ...place, verdict }) }));
  if (!isKnown) {
    const heads = { ours: tagText(place.floor, false), theirs: tagText(theirs, false) };
    emit({ kind: 'violation', collection: log.name, reason, ...heads });
  }
  return verdict;
}
