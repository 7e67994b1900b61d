// Cuts a list of records into the texts of its records while it arrives, for the engine's own
// JSON.parse. It holds at most one record, and of one that is too long nothing but its id. What a
// record's text says, and whether it is JSON at all, is for the caller to find out: one bad record
// spoils no other.

import { SyncError } from '../errors.ts';
import { notA } from './document.ts';
import { createLexer } from './lexer.ts';

/**
 * Characters that may pass without a record ending: more than any public server stores in one (2.5
 * MiB).
 */
export const SKIP_CHARS_MAX = 4_194_304;

interface SplitOptions {
  /** Longer records are skipped and reported. */
  readonly recordCharsMax: number;
  /** `{` and `[` that may be open at once within one record. */
  readonly depthMax: number;
  /** The member of the document that is the list; null: the document itself is. */
  readonly member: string | null;
}

/**
 * One entry of the list, whatever it is: its text, or that it was too long (`idHint` is its id
 * where that was written first, else null).
 */
export type SplitItem =
  | { readonly text: string }
  | { readonly tooLarge: true; readonly idHint: string | null; readonly chars: number };

export interface Splitter {
  /**
   * Reads the next piece of the document and appends the records that ended in it to `out`.
   * Errors: SyncError `badResponse` when this is not the expected document; the splitter is of no
   * use afterwards.
   */
  push(chunk: string, out: SplitItem[]): void;
  /** There are no more pieces. Errors: SyncError `truncated` when the document is not complete. */
  end(out: SplitItem[]): void;
}

/** Enough of a record's start to find its id in. */
const HEAD_CHARS = 256;
const ID_FIRST = /^\s*\{\s*"id"\s*:\s*"([^"\\]{1,64})"/;
const BLANKS = ' \t\n\r';

/**
 * What is read next: the document's or the list's bracket, a name, a value of no interest, a
 * record, a comma.
 */
type State = 'open' | 'name' | 'value' | 'list' | 'record' | 'after' | 'done';

/** What opens the document and the list; behind the document there is nothing. */
const BRACKET = { open: '{', list: '[', done: undefined };

/**
 * Splits `{"<member>":[record, record], ...}`, where other members, before or after, are skipped;
 * or a list alone.
 */
export function createSplitter(options: SplitOptions): Splitter {
  const lexer = createLexer(options.depthMax);
  const part = createPart(options.recordCharsMax);
  const isBare = options.member === null;
  let state: State = isBare ? 'list' : 'open';
  let hasList = isBare;
  let recordCount = 0;
  let quietChars = 0;

  /** `item` has ended with `mark`: what comes next. */
  function close(item: SplitItem, mark: string | undefined, out: SplitItem[]): State {
    if (state === 'record' && (mark === ',' || mark === ']')) {
      if (!isBlank(item)) out.push(item);
      else if (mark === ',' || recordCount > 0) throw badDocument();
      recordCount++;
      return mark === ',' ? 'record' : isBare ? 'done' : 'after';
    }
    if (state === 'name' && mark === ':' && 'text' in item) {
      if (item.text.trim() !== `"${options.member}"`) return 'value';
      if (hasList) throw badDocument();
      hasList = true;
      return 'list';
    }
    if (state === 'value' || (state === 'after' && isBlank(item))) {
      if (mark === ',') return 'name';
      if (mark === '}' && hasList) return 'done';
    }
    throw badDocument();
  }

  return {
    push(chunk, out) {
      for (let at = 0; at < chunk.length; at++) {
        if (state === 'open' || state === 'list' || state === 'done') {
          at = skipBlanks(chunk, at);
          if (at === chunk.length) break;
          if (chunk[at] !== BRACKET[state]) throw badDocument(chunk[at]);
          state = state === 'open' ? 'name' : 'record';
        } else {
          const end = lexer.next(chunk, at);
          if (end < 0) {
            part.add(chunk.slice(at));
            break;
          }
          if (state === 'record') quietChars = -end;
          state = close(part.take(chunk.slice(at, end)), chunk[end], out);
          at = end;
        }
      }
      quietChars += chunk.length;
      if (quietChars > SKIP_CHARS_MAX) throw badDocument();
    },
    end() {
      if (state !== 'done') throw truncated();
    },
  };
}

/**
 * Splits `application/newlines`: one record a line, the last one with or
 * without its newline. Blank lines are nothing. A last line without a newline that does not end as
 * an object does was cut. A server that knows no lines answers with a JSON list, which is split as
 * that.
 */
export function createLineSplitter(options: Omit<SplitOptions, 'member'>): Splitter {
  const part = createPart(options.recordCharsMax);
  let list: Splitter | null = null;
  let isFirst = true;
  let quietChars = 0;

  function close(end: string, out: SplitItem[]): void {
    const item = part.take(end);
    if (!isBlank(item)) out.push(item);
  }

  return {
    push(chunk, out) {
      if (isFirst) {
        const start = skipBlanks(chunk, 0);
        if (chunk[start] === '[') list = createSplitter({ ...options, member: null });
        else if (start < chunk.length && chunk[start] !== '{') throw badDocument(chunk[start]);
        isFirst = start === chunk.length;
      }
      if (list !== null) return list.push(chunk, out);
      let from = 0;
      for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', from)) {
        close(chunk.slice(from, end), out);
        from = end + 1;
        quietChars = -from;
      }
      part.add(chunk.slice(from));
      quietChars += chunk.length;
      if (quietChars > SKIP_CHARS_MAX) throw badDocument();
    },
    end(out) {
      if (list !== null) return list.end(out);
      const item = part.take('');
      if (isBlank(item)) return;
      if ('text' in item && !/\}\s*$/.test(item.text)) throw truncated();
      out.push(item);
    },
  };
}

/** One text put together from pieces, as long as it is not too long. */
function createPart(charsMax: number) {
  let text = '';
  let chars = 0;

  function add(piece: string): void {
    chars += piece.length;
    // Nothing reads the text before it is whole: an engine keeps such sums as ropes, and each piece
    // is copied once.
    text =
      chars <= charsMax ? text + piece : (text + piece.slice(0, HEAD_CHARS)).slice(0, HEAD_CHARS);
  }

  /** The text with its last piece; the next one begins. */
  function take(piece: string): SplitItem {
    if (chars === 0 && piece.length <= charsMax) return { text: piece };
    add(piece);
    const item: SplitItem =
      chars > charsMax ? { tooLarge: true, idHint: idHint(text), chars } : { text };
    text = '';
    chars = 0;
    return item;
  }

  return { add, take };
}

/**
 * The id at the start of a record's text, where it is written first; the rest of the text may be
 * broken.
 */
export function idHint(text: string): string | null {
  return ID_FIRST.exec(text)?.[1] ?? null;
}

function isBlank(item: SplitItem): boolean {
  return (
    'text' in item &&
    !(item.text.charCodeAt(0) > 32) &&
    skipBlanks(item.text, 0) === item.text.length
  );
}

function skipBlanks(chunk: string, from: number): number {
  let at = from;
  while (at < chunk.length && BLANKS.includes(chunk.charAt(at))) at++;
  return at;
}

function truncated(): SyncError {
  return new SyncError('truncated', 'the list of records has no end');
}

function badDocument(start = ''): SyncError {
  return notA('a list of records', start);
}
