// A record that was asked for by its id, as both protocols answer: it is that one, or there is
// none.

import { badResponse } from '../../errors.ts';
import { parseInTurns, readDocument } from '../../wire/document.ts';
import type { Answer } from '../../wire/http.ts';
import { envelopeOf, type ReadEnvelope } from '../listing.ts';
import type { Fetched } from '../remote.ts';
import { unexpected } from './statuses.ts';

/**
 * Reads the answer to a request for `id`. Errors: `badResponse` for anything else than that record,
 * and past `charsMax` characters; those of the status, those of reading.
 */
export async function fetchedOf(
  answer: Answer,
  collection: string,
  id: string,
  charsMax: number,
  read: ReadEnvelope,
): Promise<Fetched> {
  if (answer.status === 404) {
    answer.cancel();
    return { kind: 'missing' };
  }
  if (answer.status !== 200) throw unexpected(answer, `${collection}/${id}`);
  const text = await readDocument(() => answer.read(), charsMax);
  const listed = envelopeOf(await parseInTurns(text, answer.pause), text.length, read);
  if (listed.ok && listed.envelope.id === id) {
    return { kind: 'found', envelope: listed.envelope, serverNowMs: answer.serverNowMs };
  }
  throw badResponse(`${collection}/${id}: the answer is not that record`);
}
