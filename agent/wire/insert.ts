// Puts members into an object inside a JSON text that somebody else wrote, and leaves every other
// character of it alone: what is not understood, the order, and how numbers are written.

import { JSON_DEPTH_MAX } from '../limits.ts';
import { createLexer } from './lexer.ts';

/**
 * `text` is the JSON of an object, which was parsed before. `members` come first in the object that
 * it has under `name`, which is made where there is none. Null if there is something else.
 */
export function withMembers(
  text: string,
  name: string,
  members: readonly (readonly [name: string, value: object])[],
): string | null {
  const added = members.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  const from = placeOf(text, name);
  const at =
    from < 0 ? text.indexOf('{') + 1 : from + (/^\s*\{/.exec(text.slice(from))?.[0].length ?? 0);
  if (at === from) return null;
  const rest = text.slice(at);
  const own = from < 0 ? `${JSON.stringify(name)}:{${added.join(',')}}` : added.join(',');
  return `${text.slice(0, at)}${own}${/^\s*\}/.test(rest) ? '' : ','}${rest}`;
}

/**
 * Behind the colon of a member of the outermost object; the last of that name counts, as for a
 * parser. -1 for none.
 */
function placeOf(text: string, name: string): number {
  const lexer = createLexer(JSON_DEPTH_MAX);
  let place = -1;
  for (let at = text.indexOf('{') + 1; at > 0; ) {
    const colon = lexer.next(text, at);
    if (text[colon] !== ':') break;
    if (JSON.parse(text.slice(at, colon)) === name) place = colon + 1;
    const end = lexer.next(text, colon + 1);
    at = text[end] === ',' ? end + 1 : 0;
  }
  return place;
}
