// A Kinto in memory, for determinism: what a real Kinto 26.5.0 was seen to answer, of buckets,
// collections and records. Plugins that it has not are not among its capabilities.
// Source: Kinto HTTP API 1.23.

import type { Handler } from '../http.ts';
import type { Answer, Asked } from './asked.ts';
import { onBatch } from './batch.ts';
import { kintoError } from './errors.ts';
import { answered, answerTo, type Rules } from './routes.ts';
import { KintoStore } from './store.ts';

interface Health {
  /** Seconds to stay away, said on every answer. */
  readonly backoffSeconds?: number;
  readonly alert?: string;
  /** 503: overload; 410: the service is gone; 507: nothing more may be stored. */
  readonly refuse?: 503 | 410 | 507;
}

interface KintoOptions {
  /** The base URL, without the version. */
  readonly url: string;
  nowMs(): number;
  /** The user of an Authorization header: `account:bob`. Null: it proves nobody. */
  userOf(authorization: string): string | null;
  readonly limits?: { readonly batchRequests?: number; readonly pageRecords?: number };
  /** Nobody may change anything. */
  isReadOnly?(): boolean;
  health?(): Health;
}

export interface KintoServer {
  readonly fetch: Handler;
  readonly store: KintoStore;
}

/** Kinto's own default. */
const BATCH_REQUESTS = 25;

export function createKinto(options: KintoOptions): KintoServer {
  const { nowMs, limits = {} } = options;
  const store = new KintoStore(nowMs);
  const health = (): Health => options.health?.() ?? {};
  const rules: Rules = {
    base: new URL(`${options.url}/v1`),
    batchRequests: limits.batchRequests ?? BATCH_REQUESTS,
    pageRecords: limits.pageRecords ?? null,
    nowMs,
    isReadOnly: () => options.isReadOnly?.() === true,
    isFull: () => health().refuse === 507,
  };
  const answer = (asked: Asked): Answer => answerTo(store, rules, asked);
  return {
    store,
    async fetch(request) {
      const { refuse, backoffSeconds = 0, alert } = health();
      const text = await request.text();
      const { status, headers, json } = answered(() => {
        if (refuse === 503) throw kintoError('down', { headers: { 'Retry-After': '30' } });
        if (refuse === 410) throw kintoError('gone');
        const asked = { ...askedOf(request, options), text };
        const isBatch = asked.url.pathname === `${rules.base.pathname}/batch`;
        if (!isBatch || asked.method !== 'POST') return answer(asked);
        if (rules.isReadOnly()) throw kintoError('notAllowed');
        return onBatch(asked, rules, (part) => answered(() => answer(part)));
      });
      const all = new Headers(headers);
      if (json !== undefined) all.set('Content-Type', 'application/json');
      if (backoffSeconds > 0) all.set('Backoff', `${backoffSeconds}`);
      if (alert !== undefined) all.set('Alert', alert);
      all.set('Date', new Date(nowMs()).toUTCString());
      const body = json === undefined ? null : JSON.stringify(json);
      return new Response(body, { status, headers: all });
    },
  };
}

/** Errors: HttpError 401. */
function askedOf({ url, method, headers }: Request, { userOf }: KintoOptions): Omit<Asked, 'text'> {
  const given = headers.get('authorization') ?? '';
  const user = given === '' ? null : userOf(given);
  return { method, url: new URL(url), headers, user };
}
