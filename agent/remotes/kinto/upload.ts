// Local changes on their way to a Kinto: each under the version that it was made from, a batch at a
// time. A batch that fails as a whole is halved until the record that the server cannot take stands
// alone. Up to the last member that met a race (409) nothing is on the server, whatever the answers
// before it say. A server that judges a version before it locks it would let two writers replace
// the same one: they pass one after the other (turn.ts).

import { heapOf } from '../../config.ts';
import { PAYLOAD_SAFE_CHARS, STAMP_MS_MAX } from '../../limits.ts';
import type { CollectionStore } from '../../store/store.ts';
import { member } from '../../wire/document.ts';
import { etagMs } from '../../wire/headers.ts';
import { JSON_BODY } from '../../wire/http.ts';
import { batchEnd } from '../batches.ts';
import type { Outgoing, PushResult, RemoteOptions, Upload } from '../remote.ts';
import { type Part, type PartAnswer, partHeader } from './batch.ts';
import type { Kinto } from './http.ts';
import type { Polled } from './position.ts';
import { type Form, foundOf, SEALED } from './records.ts';
import { unexpected } from './statuses.ts';
import { atLength, BRIEFLY, inTurn, isBrief, isReplacing } from './turn.ts';

/**
 * `written` counts what is stored, for the next listing. `met`: an older version than a change was
 * made from; false: it is to be merged all the same. Errors: those of `Kinto.batchMax`.
 */
export async function openUpload(
  { config, notes }: RemoteOptions,
  kinto: Kinto,
  { collection }: CollectionStore,
  written: Polled['written'],
  form = SEALED,
  met = (): boolean => false,
): Promise<Upload> {
  const heap = heapOf(config);
  const partOf = (record: Outgoing): Part =>
    putOf(kinto.recordPath(collection.name, record.id), record, form);
  return {
    // One of the batch's requests is the turn.
    addMax: Math.max(1, Math.min((await kinto.batchMax()) - 1, heap.pushRecordsMax)),
    addCharsMax: heap.pushCharsMax,
    async add(records) {
      const serverNowMs = (): number | null => notes.serverNowMs || null;
      const results: PushResult[] = records.map(() => ({ kind: 'failed' }));
      let waiting = records.map((record, at) => ({ record, at }));
      for (let tries = 0; tries < RACES_MAX && waiting.length > 0; tries++) {
        const sent = waiting;
        const answers = await inBatches(
          { kinto, turnPath: kinto.bucketPath(collection.name), partOf },
          sent.map(({ record }) => record),
          heap.echoCharsMax,
        );
        const lost = answers.map(({ status }) => status === RACE).lastIndexOf(true);
        waiting = sent.slice(0, lost + 1);
        for (const [index, { record, at }] of sent.entries()) {
          const answer = answers[index];
          if (index <= lost || !answer) continue;
          const isLost = holdsOlder(record, answer) && met();
          const result = isLost ? MOVED : resultOf(record, answer, serverNowMs(), form);
          results[at] = result;
          if (result.kind === 'stored') count(written, record, answer.status);
        }
      }
      return results;
    },
    commit: async () => ({ kind: 'none' }),
  };
}

/** The same request may win the next time; past that it waits for the next pass. */
const RACES_MAX = 4;
const RACE = 409;
const CREATED = 201;
const REFUSED = 412;
const MOVED: PushResult = { kind: 'moved' };
const FULL = 507;
const GONE = 404;
const UNAVAILABLE: PartAnswer = { status: 503, headers: null, body: null };
const READ_ONLY: PartAnswer = { status: 405, headers: null, body: null };

function count(written: Polled['written'], { payload }: Outgoing, status: number): void {
  if (payload !== null) written.all++;
  if (payload !== null && status === CREATED) written.created++;
  if (payload === null && status !== GONE) written.created--;
}

function putOf(path: string, { payload, base }: Outgoing, form: Form): Part {
  const headers: { readonly [name: string]: string } =
    base === null ? { 'If-None-Match': '*' } : { 'If-Match': `"${base}"` };
  if (payload === null) return { method: 'DELETE', path, headers };
  const body = { data: form.data(payload) };
  return base !== null && form.isOneMember
    ? { method: 'PATCH', path, headers: { ...headers, ...BRIEFLY }, body }
    : { method: 'PUT', path, headers, body };
}

interface Sender {
  readonly kinto: Kinto;
  /** Whoever replaces a record writes this first. */
  readonly turnPath: string;
  partOf(record: Outgoing): Part;
}

async function inBatches(
  { kinto, turnPath, partOf }: Sender,
  records: readonly Outgoing[],
  echoCharsMax: number,
): Promise<PartAnswer[]> {
  const results: PartAnswer[] = [];
  let size = records.length;
  let isShort = true;
  while (results.length < records.length) {
    const at = results.length;
    if (results.slice(-2).filter(({ status }) => status >= 500).length === 2) {
      // Two single refusals in a row: it is an outage after all.
      results.push(...records.slice(at).map(() => UNAVAILABLE));
      break;
    }
    const group = records.slice(at, batchEnd(records, at, at + size, echoCharsMax));
    const parts = group.map(partOf).map((part) => (isShort ? part : atLength(part)));
    const [alone] = parts.length === 1 ? parts : [];
    const isTurned = parts.some(isReplacing);
    if (alone !== undefined && !isTurned) {
      results.push(await single(kinto, alone));
      continue;
    }
    const answers = isTurned ? await inTurn(kinto, turnPath, parts) : await kinto.send(parts);
    if (answers === 'readOnly') results.push(...parts.map(() => READ_ONLY));
    else if (typeof answers !== 'string') results.push(...answers);
    else if (alone === undefined) size = Math.ceil(parts.length / 2);
    else if (answers === 'unavailable' && isBrief(alone)) isShort = false;
    else results.push(answers === 'unavailable' ? UNAVAILABLE : await single(kinto, alone));
  }
  return results;
}

/** A request by itself: its answer may have a long record again, so its headers have to do. */
async function single({ http, base }: Kinto, part: Part): Promise<PartAnswer> {
  const answer = await http.send({
    method: part.method === 'DELETE' ? 'DELETE' : 'PUT',
    url: base + part.path,
    headers: [JSON_BODY, ...Object.entries(part.headers ?? {})],
    ...(part.body !== undefined && { body: JSON.stringify(part.body) }),
  });
  // There is no room for the next one either.
  if (answer.status === FULL) throw unexpected(answer, 'record');
  answer.cancel();
  const tells = [200, CREATED, REFUSED].includes(answer.status);
  const data = tells ? { last_modified: etagMs(answer.headers) } : undefined;
  return { status: answer.status, headers: null, body: { data } };
}

/** Statuses of a request that may be taken another time: who asks, how often, who else does. */
const TRANSIENT: ReadonlySet<number> = new Set([401, 408, 409, 425, 429]);

function resultOf(
  record: Outgoing,
  answer: PartAnswer,
  serverNowMs: number | null,
  form: Form,
): PushResult {
  const { status, body } = answer;
  if (record.payload === null && status === GONE) {
    // Somebody was faster: it is what was wanted.
    return { kind: 'stored', version: record.base ?? '0', modifiedMs: null };
  }
  if (status === 200 || status === 201) {
    const data = member(body, 'data');
    const stampMs = member(data, 'last_modified') ?? tagOf(answer);
    const isOther = (member(data, 'id') ?? record.id) !== record.id;
    const isLater = Number(stampMs) > Number(record.base) && Number(stampMs) <= STAMP_MS_MAX;
    // Not surely this record, or under no version that it can have: the next pull tells.
    if (isOther || !Number.isInteger(stampMs) || !isLater) return { kind: 'failed' };
    return { kind: 'stored', version: `${stampMs}`, modifiedMs: Number(stampMs) };
  }
  // There is nothing to be changed, or nothing for it to be in.
  if (status === GONE && form.isOneMember && record.base !== null) return { kind: 'conflict' };
  if (status === REFUSED) return conflictOf(record, body, serverNowMs, form);
  if (status === 403 || status === 405) return { kind: 'readOnly' };
  if (status === 413) return { kind: 'refused', code: 'tooLarge' };
  const { payload } = record;
  if (status >= 400 && payload !== null && form.isUnstorable?.(payload)) {
    return { kind: 'refused', code: 'badText' };
  }
  const isFinal = status >= 400 && status < 500 && !TRANSIENT.has(status);
  const isSmall = (payload?.length ?? 0) <= PAYLOAD_SAFE_CHARS;
  return isFinal && !isSmall ? { kind: 'refused' } : { kind: 'failed' };
}

const tagOf = (answer: PartAnswer): number | null =>
  etagMs([['etag', partHeader(answer, 'etag') ?? '']]);

/** What the change was made from is not there any more, and what is there is from before it. */
function holdsOlder({ base }: Outgoing, { status, body }: PartAnswer): boolean {
  if (status !== REFUSED || base === null) return false;
  const existing = member(member(body, 'details'), 'existing') ?? member(body, 'data');
  const stampMs = member(existing, 'last_modified');
  return Number.isInteger(stampMs) && Number(stampMs) < Number(base);
}

/** A conflict over a record that is not there says nothing of it. */
function conflictOf(
  { id }: Outgoing,
  body: unknown,
  serverNowMs: number | null,
  form: Form,
): PushResult {
  const existing = member(member(body, 'details'), 'existing');
  if (existing === undefined) return { kind: 'conflict' };
  const theirs = foundOf(existing, id, 0, serverNowMs, form);
  return theirs === null ? { kind: 'conflict' } : { kind: 'conflict', theirs };
}
