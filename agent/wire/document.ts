// Small JSON documents, read whole: bounded in length and nesting before the engine's parser sees
// them.

import { jsonOf } from '../../crypto/engine.ts';
import { flatBytes, JsonTooLarge, longJsonUnits } from '../../crypto/json.ts';
import { parseLongJson } from '../../crypto/long-json.ts';
import { badResponse, type SyncError } from '../errors.ts';
import { DOCUMENT_VALUES_MAX, JSON_DEPTH_MAX } from '../limits.ts';
import { createLexer } from './lexer.ts';

/**
 * The text that `read` delivers in pieces, up to its null.
 * Errors: SyncError `badResponse` when it is longer than `charsMax`; what `read` throws.
 */
export async function readDocument(
  read: () => Promise<string | null>,
  charsMax: number,
): Promise<string> {
  let text = '';
  for (let piece = await read(); piece !== null; piece = await read()) {
    if (text.length + piece.length > charsMax) {
      throw badResponse(`the answer is longer than ${charsMax} characters`);
    }
    text += piece;
  }
  return text;
}

/**
 * The value of a JSON text from outside.
 * Errors: SyncError `badResponse` (not JSON, nested too deeply, or with more values than a small
 * heap can hold).
 */
export function parseDocument(text: string, valuesMax = DOCUMENT_VALUES_MAX): unknown {
  const brackets = count(text, '{', valuesMax) + count(text, '[', valuesMax);
  const values = text.length > SHORT_CHARS ? count(text, ',', valuesMax) : 0;
  if (Math.max(brackets, values) >= valuesMax) {
    throw badResponse(`the answer has ${valuesMax} values or more`);
  }
  // Most texts need no closer look: more may be open at once than there are brackets.
  if (brackets > JSON_DEPTH_MAX) createLexer(JSON_DEPTH_MAX).next(text, 0);
  const value = jsonOf(text);
  if (value === undefined) throw notA('JSON', text);
  return value;
}

/**
 * As `parseDocument`, for one that may be long: in pieces between which `pause` gives the device
 * its turn.
 * Errors: the same.
 */
export async function parseInTurns(text: string, pause: () => Promise<void>): Promise<unknown> {
  if (text.length <= longJsonUnits) return parseDocument(text);
  try {
    return await parseLongJson(text, pause, flatBytes * text.length);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof JsonTooLarge) throw notA('JSON', text);
    throw error;
  }
}

/**
 * For one of many records: a short one cannot hold enough to need a look before it is parsed, a
 * long one is a promise.
 */
export function parseRecord(text: string, pause: () => Promise<void>): unknown {
  return text.length > SHORT_CHARS ? parseInTurns(text, pause) : JSON.parse(text);
}

/** An own member of outside data; undefined where there is none. */
export function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as { readonly [name: string]: unknown })[name]
    : undefined;
}

/** That an answer is not what was asked for. A network that wants a sign-in answers with a page. */
export function notA(what: string, text: string): SyncError {
  const is = /^\s*</.test(text) ? 'a page of HTML' : `not ${what}`;
  return badResponse(`the answer is ${is}`);
}

const SHORT_CHARS = 4096;

/**
 * How often a character occurs, at most `max` times: splitting is the fastest way for an
 * interpreter to look for one.
 */
function count(text: string, character: string, max: number): number {
  return text.split(character, max + 1).length - 1;
}
