// Where a JSON value ends, however the text is cut into pieces.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLexer } from './lexer.ts';

const DEPTH_MAX = 4;

/** The marks that end values, with their positions in the whole text. */
function marksOf(pieces: readonly string[], depthMax = DEPTH_MAX): string[] {
  const lexer = createLexer(depthMax);
  const found: string[] = [];
  let before = 0;
  for (const piece of pieces) {
    for (let at = lexer.next(piece, 0); at >= 0; at = lexer.next(piece, at + 1)) {
      found.push(`${piece[at]}${before + at}`);
    }
    before += piece.length;
  }
  return found;
}

test.each([
  ['1,2]', [',1', ']3']],
  ['"a":{"b":[1,{"c":2}]},"d":3}', [':3', ',21', ':25', '}27']],
  ['[1,2],{}]', [',5', ']8']],
  ['1],2]}', [']1', ',2', ']4', '}5']],
  ['"[,]{:}",""]', [',8', ']11']],
  ['"\\"",1]', [',4', ']6']],
  ['"\\\\",1]', [',4', ']6']],
  ['"\\\\\\",1],",2]', [',10', ']12']],
  ['"a', []],
  ['[[1', []],
])('%s', (text, marks) => {
  expect(marksOf([text])).toEqual(marks);
});

test('every way to cut a text into two finds the same', () => {
  const text = '"a\\\\\\"b\\\\":{"c":"]\\"}","d":[1,"\\\\"]},"":"\\\\\\\\",7]';
  const whole = marksOf([text]);
  expect(whole.length).toBeGreaterThan(4);
  for (let at = 0; at <= text.length; at++) {
    expect(marksOf([text.slice(0, at), text.slice(at)]), `cut at ${at}`).toEqual(whole);
  }
});

test('every character by itself, with empty pieces between, finds the same', () => {
  const letters = fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', 'a', '1');
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 40 }), (chars) => {
      const found = (pieces: readonly string[]): string[] => {
        try {
          return marksOf(pieces);
        } catch (error) {
          return [`${error}`];
        }
      };
      expect(found(chars.flatMap((char) => [char, '']))).toEqual(found([chars.join('')]));
    }),
    { numRuns: 500 },
  );
});

test('of a JSON text between brackets, its end is found and nothing before it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), (text) => {
      expect(marksOf([`${text}]`], 40)).toEqual([`]${text.length}`]);
    }),
  );
});

describe('nesting', () => {
  test('may be as deep as is allowed, again and again', () => {
    const deep = `${'['.repeat(DEPTH_MAX)}${']'.repeat(DEPTH_MAX)}`;
    expect(marksOf([`${deep},${deep}]`])).toEqual([`,${deep.length}`, `]${2 * deep.length + 1}`]);
  });

  test.each(['[', '{'])('that is deeper is a bad answer: %s', (open) => {
    expect(() => marksOf([open.repeat(DEPTH_MAX + 1)])).toThrow(
      expect.objectContaining({ code: 'badResponse', message: 'JSON nests deeper than 4' }),
    );
  });

  test('inside of a string is none', () => {
    expect(marksOf([`"${'['.repeat(DEPTH_MAX + 1)}"]`])).toEqual([']7']);
  });
});
