// What all servers share of HTTP: the shape of a handler, its errors, JSON answers, path matching.
// A handler reads nothing but its request and what was injected into it.

/** A server. It answers every request that reaches it; it rejects only on a fault of its own. */
export type Handler = (request: Request) => Promise<Response>;

export type HeaderValues = Readonly<Record<string, string>>;

/** An answer in the making that is thrown: status, JSON body, headers. */
export class HttpError extends Error {
  readonly status: number;
  readonly json: unknown;
  readonly headers: HeaderValues;

  constructor(status: number, json: unknown, headers: HeaderValues = {}) {
    super(`HTTP ${status}`);
    this.status = status;
    this.json = json;
    this.headers = headers;
  }
}

/** What a server in trouble tells its clients; see the options of each server. */
export interface Health {
  /** Seconds to stay away, said on any answer. */
  readonly backoffSeconds?: number;
  /** X-Weave-Alert: text, or the JSON of an end-of-life notice. */
  readonly alert?: string;
  /** Refuse everything: 409 a lock conflict, 503 overload, 513 the service is gone. */
  readonly refuse?: 409 | 503 | 513;
}

/** A JSON answer. */
export function jsonResponse(status: number, json: unknown, headers: HeaderValues = {}): Response {
  return new Response(JSON.stringify(json), {
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
  });
}

/**
 * The decoded path segments after the base URL's own path, or null when the request is not under
 * it or a segment is not valid percent-encoding. A trailing slash counts for nothing.
 */
export function pathSegments(url: URL, base: URL): string[] | null {
  const prefix = base.pathname.replace(/\/$/, '');
  if (url.pathname !== prefix && !url.pathname.startsWith(`${prefix}/`)) return null;
  const segments = url.pathname.slice(prefix.length).split('/').slice(1);
  if (segments.at(-1) === '') segments.pop();
  try {
    return segments.map(decodeURIComponent);
  } catch {
    return null;
  }
}

/** The scheme (lower case) and the rest of an Authorization header; empty text for none. */
export function authorization(request: Request): { scheme: string; value: string } {
  const [, scheme = '', value = ''] =
    /^(\S+) +(.*)$/.exec(request.headers.get('authorization') ?? '') ?? [];
  return { scheme: scheme.toLowerCase(), value };
}

/** The object that a JSON text holds, or null. */
export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** The text of a body. Rejects with a RangeError when it has more bytes, and reads no further. */
export async function textOf(message: Request | Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reader = message.body?.getReader();
  for (;;) {
    const part = await reader?.read();
    if (part === undefined || part.done) return Buffer.concat(chunks).toString('utf8');
    bytes += part.value.length;
    if (bytes > bytesMax) {
      reader?.cancel().catch(() => undefined);
      throw new RangeError(`a body has more than ${bytesMax} bytes`);
    }
    chunks.push(part.value);
  }
}

/** Pieces as a body that is read at its reader's pace; who reads no further ends them. */
export function bodyOf(pieces: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
