// The Network port over a `fetch`: the platform's own, or a server in the same process.
// Promises the port's contract: pieces of at most 16,384 characters, strict UTF-8, no redirects.

import type { Header, Network, NetworkRequest, NetworkResponse, PortErrorCode } from '../ports.ts';

export type Fetch = (request: Request) => Promise<Response>;

const PIECE_CHARS_MAX = 16_384;

export class NetworkError extends Error {
  readonly code: PortErrorCode;
  constructor(code: PortErrorCode, options?: ErrorOptions) {
    super(`network: ${code}`, options);
    this.code = code;
  }
}

export function fetchNetwork(fetch: Fetch): Network {
  return {
    async request(request) {
      const stop = new AbortController();
      const timed = <T>(work: Promise<T>): Promise<T> => withTimeout(work, request.timeoutMs, stop);
      const response = await timed(fetch(requestOf(request, stop.signal))).catch((cause) => {
        throw cause instanceof NetworkError ? cause : new NetworkError('offline', { cause });
      });
      return responseOf(response, timed, stop);
    },
  };
}

function requestOf({ method, url, headers, body }: NetworkRequest, signal: AbortSignal): Request {
  return new Request(url, {
    method,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    redirect: 'manual',
    signal,
    ...(body === undefined ? {} : { body }),
  });
}

function responseOf(
  response: Response,
  timed: <T>(work: Promise<T>) => Promise<T>,
  stop: AbortController,
): NetworkResponse {
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
      const { done, value } = await timed(reader.read()).catch((cause) =>
        failed(cause instanceof NetworkError ? cause : new NetworkError('truncated', { cause })),
      );
      if (ended) return;
      try {
        ready = decoder.decode(value, { stream: !done });
      } catch (cause) {
        failed(new NetworkError('encoding', { cause }));
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

async function withTimeout<T>(
  work: Promise<T>,
  timeoutMs: number,
  stop: AbortController,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new NetworkError('timeout'));
      stop.abort();
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
