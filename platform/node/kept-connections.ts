// A `fetch` of Node.js keeps connections, and a server may close one just when it is used again.
// What a server has closed while this program was busy is noticed before anything is sent whose
// effect could not be known; a GET, which has none, is tried once more. Anything else never is.

import type { Fetch } from '../web/fetch-network.ts';

/** Codes of a connection that was closed without a word: of Node.js, and of its `fetch`. */
const CLOSED: ReadonlySet<unknown> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** `fetch`: one that keeps connections. Errors: its own. */
export function overKeptConnections(fetch: Fetch): Fetch {
  /** Only servers that have answered can have a connection that is used again. */
  const answered = new Set<string>();
  return async (request) => {
    const { origin } = new URL(request.url);
    if (request.method !== 'GET') await noticeClosed();
    const response = await fetch(request).catch((error: unknown) => {
      if (request.method !== 'GET' || !answered.has(origin) || !isClosed(error)) throw error;
      return fetch(request);
    });
    answered.add(origin);
    return response;
  };
}

/**
 * After a whole turn of the event loop every end that has arrived was seen; this one may be half
 * over.
 */
async function noticeClosed(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function isClosed(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: unknown } };
  return CLOSED.has(cause?.code);
}
