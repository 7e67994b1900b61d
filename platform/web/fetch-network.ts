// The Network port over a `fetch`: the platform's own, or a server in the same process.
// Promises the port's contract: pieces of at most 16,384 characters, strict UTF-8, no redirects.

import { type ExchangeWatch, watchExchange } from '../exchange-limits.ts';
import type { Header, Network, NetworkRequest, NetworkResponse, PortErrorCode } from '../ports.ts';
import { causeOf } from './network-cause.ts';

export type Fetch = (request: Request) => Promise<Response>;

const PIECE_CHARS_MAX = 16_384;

export class NetworkError extends Error {
  readonly code: NetworkErrorCode;

  /** `cause`: words that may be shown (ports.ts, `PortError`). */
  constructor(code: NetworkErrorCode, cause?: string) {
    super(MESSAGES[code], { cause });
    this.code = code;
  }
}

export type NetworkErrorCode = Extract<
  PortErrorCode,
  'offline' | 'timeout' | 'truncated' | 'encoding'
>;

const MESSAGES: { readonly [code in NetworkErrorCode]: string } = {
  offline: 'the server cannot be reached',
  timeout: 'the server takes too long to answer',
  truncated: 'the connection broke in the middle of the answer',
  encoding: 'the answer is not UTF-8',
};

export function fetchNetwork(fetch: Fetch): Network {
  return {
    async request(request) {
      const startMs = performance.now();
      const stop = new AbortController();
      const fail: Failing = (code, error) =>
        error instanceof NetworkError ? error : new NetworkError(code, causeOf(error, request.url));
      const within: Within = (work, limitMs) =>
        withTimeout(work, limitMs, () => {
          stop.abort();
          return fail('timeout');
        });
      const { timeoutMs, longestMs } = request;
      const work = fetch(requestOf(request, stop.signal));
      const response = await within(work, Math.min(timeoutMs, longestMs)).catch((error) => {
        throw fail('offline', error);
      });
      const watch = watchExchange(request, startMs);
      return responseOf(response, { stop, fail, within, watch });
    },
  };
}

/** What an exchange fails with; an error that is one already stays as it is. */
type Failing = (code: NetworkErrorCode, error?: unknown) => NetworkError;

type Within = <T>(work: Promise<T>, limitMs: number) => Promise<T>;

interface Exchange {
  readonly stop: AbortController;
  readonly fail: Failing;
  /** What the work resolves to, or the end of the exchange. */
  readonly within: Within;
  readonly watch: ExchangeWatch;
}

function requestOf({ method, url, headers, body }: NetworkRequest, signal: AbortSignal): Request {
  // The platform's own complaint would show the password.
  if (!isPlainUrl(url)) throw new TypeError('a request needs a URL without user and password');
  return new Request(url, {
    method,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    redirect: 'manual',
    signal,
    ...(body === undefined ? {} : { body }),
  });
}

function isPlainUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { username, password } = new URL(url);
  return username === '' && password === '';
}

function responseOf(response: Response, { stop, fail, within, watch }: Exchange): NetworkResponse {
  const reader = response.body?.getReader() ?? null;
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let ready = '';
  let ended = reader === null;

  const giveUp = (): void => {
    ready = '';
    if (ended) return;
    ended = true;
    stop.abort();
    reader?.cancel().catch(() => undefined);
  };

  const failed = (error: NetworkError): never => {
    giveUp();
    throw error;
  };

  const fill = async (): Promise<void> => {
    while (ready === '' && !ended && reader !== null) {
      const askedMs = performance.now();
      const { done, value } = await within(reader.read(), watch.leftMs(askedMs)).catch((error) =>
        failed(fail('truncated', error)),
      );
      if (ended) return;
      watch.arrived(value?.length ?? 0, performance.now() - askedMs);
      try {
        ready = decoder.decode(value, { stream: !done });
      } catch {
        failed(fail('encoding'));
      }
      ended = done;
    }
  };

  return {
    status: response.status,
    headers: [...response.headers].map(([name, value]): Header => [name.toLowerCase(), value]),
    async read() {
      await fill();
      if (ready === '') return null;
      const end = pieceEnd(ready);
      const piece = ready.slice(0, end);
      ready = ready.slice(end);
      return piece;
    },
    cancel: giveUp,
  };
}

/** A piece never ends inside a surrogate pair. */
function pieceEnd(text: string): number {
  if (text.length <= PIECE_CHARS_MAX) return text.length;
  const last = text.charCodeAt(PIECE_CHARS_MAX - 1);
  return last >= 0xd800 && last < 0xdc00 ? PIECE_CHARS_MAX - 1 : PIECE_CHARS_MAX;
}

/**
 * What `late` returns is thrown when the time is over; a time that is over already leaves no turn
 * for the work.
 */
async function withTimeout<T>(
  work: Promise<T>,
  limitMs: number,
  late: () => NetworkError,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), limitMs);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}
