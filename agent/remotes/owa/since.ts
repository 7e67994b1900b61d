// How far a document was read: the server's own word for its last change, digit for digit. It is
// given back and never computed with, so that no precision is lost; a position is its text.

import type { Header } from '../../../platform/ports.ts';
import { STAMP_MS_MAX } from '../../limits.ts';
import { header } from '../../wire/headers.ts';
import type { Position } from '../remote.ts';

/** Of a document whose server does not say when it was changed, or what has become of it. */
export const UNTOLD = '-';

/** What `X-If-Modified-Since` says; null: nothing, the whole document is wanted. */
export function sinceOf(position: Position): string | null {
  return position === '' || position === UNTOLD ? null : position;
}

/**
 * The position behind a document that came with these headers. A change that is later than the
 * server's own time is a mistake of its clock, which would hide all that comes before it.
 */
export function positionIn(headers: readonly Header[]): Position {
  const [changed, now] = ['x-last-modified', 'x-timestamp'].map((name) => lexeme(headers, name));
  if (changed == null) return now ?? UNTOLD;
  if (now != null && Number(changed) > Number(now) + AHEAD_SECONDS_MAX) return UNTOLD;
  return changed;
}

/** Two of a server's machines may tell times that are so far apart. */
const AHEAD_SECONDS_MAX = 60;

/**
 * The server says that nothing has changed since `position`, and that its last change was before:
 * it has another document than the one that was read.
 */
export function isBehind(headers: readonly Header[], position: Position): boolean {
  const changed = lexeme(headers, 'x-last-modified');
  const since = sinceOf(position);
  if (changed === null || since === null) return false;
  // Some tell whole seconds here.
  return Number(changed) < Number(since) - 1;
}

/** It has another one that is newer. */
export function isAhead(headers: readonly Header[], position: Position): boolean {
  const changed = lexeme(headers, 'x-last-modified');
  const since = sinceOf(position);
  return changed !== null && since !== null && Number(changed) > Number(since);
}

/** Decimal seconds as the server writes them, without the quotes that some put around them. */
function lexeme(headers: readonly Header[], name: string): string | null {
  const text = /^\s*"?\s*(\d{1,15}(\.\d{1,20})?)\s*"?\s*$/.exec(header(headers, name) ?? '')?.[1];
  return text === undefined || Number(text) * 1_000 > STAMP_MS_MAX ? null : text;
}
