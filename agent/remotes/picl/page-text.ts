// The text of a page while it arrives. Of a string that is too long for this device nothing stays
// but its hash, which is all that the chain wants of it; in its place is a negative number, which
// no member of a change may be. So the longest change takes no more memory than any other.

import { jsonOf } from '../../../crypto/engine.ts';
import { piecesHash, textReader } from '../../../crypto/text-hash.ts';
import { turnTaker } from '../../../crypto/turn.ts';
import { isWellFormed } from '../../../crypto/utf8.ts';
import { PIECE_CHARS_MAX } from '../../limits.ts';
import { notA } from '../../wire/document.ts';
import type { Answer } from '../../wire/http.ts';
import { createStringEnd } from '../../wire/lexer.ts';
import { SKIP_CHARS_MAX } from '../../wire/records.ts';
import type { Unread } from './scheme.ts';

interface PageText {
  readonly text: string;
  /** As it came. */
  readonly chars: number;
  /** What was left out: the first one is -1 in the text, the second one -2. */
  readonly unread: readonly Unread[];
}

/**
 * Null: without its longest strings it is still longer than `charsMax`, or one has no end.
 * Errors: `badResponse` where such a string is none of JSON; those of reading.
 */
export async function pageText(
  answer: Answer,
  charsMax: number,
  stringCharsMax: number,
): Promise<PageText | null> {
  const cutter = createCutter(stringCharsMax, answer.pause);
  let chars = 0;
  /** As long as all of it is not too long, no string of it is: most pages are never looked at. */
  let start = '';
  for (let piece = await answer.read(); piece !== null; piece = await answer.read()) {
    chars += piece.length;
    start += piece;
    if (chars <= Math.min(charsMax, stringCharsMax)) continue;
    if (chars > stringCharsMax) {
      await cutter.push(start);
      start = '';
      if (cutter.heldChars() <= charsMax && cutter.longChars() <= SKIP_CHARS_MAX) continue;
    }
    answer.cancel();
    return null;
  }
  const { text, unread } = cutter.end();
  return { text: text + start, chars, unread };
}

function createCutter(stringCharsMax: number, pause: () => Promise<void>) {
  const unread: Unread[] = [];
  const stringEnd = createStringEnd();
  let text = '';
  /** What is held of the string that is open; null: none is. */
  let string: string | null = null;
  let long: ReturnType<typeof longString> | null = null;

  return {
    async push(piece: string): Promise<void> {
      for (let at = 0; at <= piece.length; at++) {
        const quote = string === null ? piece.indexOf('"', at) : stringEnd(piece, at);
        const end = quote < 0 ? piece.length : quote;
        const part = piece.slice(at, end);
        at = end;
        if (string === null) {
          text += part;
          if (quote >= 0) string = '';
          continue;
        }
        string += part;
        if (long !== null || string.length > stringCharsMax) {
          long ??= longString(pause);
          await long.add(string);
          string = '';
        }
        if (quote < 0) continue;
        text += long === null ? `"${string}"` : -unread.push(long.end());
        long = null;
        string = null;
      }
    },
    heldChars: () => text.length + (string?.length ?? 0),
    longChars: () => long?.chars() ?? 0,
    /** What ends within a string is no JSON, with it or without it. */
    end: () => ({ text: string === null ? text : `${text}"${string}`, unread }),
  };
}

/** A string of JSON, without its quotes, that is hashed as what it means. */
function longString(pause: () => Promise<void>) {
  const hash = piecesHash(textReader(turnTaker(pause), 0));
  let chars = 0;
  /** What does not mean anything before more of it comes, as it came, and as it means. */
  let rest = '';
  let half = '';
  let isText = true;

  async function addPiece(piece: string): Promise<void> {
    const raw = rest + piece;
    const end = raw.length - openEscapeChars(raw);
    rest = raw.slice(end);
    const means = half + unquoted(raw.slice(0, end));
    half = /[\ud800-\udbff]$/.test(means) ? means.slice(-1) : '';
    const whole = means.slice(0, means.length - half.length);
    isText &&= isWellFormed(whole);
    if (isText) await hash.add(whole);
  }

  return {
    chars: () => chars,
    async add(raw: string): Promise<void> {
      chars += raw.length;
      for (let at = 0; at < raw.length; at += PIECE_CHARS_MAX) {
        await addPiece(raw.slice(at, at + PIECE_CHARS_MAX));
      }
    },
    /** Half a surrogate pair has no hash. */
    end(): Unread {
      if (rest !== '') throw notA('JSON', '');
      return { sha256: isText && half === '' ? hash.end() : '' };
    },
  };
}

/** How long an escape at the end is that has not ended. */
function openEscapeChars(raw: string): number {
  const [, slashes = '', code = ''] = /(\\+)(u[\da-fA-F]{0,3})?$/.exec(raw) ?? [];
  return slashes.length % 2 === 0 ? 0 : 1 + code.length;
}

function unquoted(raw: string): string {
  const means = jsonOf(`"${raw}"`);
  if (typeof means === 'string') return means;
  throw notA('JSON', '');
}
