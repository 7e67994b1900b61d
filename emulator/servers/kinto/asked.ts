// A request to a Kinto, whole or a part of a batch, and its answer before it is put in words.

import type { HeaderValues } from '../http.ts';

export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  /** `account:bob`; null: nobody. */
  readonly user: string | null;
  readonly text: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: HeaderValues;
  /** Undefined: it has no body. */
  readonly json?: unknown;
}

/** Whether it may change something. */
export const isChange = ({ method }: Asked): boolean => method !== 'GET' && method !== 'HEAD';
