// All records of a collection as they are, page by page, where its history does not go back far
// enough: each signed by whoever has the key, none older than the one that is held, all of one
// state of the log. What does not come is gone. A record does not tell the id before it, so it
// proves less than a change of the log does.

import { DOCUMENT_CHARS_MAX } from '../../limits.ts';
import { NO_ENTRY } from '../../store/record.ts';
import { rewriteEach } from '../../store/rewrite.ts';
import type { CollectionStore } from '../../store/store.ts';
import { parseDocument, readDocument } from '../../wire/document.ts';
import type { Page, Restart } from '../remote.ts';
import { EPOCH_KEY, epochOf } from './epoch.ts';
import { type Log, only200 } from './log.ts';
import { knowsDeleted } from './looks.ts';
import { pageOf, rowOf, seqnumOf } from './pages.ts';
import { type Place, positionOf, type Refetch, START, tagWord, wasHead } from './place.ts';
import { type ListedChange, metadataIn, recordsIn } from './read.ts';
import { type Head, isEmptyLog, isSameHead, type Tag } from './tag.ts';
import { violation } from './violation.ts';

/** A listing that begins; `START.head`: it is not known of what. */
export const REFETCH: Refetch = { of: START.head, start: '' };

interface Options {
  /** The records of a restored log: what is newer here than them goes up again. Null: none is. */
  readonly rewoundTo: number | null;
  nowMs(): number;
}

/** Errors: `badResponse` with the violation; those of the status and of HTTP. */
export async function recordsPage(
  log: Log,
  store: CollectionStore,
  place: Place,
  options: Options,
): Promise<Page | Restart> {
  const { start } = place.refetch ?? REFETCH;
  const of = start === '' ? await stateOf(log, place) : (place.refetch?.of ?? START.head);
  const query = start === '' ? '?' : `?start=${start}&`;
  const { answer, json, unread } = await log.page(`/records${query}`, start === '' ? 1 : 2, of);
  const tag: Tag | null = log.tagOf(answer);
  if (answer.status === 412 || (tag !== null && !isSameHead(tag, of))) {
    answer.cancel();
    return restart(store, place);
  }
  only200(answer, 'records');
  const { records, next } = recordsIn(json, unread);
  if (next !== null && (next <= start || records.length === 0)) {
    throw violation('badShape', 'next leads nowhere', log.name);
  }
  await checkRecords(log, store, place, of, records);
  const deleted = await keptNewer(store, records, options);
  const { plan = '' } = store.state;
  const rows = records
    .filter(({ key }) => key !== EPOCH_KEY)
    // That deletion is one of this version.
    .map((one) => rowOf(one, deleted.has(one.key) ? one.changeid : plan));
  const epoch = await epochOf(log, records, place.epoch);
  const at = (key: string): Place => ({ ...place, epoch, refetch: { of, start: key } });
  if (next !== null) return pageOf(rows, at(next), true, ({ key }) => at(key));
  const ring = tagWord(of.changeid);
  const end: Place = { ...START, head: of, floor: of, ring, epoch };
  // What has changed since then follows.
  return pageOf(rows, end, rows.length > 0, ({ key }) => at(key));
}

/** The listing begins again: what it has shown is void. */
export function restart({ state }: CollectionStore, place: Place): Restart {
  const whole = state.resetting && !state.gone ? 'ours' : 'gone';
  return { restart: positionOf({ ...place, refetch: REFETCH }), whole };
}

/** The head that all records are of; somebody with the key has signed it. */
async function stateOf(log: Log, { floor, ring }: Place): Promise<Head> {
  const answer = only200(await log.get(''), log.name);
  const tag = log.tagOf(answer);
  const said = metadataIn(
    parseDocument(await readDocument(() => answer.read(), DOCUMENT_CHARS_MAX)),
  );
  const changeid = said.changeid ?? tag?.changeid ?? '';
  const { seqnum, signature } = said;
  const head = { seqnum, changeid };
  const forged = isEmptyLog(head)
    ? -1
    : await log.scheme.verifySignatures([{ changeid, signature: signature ?? '' }]);
  if (forged >= 0) throw violation('badSignature', 'nobody with the key made its head', log.name);
  const isBehind = seqnum < floor.seqnum;
  const isOther = seqnum === floor.seqnum && changeid !== floor.changeid;
  if (isBehind || isOther) {
    const isKnown = wasHead({ ...START, floor, ring }, head) === true;
    throw violation(isBehind && isKnown ? 'rolledBack' : 'fork', 'it has another head', log.name);
  }
  return head;
}

async function checkRecords(
  { name, scheme }: Log,
  store: CollectionStore,
  { floor, ring }: Place,
  of: Head,
  records: readonly ListedChange[],
): Promise<void> {
  const forged = await scheme.verifySignatures(records);
  if (forged >= 0) {
    throw violation('badSignature', 'nobody with the key has made a record', name);
  }
  const before = { ...START, floor, ring };
  const seen = new Set<number>();
  const held = await store.load(records.map(({ key }) => key));
  for (const [at, { seqnum, changeid }] of records.entries()) {
    if (seen.has(seqnum)) throw violation('badShape', 'two records of one change', name);
    seen.add(seqnum);
    const isLast = seqnum === of.seqnum && changeid !== of.changeid;
    if (seqnum > of.seqnum || isLast) throw violation('badShape', 'a record behind the head', name);
    const isOther = seqnum <= floor.seqnum && wasHead(before, { seqnum, changeid }) === false;
    if (isOther) throw violation('badChangeid', `change ${seqnum} was another one`, name);
    const known = seqnumOf(held[at]?.mirror?.version);
    if (known > seqnum && known <= floor.seqnum) {
      throw violation('staleRecord', `a record is of change ${seqnum}, and was of ${known}`, name);
    }
  }
  await checkPrevious(scheme, records, name);
}

/** Where the id before a record's is told, the record's own follows from it. */
async function checkPrevious(
  scheme: Log['scheme'],
  records: readonly ListedChange[],
  name: string,
): Promise<void> {
  for (const record of records) {
    if (record.previous === null || (await scheme.verify(record.previous, [record])) < 0) continue;
    throw violation('badChangeid', 'a record has not the id that it must have', name);
  }
}

/**
 * What a restored server has in an older version than this device goes up again, and what it has
 * back is deleted again: resolves to the ids of that.
 */
async function keptNewer(
  store: CollectionStore,
  records: readonly ListedChange[],
  { rewoundTo, nowMs }: Options,
): Promise<ReadonlySet<string>> {
  const deleted = new Set<string>();
  if (rewoundTo === null) return deleted;
  const isKnown = knowsDeleted(store);
  const old = records
    .filter(({ key, seqnum }) => seqnum <= rewoundTo && key !== EPOCH_KEY)
    .map(({ key }) => ({ id: key }));
  await rewriteEach(store, old, (transaction, before, { id }) => {
    const { mirror, local, quarantined } = before;
    const isGone = isKnown && mirror === null && !quarantined;
    if (isGone && (local === null || local.body === null)) deleted.add(id);
    const isNewer = mirror !== null && seqnumOf(mirror.version) > rewoundTo;
    if (local !== null || !(isNewer || deleted.has(id))) return;
    const seq = transaction.nextSeq();
    const again = { body: mirror?.body ?? null, changedAtMs: nowMs(), seq, tries: 0 };
    transaction.set(id, before, { ...NO_ENTRY, local: again });
  });
  return deleted;
}
