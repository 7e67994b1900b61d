// Finds where a JSON value ends, in text that arrives in pieces, without building the value.
// It keeps three small facts (nesting, inside a string, after a backslash) and no text, needs no
// recursion, and jumps from quote to quote: what is inside strings costs next to nothing. It does
// not check the grammar: whoever parses the value's text does.

import { badResponse } from '../errors.ts';

interface Lexer {
  /**
   * Reads `chunk` from `from`. The position of the next `,` `:` `]` or `}` that belongs to none of
   * the values opened since the last call, or -1 if the chunk ends before.
   * Errors: SyncError `badResponse` for nesting deeper than allowed.
   */
  next(chunk: string, from: number): number;
}

/** `depthMax`: how many `{` and `[` may be open at once. */
export function createLexer(depthMax: number): Lexer {
  const findStringEnd = createStringEnd();
  let depth = 0;
  let isInString = false;

  return {
    next(chunk, from) {
      const end = chunk.length;
      let at = from;
      if (isInString) {
        at = findStringEnd(chunk, at) + 1;
        if (at === 0) return -1;
        isInString = false;
      }
      for (; at < end; at++) {
        const code = chunk.charCodeAt(at);
        if (code === 34) {
          at = findStringEnd(chunk, at + 1);
          if (at < 0) {
            isInString = true;
            return -1;
          }
        } else if (code > 90) {
          if (code === 123 || code === 91) {
            if (++depth > depthMax) throw badResponse(`JSON nests deeper than ${depthMax}`);
          } else if (code === 125 || code === 93) {
            if (--depth < 0) {
              depth = 0;
              return at;
            }
          }
        } else if (depth === 0 && (code === 44 || code === 58)) {
          return at;
        }
      }
      return -1;
    },
  };
}

/**
 * Finds the position of a string's closing quote behind `from`, or -1 if the chunk ends before: the
 * next chunk goes on with the same string.
 */
export function createStringEnd(): (chunk: string, from: number) => number {
  /** The last chunk ended in the middle of an escape. */
  let isCutEscape = false;

  /** The backslashes that end at `at`, counted back to `from`, escape what comes next. */
  function isAfterEscape(chunk: string, from: number, at: number): boolean {
    let start = at;
    while (start > from && chunk.charCodeAt(start - 1) === 92) start--;
    return ((at - start) % 2 === 1) !== (start === from && isCutEscape);
  }

  return (chunk, from) => {
    for (let at = from; ; ) {
      const quote = chunk.indexOf('"', at);
      if (quote < 0) {
        isCutEscape = isAfterEscape(chunk, at, chunk.length);
        return -1;
      }
      const isEscaped = isAfterEscape(chunk, at, quote);
      isCutEscape = false;
      if (!isEscaped) return quote;
      at = quote + 1;
    }
  };
}
