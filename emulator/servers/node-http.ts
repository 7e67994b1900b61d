// Between Node's sockets and handlers: requests with bodies of a bounded length come in, answers go
// out piece by piece at the pace of whoever reads them. An answer that breaks off ends its
// connection, so that no client takes the part for the whole.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyOf, type HeaderValues } from './http.ts';

/**
 * The body of a request, or why nothing of it is kept: it is longer than `bytesMax`, or `hasRoom`,
 * which is told of each piece, says no.
 */
export async function readBody(
  incoming: IncomingMessage,
  bytesMax: number,
  hasRoom: (bytes: number) => boolean = () => true,
): Promise<Buffer | 'too long' | 'no room'> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
    length += (chunk as Buffer).length;
    if (length > bytesMax) return 'too long';
    if (!hasRoom((chunk as Buffer).length)) return 'no room';
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

/** The body of a request as it comes, at the pace of whoever reads it; it may be left unread. */
export function streamOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  return bodyOf(incoming.iterator({ destroyOnReturn: false }));
}

/**
 * What a handler gets; `url` is what the client has asked for. Null where no handler can be asked
 * with such a method: it is 405 everywhere.
 */
export function toRequest(
  incoming: IncomingMessage,
  url: string,
  body: Buffer | ReadableStream<Uint8Array>,
): Request | null {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  const { method = 'GET' } = incoming;
  if (/^(connect|trace|track)$/i.test(method)) return null;
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const init = { method, headers, ...(hasBody ? { body, duplex: 'half' as const } : {}) };
  return new Request(url, init);
}

/** Sends an answer and resolves to the bytes of its body. Rejects when it broke off. */
export async function sendResponse(
  outgoing: ServerResponse,
  response: Response,
  headers: HeaderValues = {},
): Promise<number> {
  const reader = response.body?.getReader();
  const gone = () => void reader?.cancel().catch(() => undefined);
  outgoing.once('close', gone);
  try {
    const first = await reader?.read();
    const second = await reader?.read();
    const lengthIsKnown = second === undefined || second.done;
    const hasLength = ![204, 304].includes(response.status) && outgoing.req.method !== 'HEAD';
    outgoing.writeHead(response.status, {
      ...Object.fromEntries(response.headers),
      ...headers,
      ...(lengthIsKnown && hasLength ? { 'content-length': first?.value?.length ?? 0 } : {}),
    });
    let bytes = 0;
    for (const held = [first, second]; ; ) {
      const part = held.length > 0 ? held.shift() : await reader?.read();
      if (part === undefined || part.done) break;
      bytes += part.value.length;
      await writeOut(outgoing, part.value);
    }
    outgoing.end();
    return bytes;
  } catch (error) {
    gone();
    outgoing.destroy();
    throw error;
  }
}

/** What is still coming is thrown away for a while, so that the client gets to read the answer. */
export function refuse(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  status: number,
  text: string,
  headers: HeaderValues,
): void {
  const isDone = incoming.complete || incoming.headers['content-length'] === undefined;
  const isShort = isDone && incoming.headers['transfer-encoding'] === undefined;
  outgoing.writeHead(status, {
    ...(status === 204 ? {} : { 'content-type': 'text/plain' }),
    ...headers,
    ...(status === 204 ? {} : { 'content-length': text === '' ? 0 : Buffer.byteLength(text) + 1 }),
    ...(isShort ? {} : { connection: 'close' }),
  });
  const line = text === '' ? '' : `${text}\n`;
  if (isShort) {
    outgoing.end(line);
    return;
  }
  // The end of the answer closes the connection: who still writes would see that, and no answer.
  outgoing.write(line);
  const end = (): void => {
    outgoing.end();
  };
  incoming.once('end', end).resume();
  setTimeout(() => {
    end();
    incoming.destroy();
  }, LINGER_MS).unref();
}

const LINGER_MS = 1_000;

/** Resolves when there is room for more. Rejects when nobody reads any more. */
function writeOut(outgoing: ServerResponse, bytes: Uint8Array): Promise<void> {
  if (outgoing.destroyed) return Promise.reject(new Error('the client has gone'));
  if (outgoing.write(bytes)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      outgoing.off('drain', settle).off('close', settle);
      if (outgoing.destroyed) reject(new Error('the client has gone'));
      else resolve();
    };
    outgoing.on('drain', settle).on('close', settle);
  });
}
