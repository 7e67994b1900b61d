// The document on the wire: taken apart as it comes, sent as it is made. Nobody holds it whole.

import { badResponse, SyncError } from '../../errors.ts';
import { type Give, streamedBody, written } from '../../wire/body.ts';
import { decimalHeader } from '../../wire/headers.ts';
import { type Answer, JSON_BODY } from '../../wire/http.ts';
import { createMembers, type MemberPart } from '../../wire/members.ts';
import type { Position, RemoteOptions } from '../remote.ts';
import { DEPTH_MAX, DOCUMENT_CHARS_MAX, NAME_WRITTEN_MAX } from './limits.ts';
import type { Polls } from './polls.ts';
import type { Session } from './session.ts';
import { isAhead, isBehind, positionIn, sinceOf } from './since.ts';
import { unexpected } from './statuses.ts';

/** A document while it comes. */
export interface Reading {
  /** The position behind it. */
  readonly at: Position;
  /** It has changed since that position. */
  isNewer(than: Position): boolean;
  /**
   * Appends what the next piece has; false at the end. Errors: `badResponse` for what is no
   * document, or is longer than it may be, `truncated`; those of the answer.
   */
  next(out: MemberPart[]): Promise<boolean>;
  cancel(): void;
}

/**
 * The document, null if it is as it was at that position. `heard` is told whether it is, and what
 * the server says beside that. Errors: those of the session, `badResponse`.
 */
export async function readDocument(
  session: Session,
  at: Position,
  heard: Polls['heard'] = () => undefined,
): Promise<Reading | null> {
  const since = sinceOf(at);
  const headers = since === null ? [] : [['X-If-Modified-Since', since] as const];
  const answer = await session.send({ method: 'GET', headers: [...headers, NO_CACHE] });
  const { status } = answer;
  heard(status === 200, answer.headers);
  if (status === 200) return readingOf(answer);
  const isAsked = since !== null;
  if (status !== 204 && status !== 404 && !(status === 304 && isAsked)) {
    throw unexpected(answer, 'document');
  }
  answer.cancel();
  if (status !== 404 && isAsked) {
    return isBehind(answer.headers, at) ? readDocument(session, '') : null;
  }
  // Nobody has ever sent one.
  return {
    ...placesIn(answer),
    next: async () => false,
    cancel: () => undefined,
  };
}

function placesIn({ headers }: Answer): Pick<Reading, 'at' | 'isNewer'> {
  return { at: positionIn(headers), isNewer: (than) => isAhead(headers, than) };
}

const NO_CACHE = ['Cache-Control', 'no-cache'] as const;

function readingOf(answer: Answer): Reading {
  const members = createMembers(NAME_WRITTEN_MAX, DEPTH_MAX);
  let chars = 0;
  const check = (length: number): void => {
    if (length <= DOCUMENT_CHARS_MAX) return;
    answer.cancel();
    throw badResponse(`the document is longer than ${DOCUMENT_CHARS_MAX} characters`);
  };
  return {
    ...placesIn(answer),
    async next(out) {
      check((decimalHeader(answer.headers, 'content-length') ?? 0) / BYTES_OF_A_CHAR);
      const piece = await answer.read();
      if (piece === null) {
        if (chars === 0) throw badResponse('the document is empty');
        members.end();
        return false;
      }
      chars += piece.length;
      check(chars);
      members.push(piece, out);
      await answer.pause();
      return true;
    },
    cancel: () => answer.cancel(),
  };
}

/** At most, in UTF-8. */
const BYTES_OF_A_CHAR = 3;

/**
 * The document is made as it leaves: `write` is called for each time that it is sent. `verb`: some
 * servers take the one, some the other. Errors: `tooLarge` for one that is longer than it may be;
 * those of the session.
 */
export function sendDocument(
  { abort }: RemoteOptions,
  session: Session,
  verb: 'POST' | 'PUT',
  since: string | null,
  write: (give: Give) => Promise<void>,
): Promise<Answer> {
  const unless = since === null ? [] : [['X-If-Unmodified-Since', since] as const];
  const measured = async (give: Give): Promise<void> => {
    let chars = 0;
    await write((part) => {
      chars += part.length;
      if (chars <= DOCUMENT_CHARS_MAX) return give(part);
      const why = `the document has more than ${DOCUMENT_CHARS_MAX} characters`;
      throw new SyncError('tooLarge', why);
    });
  };
  return session.send({
    method: verb,
    headers: [...unless, JSON_BODY],
    body: streamedBody(abort, () => written(measured)),
  });
}
