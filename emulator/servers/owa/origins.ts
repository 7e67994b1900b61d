// Origins as two who write them differently may mean the same: in small letters, without a default
// port, without a slash at the end. What is more than an origin is none.

import { parsedUrl } from '../../../platform/parsed-url.ts';

/** The normalised http(s) origin that a text is; null: it is none. */
export function normalised(text: string): string | null {
  if (text.length > CHARS_MAX || FORBIDDEN.test(text)) return null;
  const [, place] = /^(https?:\/\/[^/?#]+)\/?$/i.exec(text) ?? [];
  const url = place === undefined ? null : parsedUrl(place);
  return url === null || url.port === '0' ? null : url.origin;
}

/** Which of the origins a text means; a host alone may be one of https or of http. */
export function amongOrigins(origins: readonly string[], text: string): string | null {
  const written = text.includes('://') ? [text] : [`https://${text}`, `http://${text}`];
  const meant = written.map(normalised);
  return origins.find((origin) => meant.includes(origin)) ?? null;
}

const CHARS_MAX = 2_048;
/** Blanks, control characters, backslashes and user names. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: an origin has none of them
const FORBIDDEN = /[\u0000-\u0020\u007f\\@]/;
