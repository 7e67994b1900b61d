// A Syncto server as a function of the request, for tests of what is sent to it and made of its
// answers.

import type { Outgoing } from '../../agent/remotes/remote.ts';
import type { StorageOptions } from '../../agent/remotes/sync/storage.ts';
import { syncto } from '../../agent/remotes/sync/syncto.ts';
import { CLIENT_STATE, json, remoteBench } from './remote.ts';

export const SERVER_URL = 'https://syncto.test';
/** Firefox's ids of logins. */
export const BRACES = '{0b8f7b7c-7b5a-4a7e-9b7e-0d5d6d0c7a11}';
/** Of history. */
export const RECORDS = `/buckets/${CLIENT_STATE}/collections/history/records`;
export type Answer = Parameters<typeof remoteBench>[0];

/** Syncto's storage on a server that answers by `answer`, and what it was asked. */
export function open(answer: Answer, change: Partial<StorageOptions> = {}) {
  const { options, requests } = remoteBench(answer, { serverUrl: SERVER_URL });
  return { remote: syncto.storage({ ...options, ...change }), requests, options };
}

export function outgoing(id: string, change: Partial<Outgoing> = {}): Outgoing {
  return { id, payload: '{}', base: null, beside: {}, ...change };
}

/** Behind the version. */
export const pathOf = ({ url }: Request): string => url.slice(`${SERVER_URL}/v1`.length);

/** A part of a batch. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * A server of writes: says hello, and answers every part of a batch and every single record by
 * `status`.
 */
export function writes(status: (asked: Asked) => number, batchMax: unknown = 25) {
  const batches: Asked[][] = [];
  const singles: Request[] = [];
  const answer: Answer = async (request) => {
    if (pathOf(request) === '/') return json({ settings: { batch_max_requests: batchMax } });
    if (request.method === 'PUT') {
      singles.push(request.clone());
      const { url: path, method } = request;
      const code = status({ path, method, headers: {} });
      return written(code);
    }
    const { requests } = (await request.json()) as { requests: Asked[] };
    batches.push(requests);
    return json({ responses: requests.map((asked) => part(asked, status(asked))) });
  };
  return { batches, singles, answer };
}

/** The answer to a single write. */
export function written(status: number, body: object = { data: {} }): Response {
  return json(body, status, { ETag: '"7000"' });
}

export function part({ path }: Asked, status: number) {
  const id = decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
  const body = status < 300 ? { data: { id, last_modified: 6_000 } } : { code: status };
  return { status, path, headers: {}, body };
}
