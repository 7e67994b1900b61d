// Writers of one bucket, one after the other. A Kinto on PostgreSQL judges `If-Match` before it
// locks the record: of two writers who replace one version at the same moment, on two processes,
// both are told 200, and what the first has written is gone. A batch is one transaction there, and
// whoever changes a row holds it until the end of theirs: a batch that begins with a change of the
// bucket is judged when the writer before it is done. That change changes nothing but a stamp that
// nobody reads. What was not there before needs no turn: two that make it meet in an index.
// Source: what Kinto 26.5.0 was seen to do.

import type { NoAnswers, Part, PartAnswer } from './batch.ts';
import type { Kinto } from './http.ts';

/** A change that is asked so is answered without what was changed. */
export const BRIEFLY = { 'Response-Behavior': 'diff' };

export function isBrief({ headers }: Part): boolean {
  return headers?.['Response-Behavior'] !== undefined;
}

/** As it is answered at length: Kinto's quotas, up to its version 19, break at a short answer. */
export function atLength(part: Part): Part {
  const { 'Response-Behavior': _, ...headers } = part.headers ?? {};
  return { ...part, headers };
}

/** Whether what is there has to be the version that this was made from. */
export function isReplacing({ headers }: Part): boolean {
  return headers?.['If-Match'] !== undefined;
}

/**
 * Sends these in one batch, when it is their turn. A race (409) ends the transaction, and the turn
 * with it: then all of them have met it. Who may not change the bucket has no turn. Errors: as
 * `Kinto.send`.
 */
export async function inTurn(
  kinto: Kinto,
  path: string,
  parts: readonly Part[],
): Promise<PartAnswer[] | NoAnswers> {
  const answers = await kinto.send([{ ...TURN, path }, ...parts]);
  if (typeof answers === 'string') return answers;
  const race = answers.find(({ status }) => status === RACE);
  return race === undefined ? answers.slice(1) : parts.map(() => race);
}

const TURN: Omit<Part, 'path'> = { method: 'PATCH', body: { data: {} } };
const RACE = 409;
