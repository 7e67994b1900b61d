// Requests of Kinto's protocol that go out together: small ones in one batch, large ones alone. A
// batch that fails as a whole says nothing of its members, and a refusal of one must not look like
// an outage. It knows no BSO: a record is a path, and the time that an answer tells.
// Source: Kinto HTTP API 1.x (batch).

import { isObject } from '../../../crypto/engine.ts';
import type { Header } from '../../../platform/ports.ts';
import { badResponse } from '../../errors.ts';
import { DOCUMENT_CHARS_MAX, DOCUMENT_VALUES_MAX } from '../../limits.ts';
import type { RemoteMemory } from '../../store/stored.ts';
import { member, parseDocument, readDocument } from '../../wire/document.ts';
import { etagMs } from '../../wire/headers.ts';
import { type Answer, type Http, JSON_BODY, noteSaid, type ServerNotes } from '../../wire/http.ts';
import { batchEnd } from '../batches.ts';
import type { Outgoing } from '../remote.ts';
import { unexpected } from './statuses.ts';

export interface SubRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: { readonly [name: string]: string };
  readonly body?: unknown;
}

export interface SubResponse {
  readonly status: number;
  /** The record that it says it is about. */
  readonly data: unknown;
  /** By their names, in any case. */
  readonly headers: unknown;
}

export const UNAVAILABLE: SubResponse = { status: 503, data: null, headers: null };

export interface Batches {
  /**
   * Sends `requests`, which are JSON and so many. Null: the server is not available. Errors:
   * `badResponse`, those of HTTP.
   */
  ask(requests: string, count: number): Promise<SubResponse[] | null>;
  /** Sends a request for the record `id` by itself. Errors: those of HTTP. */
  single(request: SubRequest, id: string): Promise<SubResponse>;
}

export function openBatches(
  http: Http,
  base: string,
  memory: RemoteMemory,
  notes: ServerNotes,
): Batches {
  return {
    async ask(requests, count) {
      const answer = await http.send({
        method: 'POST',
        url: `${base}/batch`,
        headers: [JSON_BODY],
        body: `{"requests":[${requests}]}`,
      });
      if (answer.status >= 500) {
        answer.cancel();
        return null;
      }
      // Too many for it now, maybe: it is asked again how many it takes.
      if (answer.status === 400) delete memory.batchRequestsMax;
      if (answer.status !== 200) throw unexpected(answer, 'batch');
      const responses = await subResponses(answer, count);
      note(notes, responses);
      return responses;
    },
    async single(request, id) {
      const answer = await http.send({
        method: 'PUT',
        url: base + request.path,
        headers: [JSON_BODY, ...Object.entries(request.headers)],
        body: JSON.stringify(request.body),
      });
      // The answer has the record again, maybe a long one: its beginning tells it from an error.
      const isRecord = RECORD_ANSWER.test((await answer.read()) ?? '');
      answer.cancel();
      const data = isRecord ? { id, last_modified: etagMs(answer.headers) } : null;
      return { status: answer.status, data, headers: null };
    },
  };
}

/**
 * Sends small records in one batch, large ones alone; `requests` has one for each. A batch that
 * fails as a whole is halved until the record that the server cannot take stands alone.
 * `echoCharsMax`: what is sent in a batch comes back in its answer, so much of it at most. Errors:
 * as `Batches.ask`.
 */
export async function inBatches(
  batches: Batches,
  records: readonly Outgoing[],
  requests: readonly SubRequest[],
  echoCharsMax: number,
): Promise<SubResponse[]> {
  const results: SubResponse[] = [];
  let size = requests.length;
  while (results.length < requests.length) {
    const at = results.length;
    const first = requests[at];
    const end = batchEnd(records, at, at + size, echoCharsMax);
    if (results.slice(-2).filter(({ status }) => status >= 500).length === 2) {
      // Two single refusals in a row: it is an outage after all.
      results.push(...requests.slice(at).map(() => UNAVAILABLE));
      break;
    }
    if (first !== undefined && end - at <= 1) {
      results.push(await batches.single(first, records[at]?.id ?? ''));
      continue;
    }
    const json = requests.slice(at, end).map((request) => JSON.stringify(request));
    const responses = await batches.ask(json.join(), json.length);
    if (responses === null) size = Math.ceil((end - at) / 2);
    else results.push(...responses);
  }
  return results;
}

const RECORD_ANSWER = /^\s*\{\s*"(data|permissions)"\s*:/;

/** Values of one answer: a record, its permissions and a dozen headers are half as many. */
const ANSWER_VALUES_MAX = 64;

/** Batches are small in both directions: see `batchEnd`. */
async function subResponses(answer: Answer, count: number): Promise<SubResponse[]> {
  const text = await readDocument(() => answer.read(), DOCUMENT_CHARS_MAX);
  const valuesMax = Math.max(DOCUMENT_VALUES_MAX, ANSWER_VALUES_MAX * count);
  const responses = member(parseDocument(text, valuesMax), 'responses');
  if (!Array.isArray(responses) || responses.length !== count) {
    throw badResponse(`batch: not ${count} answers to ${count} requests`);
  }
  return responses.map(subResponse);
}

/** What is said beside a part's answer, as Syncto writes it: of its batch it says nothing. */
const SAID = ['Backoff', 'Retry-After', 'Alert', 'Quota-Remaining'];

function note(notes: ServerNotes, responses: readonly SubResponse[]): void {
  const said: Header[] = [];
  for (const { headers } of responses) {
    for (const name of SAID) {
      const text = member(headers, name);
      if (typeof text === 'string') said.push([name.toLowerCase(), text]);
    }
  }
  if (said.length > 0) noteSaid(notes, said, notes.serverNowMs);
}

function subResponse(value: unknown): SubResponse {
  const status = member(value, 'status');
  if (typeof status !== 'number') throw badResponse('batch: an answer has no status');
  const data = member(member(value, 'body'), 'data');
  return { status, data, headers: member(value, 'headers') };
}

/** Whether the entity tag tells this version: of the record, or of the listed collection. */
export function isOf(knownMs: number | undefined, headers: unknown): boolean {
  // As servers write it; a closer look costs an interpreter twenty times as much.
  if (member(headers, 'ETag') === `"${knownMs}"`) return true;
  const pairs = Object.entries(isObject(headers) ? headers : {}).map(
    ([name, value]): Header => [name.toLowerCase(), typeof value === 'string' ? value : ''],
  );
  return etagMs(pairs) === knownMs;
}
