// Why an exchange failed, in words that may be shown: a code of the system and the host, `ENOTFOUND
// sync.example`. Whatever else an error holds (an address with its query, a header, a message of
// somebody's) stays inside it.

import { parsedUrl } from '../parsed-url.ts';

/** Codes of the system, of TLS and of HTTP parsers are written like this, and nothing secret is. */
const CODE = /^[A-Z][A-Z0-9_]{2,59}$/;

/**
 * Messages that have no code, as the platforms write them: Node.js for a port that `fetch` never
 * opens.
 */
const CODE_OF_MESSAGE: ReadonlyMap<string, string> = new Map([['bad port', 'BAD_PORT']]);

/** Errors below one another, and side by side: a name with four addresses fails four times. */
const ERRORS_MAX = 12;

/** `error`: what a `fetch` or the body of its answer failed with. `url`: what was asked. */
export function causeOf(error: unknown, url: string): string {
  // The innermost knows best: around it is only that a fetch has failed.
  return [...codesOf(error).slice(-1), hostOf(url)].join(' ').trim();
}

/** The host, and the port where it is not the usual one. */
function hostOf(url: string): string {
  return parsedUrl(url)?.host ?? '';
}

/** From the outermost error to the innermost. */
function codesOf(error: unknown): string[] {
  const codes: string[] = [];
  const errors: unknown[] = [error];
  for (const [index, one] of errors.entries()) {
    if (index >= ERRORS_MAX) break;
    if (!(one instanceof Error)) continue;
    const { code = CODE_OF_MESSAGE.get(one.message) } = one as NodeJS.ErrnoException;
    if (typeof code === 'string' && CODE.test(code)) codes.push(code);
    errors.push(one.cause, ...(one instanceof AggregateError ? one.errors : []));
  }
  return codes;
}
