// Records as a Kinto lists them: a page of them oldest first, or one by its id.
// Source: Kinto HTTP API 1.x (records, timestamps).

import { badResponse } from '../../errors.ts';
import { JSON_DEPTH_MAX, PAGE_RECORDS_MAX } from '../../limits.ts';
import { member, parseInTurns, readDocument } from '../../wire/document.ts';
import { etagMs, header } from '../../wire/headers.ts';
import type { Answer } from '../../wire/http.ts';
import { createSplitter } from '../../wire/records.ts';
import { envelopeOf, listingPage, type ReadEnvelope } from '../listing.ts';
import type { Fetched, Listed, Page } from '../remote.ts';
import { createProgress, type Place, type Polled, positionOf, sinceOf } from './position.ts';
import { unexpected } from './statuses.ts';

/** The record that names what the others belong to had this id in all collections. */
export const OLD_EPOCH_ID = 'epoch';

/** It is no record of apps: see epoch.ts. */
const isEpochId = (id: string): boolean => id === OLD_EPOCH_ID || id.startsWith('epoch-');

/** How the records of a collection lie on the server. */
export interface Form {
  readonly read: ReadEnvelope;
  /** What a record there is made of, beside what Kinto gives it. */
  data(payload: string): unknown;
  /** That is one member: to change it is to replace the record. */
  readonly isOneMember: boolean;
  /** What no server stores, and some answer as if they were out of order; left out: nothing is. */
  isUnstorable?(payload: string): boolean;
  /** Whether a record with this id is none of apps'. */
  isOwn(id: string): boolean;
}

const readSealed: ReadEnvelope = (value) => {
  const [id, modifiedMs, payload, deleted] = ['id', 'last_modified', 'payload', 'deleted'].map(
    (name) => member(value, name),
  );
  return { id, modifiedMs, payload, deleted: deleted === true && payload === undefined };
};

export const SEALED: Form = {
  read: readSealed,
  data: (payload) => ({ payload }),
  isOneMember: true,
  isOwn: isEpochId,
};

/** What of the URL's query asks for the page at this place. `serverNowMs`: 0, it is not known. */
export function listQuery(place: Place, serverNowMs: number): string {
  const since = sinceOf(place, serverNowMs);
  const { token } = place;
  return [
    '?_sort=last_modified',
    `&_limit=${PAGE_RECORDS_MAX}`,
    since === null ? '' : `&_since=${since}`,
    token === null ? '' : `&_token=${encodeURIComponent(token)}`,
  ].join('');
}

interface Asked {
  readonly form: Form;
  /** What a poll has said before it. */
  readonly polled: Polled;
  /** The server's time in the query for it. */
  readonly askedMs: number;
}

export function recordsPage(
  answer: Answer,
  recordCharsMax: number,
  place: Place,
  { form, polled, askedMs }: Asked,
): Page & { readonly tagMs: number } {
  const splitter = createSplitter({ recordCharsMax, depthMax: JSON_DEPTH_MAX, member: 'data' });
  const token = (): string | null => tokenOf(header(answer.headers, 'next-page'));
  const tagMs = etagMs(answer.headers) ?? 0;
  const progress = createProgress(place, { tagMs, polled, serverNowMs: askedMs });
  const page = listingPage(answer, splitter, form.read, { serverNowMs: answer.serverNowMs });
  const epochs: Listed[] = [];
  return {
    ...page,
    tagMs,
    async next(out) {
      const more = await page.next(out);
      for (let at = 0; at < out.length; ) {
        const one = out[at];
        if (one?.ok && form.isOwn(one.envelope.id)) epochs.push(...out.splice(at, 1));
        else at++;
      }
      return more;
    },
    hasNext: () => token() !== null,
    position(taken, isEnd) {
      const unlisted = epochs.splice(0);
      return positionOf(progress(taken, isEnd ? token() : null, isEnd, unlisted));
    },
  };
}

/**
 * Reads the answer to a request for `id`. Errors: `badResponse` for anything else than that record,
 * and past `charsMax` characters; those of the status, those of reading.
 */
export async function fetchedOf(
  answer: Answer,
  id: string,
  charsMax: number,
  form = SEALED,
): Promise<Fetched> {
  if (answer.status === 404) {
    answer.cancel();
    return { kind: 'missing' };
  }
  if (answer.status !== 200) throw unexpected(answer, id);
  const text = await readDocument(() => answer.read(), charsMax);
  const data = member(await parseInTurns(text, answer.pause), 'data');
  return foundOf(data, id, text.length, answer.serverNowMs, form) ?? notThat(id);
}

/** A record of an answer that was read already; null: it is not that record. */
export function foundOf(
  data: unknown,
  id: string,
  chars: number,
  serverNowMs: number | null,
  form = SEALED,
): Fetched | null {
  const listed = envelopeOf(data, chars, form.read);
  if (!listed.ok || listed.envelope.id !== id) return null;
  return { kind: 'found', envelope: listed.envelope, serverNowMs };
}

function notThat(id: string): never {
  throw badResponse(`${id}: the answer is not that record`);
}

/** The `_token` of a Next-Page URL, whose host may be wrong behind a proxy and is not used. */
function tokenOf(nextPage: string | null): string | null {
  if (nextPage === null) return null;
  const match = /[?&]_token=([A-Za-z0-9_=%.-]{1,2048})(?:&|$)/.exec(nextPage);
  if (match === null) throw badResponse('Next-Page: no _token in it');
  try {
    return decodeURIComponent(match[1] ?? '');
  } catch (error) {
    if ((error as Error | null)?.name !== 'URIError') throw error;
    throw badResponse('Next-Page: _token is not percent-encoded');
  }
}
