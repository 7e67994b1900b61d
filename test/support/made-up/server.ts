// What the made-up servers have in common: how each says that it is in trouble, and how the agent's
// requests are watched and lost on their way. Nothing here knows a protocol.

import { type Handler, HttpError, jsonResponse } from '../../../emulator/servers/http.ts';

/** What a server tells all its clients; tests change it. */
export interface Trouble {
  /** Seconds to stay away, said on every answer; 0: nothing is said. */
  waitSeconds: number;
  /** Nothing is answered but 503. */
  isDown: boolean;
  /** Names of collections that nobody may write. */
  readonly readOnly: Set<string>;
}

export const noTrouble = (): Trouble => ({ waitSeconds: 0, isDown: false, readOnly: new Set() });

/**
 * A server of its answers and its trouble. `waitHeader`: the header in which this protocol asks its
 * clients to stay away. An HttpError that `answer` throws is an answer, too.
 */
export function serverOf(trouble: Trouble, waitHeader: string, answer: Handler): Handler {
  return async (request) => {
    const response = trouble.isDown
      ? jsonResponse(503, { error: 'down' })
      : await answer(request).catch((error: unknown) => {
          if (!(error instanceof HttpError)) throw error;
          return jsonResponse(error.status, error.json, error.headers);
        });
    if (trouble.waitSeconds > 0) response.headers.set(waitHeader, `${trouble.waitSeconds}`);
    return response;
  };
}

/** The way between a device and a server. */
export interface Wire {
  readonly fetch: Handler;
  /** `GET /path?query` of what was asked, in order; tests empty it. */
  readonly asked: string[];
  /** Runs before a request reaches the server: another client's moment. `count` begins at 1. */
  before: (request: Request, count: number) => Promise<void> | void;
  /** Whether the server's answer never arrives, though it has done what was asked. */
  loses: (request: Request, count: number) => boolean;
}

/** A wire that does no harm until it is told to. */
export function wireTo(server: Handler): Wire {
  const asked: string[] = [];
  const wire: Wire = {
    asked,
    before: () => undefined,
    loses: () => false,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const count = asked.push(`${request.method} ${pathname}${search}`);
      const isLost = wire.loses(request, count);
      await wire.before(request, count);
      const response = await server(request);
      if (isLost) throw new TypeError('fetch failed');
      return response;
    },
  };
  return wire;
}
