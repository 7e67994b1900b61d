// When an entry was changed, by its own word: as it is written, for who compares versions, and as
// a time, for who compares times.

import { STAMP_MS_MAX } from '../../limits.ts';
import { createLexer } from '../../wire/lexer.ts';
import { DEPTH_MAX } from './limits.ts';

/** Of an entry that does not say, or says it in a way that is none. */
const UNSTAMPED = 'none';

/** Seconds are less than that until the year 5138: what is more are milliseconds. */
const SECONDS_MAX = 1e11;

/** `text`: an entry's JSON, which was parsed before. */
export function stampIn(text: string): string {
  const written = memberText(text, 'last_modified')
    .replace(/^"(.*)"$/, '$1')
    .trim();
  return /^-?\d[\d.eE+-]{0,39}$/.test(written) ? written : UNSTAMPED;
}

/** Milliseconds since 1970; 0 for an entry that does not say. */
export function stampMs(stamp: string): number {
  const value = Number(stamp);
  if (!(value > 0)) return 0;
  return Math.min(Math.round(value > SECONDS_MAX ? value : value * 1_000), STAMP_MS_MAX);
}

/**
 * What an object's last member of that name is written as; empty: there is none, or this is no
 * object.
 */
function memberText(text: string, name: string): string {
  const lexer = createLexer(DEPTH_MAX);
  let found = '';
  for (let at = text.search(/\S/); '{,'.includes(text[at] ?? '-'); ) {
    const colon = lexer.next(text, at + 1);
    if (text[colon] !== ':') break;
    const end = lexer.next(text, colon + 1);
    if (JSON.parse(text.slice(at + 1, colon)) === name) found = text.slice(colon + 1, end).trim();
    at = end;
  }
  return found;
}
