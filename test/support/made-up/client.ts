// What the remotes of the made-up servers have in common: requests with small JSON answers, and
// pages that have come as a whole.

import { SyncError } from '../../../agent/errors.ts';
import {
  type Envelope,
  type Listed,
  type Page,
  type Position,
  type RemoteAccount,
  type RemoteOptions,
  UNHEARD,
} from '../../../agent/remotes/remote.ts';
import { parseDocument, readDocument } from '../../../agent/wire/document.ts';
import { header } from '../../../agent/wire/headers.ts';
import {
  createHttp,
  type Http,
  type HttpOptions,
  notedHeaders,
  refusalOf,
} from '../../../agent/wire/http.ts';
import type { SyncKey } from '../../../platform/ports.ts';

export interface Reply {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the servers are our own
  readonly json: any;
  header(name: string): string | null;
}

type Ask = (
  method: 'GET' | 'PUT' | 'POST' | 'DELETE',
  url: string,
  headers?: Readonly<Record<string, string>>,
  body?: unknown,
) => Promise<Reply>;

/**
 * Exchanges of one pass. Errors: `unavailable` (503), `unauthorized` (401), those of the network.
 */
export function createHttpFor(options: RemoteOptions, authorize: HttpOptions['authorize']): Http {
  return createHttp({
    ...options,
    authorize,
    noted: NOTED,
    judge: (answer) =>
      answer.status === 503 || answer.status === 401
        ? refusalOf(answer, answer.status === 503 ? 'unavailable' : 'unauthorized', 'made-up')
        : null,
  });
}

/** Some of the servers ask for a pause under an `X-`. */
const NOTED = notedHeaders('', '', 'x-');

/** Requests with small answers. Errors: those of `createHttpFor`. */
export function createAsk(options: RemoteOptions, authorize: HttpOptions['authorize']): Ask {
  const http = createHttpFor(options, authorize);
  return async (method, url, headers = {}, body = undefined) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const sent = { method, url, headers: Object.entries(headers) };
    const answer = await http.send(body === undefined ? sent : { ...sent, body: text });
    const received = await readDocument(() => answer.read(), 1_000_000);
    return {
      status: answer.status,
      json: received === '' ? null : parseDocument(received),
      header: (name) => header(answer.headers, name),
    };
  };
}

/** For a status that the protocol does not know there. */
export function odd({ status }: Pick<Reply, 'status'>, what: string): SyncError {
  return new SyncError('badResponse', `${what}: status ${status}`, { status });
}

/** A page that has come as a whole. `behind`: the position behind a record of it. */
export function pageOf(
  listed: readonly Listed[],
  position: { readonly end: Position; readonly hasNext: boolean; behind(last: Envelope): Position },
  serverNowMs: number | null = null,
  at: Position = '',
): Page {
  return {
    serverNowMs,
    async next(out) {
      out.push(...listed);
      return false;
    },
    position(taken, isEnd) {
      if (isEnd) return position.end;
      const last = taken.at(-1);
      return last?.ok ? position.behind(last.envelope) : at;
    },
    hasNext: () => position.hasNext,
    cancel: () => undefined,
  };
}

/** Of who keeps nothing of the account but records. */
export const NO_ACCOUNT: RemoteAccount = {
  standing: () => UNHEARD,
  forget: async () => undefined,
};

/** Of the user who asks. Errors: `keyMismatch` for a farewell, which reads nothing. */
export function keyFrom({ owner }: RemoteOptions): SyncKey {
  if (owner === null) throw new SyncError('keyMismatch', 'nobody asks');
  return owner.key;
}
