// The gateway's way to the token server and the storage nodes: sends the headers that it is given
// and none besides but Host and framing, follows no redirect, and gives the answer's body piece by
// piece. Every wait has an end, whatever the other side does.

import { request as askHttp, Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { request as askHttps, Agent as HttpsAgent } from 'node:https';
import { bodyOf, type Handler } from '../http.ts';

interface UpstreamTimes {
  /** Without a byte, in either direction: it covers connecting and the first byte, too. */
  readonly idleMs: number;
  /** From the question to the last byte of the answer. */
  readonly exchangeMs: number;
}

interface Upstream {
  /** Rejects when no answer comes. A body that breaks off fails while it is read. */
  readonly fetch: Handler;
  /** Ends all exchanges, and asks nobody any more. */
  close(): void;
}

const TIMES: UpstreamTimes = { idleMs: 30_000, exchangeMs: 1_800_000 };
/** The longest head of an answer. */
const HEAD_BYTES_MAX = 32_768;
const NULL_BODIES: readonly number[] = [204, 205, 304];

/** Connections are kept for the next question; `times` are for tests. */
export function createUpstream(times: UpstreamTimes = TIMES): Upstream {
  const kept = { keepAlive: true, maxFreeSockets: 64, scheduling: 'lifo' } as const;
  const agents = { http: new HttpAgent(kept), https: new HttpsAgent(kept) };
  let isClosed = false;
  return {
    fetch: async (request) => {
      if (isClosed) throw new Error('nobody is asked any more');
      const body = request.body === null ? null : Buffer.from(await request.arrayBuffer());
      const exchange = () => ask(request, body, agents, times);
      const answer = await exchange().catch((error: unknown) => {
        // The other side closed a kept connection in the moment that it was taken.
        const isSafe = request.method === 'GET' && !isClosed;
        if (error instanceof StaleConnection && isSafe) return exchange();
        throw error;
      });
      return toResponse(answer);
    },
    close: () => {
      isClosed = true;
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

class StaleConnection extends Error {}

function ask(
  request: Request,
  body: Buffer | null,
  agents: { readonly http: HttpAgent; readonly https: HttpsAgent },
  { idleMs, exchangeMs }: UpstreamTimes,
): Promise<IncomingMessage> {
  const url = new URL(request.url);
  const isSecure = url.protocol === 'https:';
  const options = {
    method: request.method,
    headers: {
      ...Object.fromEntries(request.headers),
      ...(body === null ? {} : { 'content-length': body.length }),
    },
    agent: isSecure ? agents.https : agents.http,
    timeout: idleMs,
    maxHeaderSize: HEAD_BYTES_MAX,
  };
  return new Promise((resolve, reject) => {
    const asked = isSecure ? askHttps(url, options) : askHttp(url, options);
    const end = (why: string) => asked.destroy(new Error(why));
    const timer = setTimeout(() => end('the exchange took too long'), exchangeMs);
    timer.unref();
    asked.once('timeout', () => end('nothing came for too long'));
    asked.once('close', () => clearTimeout(timer));
    asked.once('response', resolve);
    asked.once('error', (error: NodeJS.ErrnoException) => {
      const isStale = asked.reusedSocket && error.code === 'ECONNRESET';
      reject(isStale ? new StaleConnection(error.message) : error);
    });
    asked.end(body ?? undefined);
  });
}

function toResponse(answer: IncomingMessage): Response {
  const status = answer.statusCode ?? 0;
  const isNull = NULL_BODIES.includes(status);
  if (status < 200 || status > 599) {
    answer.destroy();
    throw new Error(`status ${status} means nothing`);
  }
  const headers = new Headers();
  for (const [name, values] of Object.entries(answer.headersDistinct))
    for (const value of values ?? []) headers.append(name, value);
  if (isNull) answer.resume();
  return new Response(isNull ? null : bodyOf(answer), { status, headers });
}
