// The servers on a loopback port, for clients outside this process: one origin, with the path
// prefixes /accounts, /token, /sync15, /syncto, /picl and /owa. It listens on 127.0.0.1 and nowhere
// else, takes bodies of a bounded length in a bounded time, and asks gate.ts about every request.

import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { StorageError } from '../../platform/storage-rules.ts';
import { type GateOptions, judge, NO_SUCH_METHOD, TOO_LARGE } from './gate.ts';
import { causeOf } from './gateway/log.ts';
import { listenOnLoopback } from './loopback.ts';
import { readBody, refuse, sendResponse, streamOf, toRequest } from './node-http.ts';
import { createServers, NobodyThere, urlsBelow, type World, type WorldOptions } from './world.ts';

interface ServeOptions
  extends Omit<WorldOptions, 'urls' | 'nowMs' | 'random'>,
    Partial<Pick<GateOptions, 'hosts' | 'origins'>> {
  /** 0 for any free port. */
  readonly port: number;
  /**
   * What clients call it, where something stands before it; without a trailing slash. A path is a
   * prefix, with or without which requests come. By default the port's own.
   */
  readonly origin?: string;
  /** The host's clock and randomness by default. */
  nowMs?(): number;
  random?(count: number): Uint8Array;
}

export interface Serving {
  /** The origin, without a trailing slash. */
  readonly url: string;
  readonly port: number;
  readonly world: World;
  close(): Promise<void>;
}

/** Starts listening. Errors: those of listening, such as EADDRINUSE. */
export async function serveOnLoopback(options: ServeOptions): Promise<Serving> {
  const server = createServer(TIMES);
  server.maxConnections = CONNECTIONS_MAX;
  const port = await listenOnLoopback(server, options.port);
  const url = options.origin ?? `http://127.0.0.1:${port}`;
  const world = createServers({
    nowMs: Date.now,
    random: (count) => randomBytes(count),
    ...options,
    urls: urlsBelow(url),
  });
  const { hosts = [], origins = [] } = options;
  // A request is for the origin that it names: its signature is over it.
  const others = Array.from(options.picl?.places?.values() ?? [], (place) => new URL(place).origin);
  const byHost = new Map(others.map((origin) => [new URL(origin).host, origin]));
  const gate = {
    hosts: [...hosts, ...[url, ...others].map((one) => new URL(one).hostname)],
    origins,
    own: new URL(url).origin,
    audiences: options.owa?.audiences ?? [],
    storageBytesMax: options.sync15?.limits?.max_request_bytes ?? 0,
  };
  server.on('request', (incoming, outgoing) => {
    const asked = byHost.get(incoming.headers.host ?? '') ?? url;
    answer(incoming, outgoing, asked, world, gate).catch(() => outgoing.destroy());
  });
  return {
    url,
    port,
    world,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A client that says nothing for long does not keep its place. */
const TIMES = { headersTimeout: 20_000, requestTimeout: 120_000, keepAliveTimeout: 30_000 };
const CONNECTIONS_MAX = 128;
/** What cannot be kept now may be later. */
const RETRY_SECONDS = '30';

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  origin: string,
  world: World,
  gate: GateOptions,
): Promise<void> {
  const { method = 'GET', headers } = incoming;
  const target = withoutPrefix(incoming.url ?? '/', new URL(origin).pathname);
  const verdict = judge({ method, target, headers }, gate);
  if (verdict.answer !== null) {
    const { status, text } = verdict.answer;
    return refuse(incoming, outgoing, status, text, verdict.headers);
  }
  const { bodyBytesMax, headers: more } = verdict;
  const body = bodyBytesMax === null ? streamOf(incoming) : await readBody(incoming, bodyBytesMax);
  if (typeof body === 'string') return refuse(incoming, outgoing, 413, TOO_LARGE, more);
  const request = toRequest(incoming, origin + target, body);
  if (request === null) return refuse(incoming, outgoing, 405, NO_SUCH_METHOD, more);
  const response = await world.fetch(request).catch((error: unknown) => {
    // Its client has gone.
    if (incoming.errored) throw error;
    return answerTo(error);
  });
  if (bodyBytesMax === null && !incoming.complete) {
    const text = await response.text();
    const own = Object.fromEntries(response.headers);
    return refuse(incoming, outgoing, response.status, text, { ...own, ...more });
  }
  await sendResponse(outgoing, response, more);
}

function withoutPrefix(target: string, prefix: string): string {
  return prefix !== '/' && target.startsWith(`${prefix}/`) ? target.slice(prefix.length) : target;
}

function answerTo(error: unknown): Response {
  if (error instanceof NobodyThere) return new Response('0', { status: 404 });
  if (error instanceof StorageError)
    return new Response('0', { status: 503, headers: { 'Retry-After': RETRY_SECONDS } });
  // Where it happened, and nothing of what was sent.
  const frames = error instanceof Error ? String(error.stack).split('\n    at ').slice(1, 3) : [];
  console.error(`kitsync: a fault of the servers: ${[causeOf(error), ...frames].join(', ')}`);
  return new Response('0', { status: 500 });
}
