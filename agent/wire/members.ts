// Takes a JSON object apart while it arrives: the name of each member, and then the text of its
// value in the pieces that came. It holds a name, and no value: a document of any length passes
// through, and what somebody else wrote stays as it was written. Whether a value is JSON is for its
// reader to find out.

import { jsonOf } from '../../crypto/engine.ts';
import { badResponse, SyncError } from '../errors.ts';
import { notA } from './document.ts';
import { createLexer } from './lexer.ts';

/** A member begins, or a piece of its value follows; the last one may be empty. */
export type MemberPart =
  | { readonly name: string }
  | { readonly text: string; readonly isLast: boolean };

interface Members {
  /**
   * Reads the next piece of the document and appends what is in it to `out`.
   * Errors: SyncError `badResponse` when this is no object, a name is longer than allowed, or what
   * is in it nests too deeply; the rest of the document is of no use then.
   */
  push(chunk: string, out: MemberPart[]): void;
  /** There are no more pieces. Errors: SyncError `truncated` when the object has not ended. */
  end(): void;
}

/** `nameCharsMax`: of a name as it is written, `depthMax`: `{` and `[` open at once in a value. */
export function createMembers(nameCharsMax: number, depthMax: number): Members {
  const lexer = createLexer(depthMax);
  let state: 'open' | 'name' | 'value' | 'done' = 'open';
  let written = '';
  let isFirst = true;

  const closeName = (mark: string | undefined, out: MemberPart[]): void => {
    const name = jsonOf(written);
    const isNone = mark === '}' && isFirst && written.trim() === '';
    if (isNone) state = 'done';
    else if (mark === ':' && typeof name === 'string') {
      out.push({ name });
      state = 'value';
    } else throw badObject(written);
    isFirst = false;
    written = '';
  };

  const closeValue = (mark: string | undefined): void => {
    if (mark !== ',' && mark !== '}') throw badObject();
    state = mark === ',' ? 'name' : 'done';
  };

  /** The place of the object's bracket, or of what comes behind its end; -1: there is none. */
  const bracket = (chunk: string, at: number): number => {
    const found = chunk.slice(at).search(/[^ \t\n\r]/);
    if (found < 0) return -1;
    if (state === 'done' || chunk[at + found] !== '{') throw badObject(chunk.slice(at));
    return at + found;
  };

  return {
    push(chunk, out) {
      for (let at = 0; at < chunk.length; at++) {
        if (state === 'open' || state === 'done') {
          at = bracket(chunk, at);
          if (at < 0) return;
          state = 'name';
          continue;
        }
        const end = lexer.next(chunk, at);
        const text = chunk.slice(at, end < 0 ? chunk.length : end);
        if (state === 'value') out.push({ text, isLast: end >= 0 });
        else {
          written += text;
          if (written.length > nameCharsMax) throw tooLong(nameCharsMax);
        }
        if (end < 0) return;
        if (state === 'value') closeValue(chunk[end]);
        else closeName(chunk[end], out);
        at = end;
      }
    },
    end() {
      if (state !== 'done') throw new SyncError('truncated', 'the document has no end');
    },
  };
}

function tooLong(nameCharsMax: number): SyncError {
  return badResponse(`a name in the document has more than ${nameCharsMax} characters`);
}

function badObject(start = ''): SyncError {
  return notA('an object', start);
}
