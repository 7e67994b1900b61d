// What the protocols of Kinto's family share of requests that go out together, and all of records
// that are opened together: how many make one.

import { DOCUMENT_CHARS_MAX, SLICE_CHARS_MAX } from '../limits.ts';
import { member, parseDocument, readDocument } from '../wire/document.ts';
import type { Answer, Http } from '../wire/http.ts';
import type { Envelope, Outgoing } from './remote.ts';

/** Where a batch ends that begins with the record at `from`, at most before `to`. */
export function batchEnd(
  records: readonly Outgoing[],
  from: number,
  to: number,
  charsMax: number,
): number {
  let chars = 0;
  for (let at = from; at < to && at < records.length; at++) {
    chars += records[at]?.payload?.length ?? 0;
    // A large payload goes alone, so that its echo in a batch's answer is never read.
    if (chars > charsMax) return Math.max(at, from + 1);
  }
  return Math.min(to, records.length);
}

/** How many payloads make a slice's worth; at least one. */
export function groupLength(envelopes: readonly Envelope[]): number {
  let chars = 0;
  const end = envelopes.findIndex(({ payload }, at) => {
    chars += payload?.length ?? 0;
    return at > 0 && chars > SLICE_CHARS_MAX;
  });
  return end < 0 ? envelopes.length : end;
}

/** The server's own default, used when it does not say. */
const BATCH_MAX_DEFAULT = 25;

/**
 * How many requests the server takes in a batch. Errors: `badResponse`, what `unexpected` makes of
 * a status, those of HTTP.
 */
export async function batchMaxOf(
  http: Http,
  base: string,
  unexpected: (answer: Answer, what: string) => Error,
): Promise<number> {
  const answer = await http.send({ method: 'GET', url: `${base}/` });
  if (answer.status !== 200) throw unexpected(answer, 'hello');
  const hello = parseDocument(await readDocument(() => answer.read(), DOCUMENT_CHARS_MAX));
  const settings = member(hello, 'settings');
  for (const prefix of ['', 'kinto.', 'cliquet.']) {
    const max = member(settings, `${prefix}batch_max_requests`);
    if (Number.isSafeInteger(max) && Number(max) > 0) return Number(max);
  }
  return BATCH_MAX_DEFAULT;
}
