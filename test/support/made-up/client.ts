// What the clients of the made-up servers have in common, the agent's remotes and a test's other
// client: requests with small JSON answers, and a seal that is bound to what it is about.

import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { SyncError } from '../../../agent/errors.ts';
import type {
  Codec,
  Envelope,
  Incoming,
  Listed,
  Page,
  Position,
  RemoteAccount,
  RemoteOptions,
} from '../../../agent/remotes/remote.ts';
import { parseDocument, readDocument } from '../../../agent/wire/document.ts';
import { header } from '../../../agent/wire/headers.ts';
import { createHttp, type Http, type HttpOptions, refusalOf } from '../../../agent/wire/http.ts';
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
    judge: (answer) =>
      answer.status === 503 || answer.status === 401
        ? refusalOf(answer, answer.status === 503 ? 'unavailable' : 'unauthorized', 'made-up')
        : null,
  });
}

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

/** Text sealed under the user's key, good for nothing but `about`. URL-safe. */
export function seal(key: SyncKey, about: string, text: string): string {
  const iv = createHash('sha256').update(`${about}\n${text}`).digest().subarray(0, 12);
  const cipher = createCipheriv('aes-256-gcm', keyOf(key), iv).setAAD(Buffer.from(about));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** What was sealed, or null for what does not open. */
export function unseal(key: SyncKey, about: string, sealed: string): string | null {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < 28) return null;
  const decipher = createDecipheriv('aes-256-gcm', keyOf(key), bytes.subarray(0, 12));
  decipher.setAAD(Buffer.from(about)).setAuthTag(bytes.subarray(12, 28));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}

/** The user's word on a text that is no secret. */
export function sign(key: SyncKey, text: string): string {
  return createHash('sha256').update(keyOf(key)).update(text).digest('base64url');
}

/** Opens payloads that are about what `about` says. */
export function opener(key: SyncKey, about: (envelope: Envelope) => string): Codec['open'] {
  return async (envelopes) =>
    envelopes.splice(0).map((envelope): Incoming => {
      if (envelope.payload === null) return { kind: 'tombstone' };
      const text = unseal(key, about(envelope), envelope.payload);
      if (text === null) return { kind: 'malformed', code: 'badMac', proven: false };
      return { kind: 'live', body: JSON.parse(text), text };
    });
}

/** Of who keeps nothing of the account but records. */
export const NO_ACCOUNT: RemoteAccount = {
  standing: () => ({ declined: false, absent: false, stopped: null }),
  forget: async () => undefined,
};

/** Of the user who asks. Errors: `keyMismatch` for a farewell, which reads nothing. */
export function keyFrom({ owner }: RemoteOptions): SyncKey {
  if (owner === null) throw new SyncError('keyMismatch', 'nobody asks');
  return owner.key;
}

function keyOf(key: SyncKey): Buffer {
  return createHash('sha256').update(JSON.stringify(key)).digest();
}
