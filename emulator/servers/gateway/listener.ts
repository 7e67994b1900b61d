// The gateway on a loopback port, for what stands before it (a proxy that speaks TLS, or a device
// on this machine). Bounded are bodies, their sum, connections and times; a request for a name that
// is not this gateway's is refused, so that no page reaches it by giving its own name this
// machine's address. When it is to stop, what has begun is finished first.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isKnownHost, NO_SUCH_METHOD, TOO_LARGE } from '../gate.ts';
import { type Handler, jsonResponse } from '../http.ts';
import { listenOnLoopback } from '../loopback.ts';
import { readBody, refuse, sendResponse, toRequest } from '../node-http.ts';
import { internalError } from '../syncto/errors.ts';
import { causeOf, type Log, routeOf } from './log.ts';

interface ListenerOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** What clients call it, without a trailing slash; null: by its port. */
  readonly publicUrl: string | null;
  /** Names besides the loopback ones and that of the public URL. */
  readonly hosts: readonly string[];
  readonly log: Log;
  /** Made when the URL is known. */
  handlerFor(publicUrl: string): Handler;
  /** Milliseconds that never jump. */
  nowMs(): number;
}

interface Listener {
  readonly publicUrl: string;
  readonly port: number;
  /** Takes no new requests, and resolves when those that have begun are answered, or cut off. */
  close(graceMs: number): Promise<void>;
}

/** A batch of as many records as Syncto takes. */
const BODY_BYTES_MAX = 8_388_608;
/** All bodies that are in memory at a time. */
const BODIES_BYTES_MAX = 268_435_456;
const CONNECTIONS_MAX = 1_024;
/** Kept connections live longer than a proxy keeps its own, so that it never takes a dead one. */
const TIMES = { headersTimeout: 20_000, requestTimeout: 120_000, keepAliveTimeout: 75_000 };
const RETRY_SECONDS = 30;
/** Without a byte in either direction. */
const IDLE_MS_MAX = 120_000;

/** Starts listening. Errors: those of listening, such as EADDRINUSE. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const server = createServer(TIMES);
  server.maxConnections = CONNECTIONS_MAX;
  server.setTimeout(IDLE_MS_MAX);
  const port = await listenOnLoopback(server, options.port);
  const publicUrl = options.publicUrl ?? `http://127.0.0.1:${port}`;
  const door = new Door(options, publicUrl);
  server.on('request', (incoming, outgoing) => void door.answer(incoming, outgoing));
  return {
    publicUrl,
    port,
    async close(graceMs) {
      door.isClosing = true;
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

class Door {
  isClosing = false;
  readonly #options: ListenerOptions;
  readonly #origin: string;
  readonly #hosts: readonly string[];
  readonly #handler: Handler;
  #bodiesBytes = 0;

  constructor(options: ListenerOptions, publicUrl: string) {
    this.#options = options;
    const { origin, hostname } = new URL(publicUrl);
    this.#origin = origin;
    this.#hosts = [...options.hosts, hostname];
    this.#handler = options.handlerFor(publicUrl);
  }

  /** Never rejects. */
  async answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { nowMs, log } = this.#options;
    const startMs = nowMs();
    // A connection that is kept would hold up the end.
    outgoing.once('finish', () => void (this.isClosing && incoming.socket.end()));
    const [path = ''] = (incoming.url ?? '').split('?');
    const said = (values: { readonly bytes?: number; readonly cause?: string }): void =>
      log('request', {
        method: incoming.method,
        route: routeOf(path),
        status: outgoing.statusCode,
        ms: Math.round(nowMs() - startMs),
        ...values,
      });
    try {
      said({ bytes: await this.#answered(incoming, outgoing) });
    } catch (error) {
      outgoing.destroy();
      said({ cause: causeOf(error) });
    }
  }

  /** The bytes of the answer's body. Rejects when it breaks off. */
  async #answered(incoming: IncomingMessage, outgoing: ServerResponse): Promise<number> {
    const { headers, url = '/' } = incoming;
    const no = (status: number, errno: number, message: string): number => {
      const text = JSON.stringify({ code: status, errno, error: message, message });
      refuse(incoming, outgoing, status, text, { 'content-type': 'application/json' });
      return text.length;
    };
    if (!url.startsWith('/')) return no(400, 107, 'the target of a request must be a path');
    if (url === '/__lbheartbeat__')
      return sendResponse(outgoing, jsonResponse(this.isClosing ? 503 : 200, {}));
    if (!isKnownHost(headers.host, this.#hosts))
      return no(421, 107, 'this gateway has no such name: see --host and --public-url');
    if (Number(headers['content-length'] ?? 0) > BODY_BYTES_MAX) return no(413, 113, TOO_LARGE);
    let bytes = 0;
    const hasRoom = (more: number): boolean => {
      bytes += more;
      this.#bodiesBytes += more;
      return this.#bodiesBytes <= BODIES_BYTES_MAX;
    };
    try {
      const body = await readBody(incoming, BODY_BYTES_MAX, hasRoom);
      if (body === 'too long') return no(413, 113, TOO_LARGE);
      if (body === 'no room') return no(503, 201, 'too many bodies at a time');
      const request = toRequest(incoming, this.#origin + (incoming.url ?? '/'), body);
      if (request === null) return no(405, 115, NO_SUCH_METHOD);
      const response = await this.#handler(request).catch((error: unknown) => {
        this.#options.log('fault', { cause: causeOf(error) });
        return internalError().toResponse(RETRY_SECONDS);
      });
      return await sendResponse(outgoing, response);
    } finally {
      this.#bodiesBytes -= bytes;
    }
  }
}
