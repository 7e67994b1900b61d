// The server of one pass: who asks, where the user's data is, and what goes out together.

import type { Header } from '../../../platform/ports.ts';
import { badResponse, SyncError } from '../../errors.ts';
import { basicAuthorization } from '../../wire/basic.ts';
import { createHttp, type Http } from '../../wire/http.ts';
import { batchMaxOf } from '../batches.ts';
import type { RemoteOptions } from '../remote.ts';
import { batch, type NoAnswers, type Part, type PartAnswer } from './batch.ts';
import { ending, unexpected } from './statuses.ts';

export interface Kinto {
  readonly http: Http;
  readonly base: string;
  bucketPath(collection: string): string;
  collectionPath(collection: string): string;
  recordsPath(collection: string): string;
  recordPath(collection: string, id: string): string;
  /** How many requests one batch takes. Errors: those of HTTP. */
  batchMax(): Promise<number>;
  /** One batch. Errors: `badResponse`, `overQuota`, those of HTTP. */
  send(parts: readonly Part[]): Promise<PartAnswer[] | NoAnswers>;
  /**
   * Small requests, in as many batches as they need. `readOnly`: the server takes none. Errors:
   * `unavailable`, `badResponse` for a batch that it takes from nobody, and as `send`.
   */
  ask(parts: readonly Part[]): Promise<PartAnswer[] | 'readOnly'>;
}

/** `bucketOf`: the bucket of a collection. */
export function openServer(
  options: RemoteOptions,
  bucketOf: (collection: string) => string,
): Kinto {
  const { config, memory, platform, notes, abort } = options;
  const authorize = authorization(options);
  const http = createHttp({ platform, notes, abort, authorize, judge: ending });
  const base = `${config.remote.serverUrl}/v1`;
  const bucketPath = (name: string): string => `/buckets/${encodeURIComponent(bucketOf(name))}`;
  const collectionPath = (name: string): string =>
    `${bucketPath(name)}/collections/${encodeURIComponent(name)}`;
  const recordsPath = (name: string): string => `${collectionPath(name)}/records`;
  // A batch is anybody's: who asks is proven by its parts.
  const send = async (parts: readonly Part[]): Promise<PartAnswer[] | NoAnswers> => {
    const answers = await batch(http, base, memory, parts);
    if (!isRefused(answers)) return answers;
    const [bucketPath = '/'] = /^\/buckets\/[^/]*/.exec(parts[0]?.path ?? '') ?? [];
    const renewed = await http.send({ method: 'GET', url: base + bucketPath });
    renewed.cancel();
    const again = await batch(http, base, memory, parts);
    if (isRefused(again)) throw new SyncError('unauthorized', 'kinto: a batch is refused');
    return again;
  };
  const batchMax = async (): Promise<number> => {
    memory.batchRequestsMax ??= await batchMaxOf(http, base, unexpected);
    return memory.batchRequestsMax;
  };
  return {
    ...{ http, base, bucketPath, collectionPath, recordsPath, send, batchMax },
    recordPath: (name, id) => `${recordsPath(name)}/${encodeURIComponent(id)}`,
    async ask(parts) {
      const max = await batchMax();
      const all: PartAnswer[] = [];
      for (let at = 0; at < parts.length; at += max) {
        const answers = await send(parts.slice(at, at + max));
        if (answers === 'readOnly') return answers;
        if (answers === 'malformed') throw badResponse('kinto: the server takes no such batch');
        if (typeof answers === 'string') {
          throw new SyncError('unavailable', 'kinto: the server is not available');
        }
        all.push(...answers);
      }
      return all;
    },
  };
}

function isRefused(answers: PartAnswer[] | NoAnswers): boolean {
  return typeof answers !== 'string' && answers.some(({ status }) => status === 401);
}

function authorization({
  platform: { identity },
  config,
}: RemoteOptions): (fresh: boolean) => Promise<readonly Header[]> {
  return async (fresh) => {
    if (config.remote.auth !== 'basic') {
      return [['Authorization', `Bearer ${(await identity.accessToken(fresh)).token}`]];
    }
    if (identity.credentials === undefined) {
      throw new SyncError('unauthorized', 'the account manager has no name and password');
    }
    const { name, password } = await identity.credentials(fresh);
    return [basicAuthorization(`${name}:${password}`)];
  };
}
