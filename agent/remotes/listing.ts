// What protocols share in reading a list of records: pieces of the answer in, records out, each
// judged by itself. It holds one piece of the answer and what the splitter holds; one bad record
// spoils no other.

import { escapeId, isRecordId } from '../collections/record-id.ts';
import { SyncError } from '../errors.ts';
import { PIECE_CHARS_MAX, STAMP_MS_MAX } from '../limits.ts';
import { parseRecord } from '../wire/document.ts';
import type { Answer } from '../wire/http.ts';
import { idHint, type SplitItem, type Splitter } from '../wire/records.ts';
import type { Listed, Page } from './remote.ts';

/** `read` finds the three members of an envelope in a parsed record. */
export type ReadEnvelope = (value: unknown) => {
  readonly id: unknown;
  readonly modifiedMs: unknown;
  readonly payload: unknown;
  /** The wire says that it is deleted; left out: no wire of this protocol does. */
  readonly deleted?: boolean;
};

/**
 * A page whose records are split off by `splitter`; `rest` is what the answer's headers say,
 * `count` how many records they announce. Errors while it is read: `truncated` when there were
 * fewer, those of answer and splitter.
 */
export function listingPage<T extends object>(
  answer: Answer,
  splitter: Splitter,
  read: ReadEnvelope,
  rest: T,
  count = 0,
): T & Pick<Page, 'next' | 'cancel'> {
  const items: SplitItem[] = [];
  let missing = count;
  let piece = '';
  let ended = false;
  return {
    ...rest,
    async next(out) {
      if (piece === '') {
        const chunk = await answer.read();
        piece = chunk ?? '';
        ended = chunk === null;
      }
      if (ended) splitter.end(items);
      else splitter.push(piece.slice(0, PIECE_CHARS_MAX), items);
      piece = piece.slice(PIECE_CHARS_MAX);
      for (const item of items) {
        const listed = listedOf(item, read, answer.pause);
        out.push(listed instanceof Promise ? await listed : listed);
      }
      missing -= items.length;
      items.length = 0;
      if (ended && missing > 0) {
        throw new SyncError('truncated', `${missing} of ${count} records did not arrive`);
      }
      return !ended;
    },
    cancel: () => answer.cancel(),
  };
}

/** A parsed record as an envelope, or why it is none. `chars`: the length of its text. */
export function envelopeOf(value: unknown, chars: number, read: ReadEnvelope): Listed {
  const { id, modifiedMs, payload: sealed, deleted = false } = read(value);
  const payload = deleted ? null : typeof sealed === 'string' ? sealed : undefined;
  if (!isRecordId(id)) return spoilt(id, 'badId', chars);
  const timeMs = Number.isInteger(modifiedMs) ? Number(modifiedMs) : -1;
  const isTime = timeMs >= 0 && timeMs <= STAMP_MS_MAX;
  if (!isTime || payload === undefined) return { ok: false, id, code: 'badEnvelope', chars };
  const envelope = { id, version: `${timeMs}`, modifiedMs: timeMs, payload };
  return { ok: true, envelope, chars };
}

function listedOf(
  item: SplitItem,
  read: ReadEnvelope,
  pause: () => Promise<void>,
): Listed | Promise<Listed> {
  if ('tooLarge' in item) return spoilt(item.idHint, 'tooLarge', item.chars);
  const { text } = item;
  const good = (value: unknown): Listed => envelopeOf(value, text.length, read);
  const bad = (error: unknown): Listed => {
    if (!(error instanceof SyntaxError) && !(error instanceof SyncError)) throw error;
    return spoilt(idHint(text), 'badEnvelope', text.length);
  };
  try {
    const value = parseRecord(text, pause);
    return value instanceof Promise ? value.then(good, bad) : good(value);
  } catch (error) {
    return bad(error);
  }
}

/**
 * Without an id that can be used, its name is what is known of it: the same at every listing, and
 * nobody's id.
 */
function spoilt(id: unknown, code: string, chars: number): Listed {
  const known = typeof id === 'string' ? escapeId(id).slice(0, NAME_CHARS_MAX) : chars;
  return { ok: false, id: isRecordId(id) ? id : `${code} ${known}`, code, chars };
}

/** With a code before it, and every character escaped, it fits a storage key. */
const NAME_CHARS_MAX = 64;
