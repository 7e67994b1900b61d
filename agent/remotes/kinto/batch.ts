// Requests that go out together. A batch that fails as a whole says nothing of its members; one
// that is answered 200 may have been rolled back up to the last member that met a race (409), with
// answers of 201 before it.
// Source: Kinto HTTP API 1.x (batch); the last was seen of Kinto 26.5.0 on PostgreSQL.

import { badResponse } from '../../errors.ts';
import { DOCUMENT_CHARS_MAX, DOCUMENT_VALUES_MAX } from '../../limits.ts';
import type { RemoteMemory } from '../../store/stored.ts';
import { member, parseDocument } from '../../wire/document.ts';
import { type Answer, type Http, JSON_BODY } from '../../wire/http.ts';
import { unexpected } from './statuses.ts';

export interface Part {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: unknown;
}

export interface PartAnswer {
  readonly status: number;
  /** By their names, in any case. */
  readonly headers: unknown;
  readonly body: unknown;
}

/**
 * Why a batch as a whole has no answers: an outage, it is too much for one answer, or something in
 * it is none of the server's words.
 */
export type NoAnswers = 'unavailable' | 'tooMuch' | 'readOnly' | 'malformed';

/**
 * Sends them in one batch. Errors: `badResponse`, `overQuota`, those of HTTP.
 */
export async function batch(
  http: Http,
  base: string,
  memory: RemoteMemory,
  parts: readonly Part[],
): Promise<PartAnswer[] | NoAnswers> {
  const answer = await http.send({
    method: 'POST',
    url: `${base}/batch`,
    headers: [JSON_BODY],
    body: `{"requests":[${parts.map((part) => JSON.stringify(part)).join()}]}`,
  });
  const { status } = answer;
  if (status !== 200) {
    // Too many for it now, maybe: it is asked again how many it takes.
    if (status === 400) delete memory.batchRequestsMax;
    const why = WHY.get(status) ?? (status >= 500 ? 'unavailable' : null);
    if (status === 507 || why === null) throw unexpected(answer, 'batch');
    answer.cancel();
    return why;
  }
  const text = await bounded(answer);
  if (text === null) return 'tooMuch';
  const valuesMax = Math.max(DOCUMENT_VALUES_MAX, PART_VALUES_MAX * parts.length);
  const responses = member(parseDocument(text, valuesMax), 'responses');
  if (!Array.isArray(responses) || responses.length !== parts.length) {
    throw badResponse(`batch: not ${parts.length} answers to ${parts.length} requests`);
  }
  return responses.map(partAnswer);
}

/** Of the headers of a part, by its name in lower case; null: there is none. */
export function partHeader({ headers }: PartAnswer, name: string): string | null {
  if (typeof headers !== 'object' || headers === null) return null;
  for (const key of Object.keys(headers)) {
    if (key.length === name.length && key.toLowerCase() === name) return `${member(headers, key)}`;
  }
  return null;
}

const WHY: ReadonlyMap<number, NoAnswers> = /* @__PURE__ */ new Map([
  [400, 'malformed'],
  [405, 'readOnly'],
  [413, 'tooMuch'],
]);

/** Values of one part's answer: a record, its permissions and a dozen headers are half as many. */
const PART_VALUES_MAX = 64;

/** Null: it is longer than a small heap can hold. */
async function bounded(answer: Answer): Promise<string | null> {
  let text = '';
  for (let piece = await answer.read(); piece !== null; piece = await answer.read()) {
    text += piece;
    if (text.length <= DOCUMENT_CHARS_MAX) continue;
    answer.cancel();
    return null;
  }
  return text;
}

function partAnswer(value: unknown): PartAnswer {
  const status = member(value, 'status');
  if (typeof status !== 'number') throw badResponse('batch: an answer has no status');
  return { status, headers: member(value, 'headers'), body: member(value, 'body') };
}
