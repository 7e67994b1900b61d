// How servers of ours refuse: a status, and a word for the reason with what belongs to it. Which
// words there are, each server says.

import { type HeaderValues, HttpError } from './http.ts';

/** `details` of a refusal: members beside the word. */
export function refusals<Word extends string>(statuses: Readonly<Record<Word, number>>) {
  return (
    error: Word,
    details: Readonly<Record<string, unknown>> = {},
    headers: HeaderValues = {},
  ): HttpError => new HttpError(statuses[error], { error, ...details }, headers);
}
