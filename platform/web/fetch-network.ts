// The Network port over a `fetch`: the platform's own, or a server in the same process.
// Promises the port's contract: pieces of at most 16,384 characters, strict UTF-8, no redirects,
// and bodies that go up piece by piece.

import { type ExchangeWatch, watchExchange } from '../exchange-limits.ts';
import { parsedUrl } from '../parsed-url.ts';
import type { Header, Network, NetworkRequest, NetworkResponse, PortErrorCode } from '../ports.ts';
import { causeOf } from './network-cause.ts';
import { createPatience, type Patience } from './patience.ts';
import { collect, startUpload, type Upload } from './upload.ts';

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

interface FetchAbilities {
  /**
   * The fetch sends a body while it is made. Node.js does; of browsers only some, to some servers:
   * for them a streamed body is collected first.
   */
  readonly streamsBodies?: boolean;
  /** Bytes of a body that is collected; a browser may have to hold them in memory. */
  readonly collectedBytesMax?: number;
  /** Ends all exchanges that are under way when it is aborted, and keeps others from beginning. */
  readonly ended?: AbortSignal;
}

const COLLECTED_BYTES_MAX = 64 * 1024 * 1024;

export function fetchNetwork(
  fetch: Fetch,
  { streamsBodies = false, collectedBytesMax = COLLECTED_BYTES_MAX, ended }: FetchAbilities = {},
): Network {
  return {
    async request(request) {
      const startMs = performance.now();
      const stop = new AbortController();
      const fail: Failing = (code, error) =>
        error instanceof NetworkError ? error : new NetworkError(code, causeOf(error, request.url));
      const patience = createPatience(() => fail('timeout'));
      patience.set(Math.min(request.timeoutMs, request.longestMs));
      const { body } = request;
      const upload =
        typeof body === 'object' && streamsBodies
          ? startUpload(body, request, startMs, patience)
          : null;
      try {
        const content =
          upload?.stream ?? (await contentOf(request, startMs, patience, collectedBytesMax));
        const signal = ended ? AbortSignal.any([stop.signal, ended]) : stop.signal;
        const work = fetch(requestOf(request, content, signal)).catch((error: unknown) => {
          throw fail('offline', error);
        });
        const response = await Promise.race([work, patience.over]);
        const watch = watchExchange(request, startMs);
        return responseOf(response, { stop, fail, patience, watch, upload });
      } catch (error) {
        stop.abort();
        throw error;
      } finally {
        patience.rest();
        upload?.stop();
      }
    },
  };
}

/** A body that is sent as one. Nothing tells how it goes up: it has the time of the lowest rate. */
async function contentOf(
  request: NetworkRequest,
  startMs: number,
  patience: Patience,
  bytesMax: number,
): Promise<string | Blob | undefined> {
  const { body, timeoutMs, longestMs, windowMs, windowBytesMin } = request;
  if (typeof body !== 'object') return body;
  const leftMs = (): number => startMs + longestMs - performance.now();
  patience.set(leftMs());
  const blob = await collect(body, patience, bytesMax);
  patience.set(Math.min(timeoutMs + (blob.size / windowBytesMin) * windowMs, leftMs()));
  return blob;
}

/** What an exchange fails with; an error that is one already stays as it is. */
type Failing = (code: NetworkErrorCode, error?: unknown) => NetworkError;

interface Exchange {
  readonly stop: AbortController;
  readonly fail: Failing;
  readonly patience: Patience;
  readonly watch: ExchangeWatch;
  /** Of a streamed body, which may not have left whole. */
  readonly upload: Upload | null;
}

function requestOf(
  { method, url, headers, body }: NetworkRequest,
  content: string | Blob | ReadableStream<Uint8Array> | undefined,
  signal: AbortSignal,
): Request {
  // The platform's own complaint would show the password.
  if (!isPlainUrl(url)) throw new TypeError('a request needs a URL without user and password');
  const isStream = content instanceof ReadableStream && typeof body === 'object';
  const lengthBytes = isStream ? body.lengthBytes : undefined;
  const all = headers.map(([name, value]): [string, string] => [name, value]);
  if (lengthBytes !== undefined) all.push(['content-length', `${lengthBytes}`]);
  return new Request(url, {
    method,
    headers: all,
    redirect: 'manual',
    // With it, a streamed body could not be refused with 401.
    credentials: 'omit',
    signal,
    ...(content !== undefined && { body: content, duplex: 'half' }),
  });
}

function isPlainUrl(url: string): boolean {
  const parsed = parsedUrl(url);
  return parsed !== null && parsed.username === '' && parsed.password === '';
}

function responseOf(
  response: Response,
  { stop, fail, patience, watch, upload }: Exchange,
): NetworkResponse {
  const reader = response.body?.getReader() ?? null;
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let ready = '';
  let ended = reader === null;

  /** The connection is of no use where the answer came before the end of what was sent. */
  const isCut = upload !== null && !upload.isComplete;
  if (ended && isCut) stop.abort();

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
      const { done, value } = await patience
        .within(reader.read(), watch.leftMs(askedMs))
        .catch((error) => failed(fail('truncated', error)));
      if (ended) return;
      watch.arrived(value?.length ?? 0, performance.now() - askedMs);
      try {
        ready = decoder.decode(value, { stream: !done });
      } catch {
        failed(fail('encoding'));
      }
      ended = done;
      if (ended && isCut) stop.abort();
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
