// An exchange of the emulated device as bytes of HTTP/1.1, and as the request that a server in this
// process gets.

import type { NetworkRequest } from '../../platform/ports.ts';

interface Streamed {
  readonly body: ReadableStream<Uint8Array>;
  readonly lengthBytes: number | null;
}

/** As a server in this process sees it. */
export function toRequest(request: NetworkRequest<string>, streamed?: Streamed): Request {
  const body = streamed?.body ?? request.body;
  const headers = request.headers.map(([name, value]): [string, string] => [name, value]);
  const lengthBytes = streamed?.lengthBytes ?? null;
  if (lengthBytes !== null) headers.push(['content-length', `${lengthBytes}`]);
  return new Request(request.url, {
    method: request.method,
    headers,
    redirect: 'manual',
    ...(body === undefined ? {} : { body, duplex: 'half' }),
  });
}

/**
 * The request and its body, if it is one text. `lengthBytes`: of its body; null: it comes in
 * chunks.
 */
export function requestBytes(request: NetworkRequest<string>, lengthBytes: number | null): number {
  const url = new URL(request.url);
  const line = `${request.method} ${url.pathname}${url.search} HTTP/1.1\r\n`;
  const framing: [string, string][] = [['host', url.host]];
  if (lengthBytes === null) framing.push(['transfer-encoding', 'chunked']);
  else if (lengthBytes > 0) framing.push(['content-length', String(lengthBytes)]);
  const bodyBytes = Buffer.byteLength(request.body ?? '');
  return line.length + headerBytes([...framing, ...request.headers]) + bodyBytes;
}

/** Without the body. */
export function responseHeadBytes(response: Response): number {
  const line = `HTTP/1.1 ${response.status} ${response.statusText}\r\n`;
  return line.length + headerBytes([...response.headers]);
}

/** The header lines and the empty line behind them. */
function headerBytes(headers: readonly (readonly [name: string, value: string])[]): number {
  return headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 2);
}
