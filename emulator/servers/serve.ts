// The servers on a loopback port, for clients outside this process: one origin, with the path
// prefixes /accounts, /token, /sync15 and /syncto. It listens on 127.0.0.1 and nowhere else.

import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServers, type World, type WorldOptions } from './world.ts';

export interface ServeOptions extends Omit<WorldOptions, 'urls' | 'nowMs' | 'random'> {
  /** 0 for any free port. */
  readonly port: number;
  /**
   * What clients call it, where something stands before it; without a trailing slash. By default
   * the port's own.
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
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : options.port;
  const url = options.origin ?? `http://127.0.0.1:${port}`;
  const world = createServers({
    nowMs: Date.now,
    random: (count) => randomBytes(count),
    ...options,
    urls: {
      accounts: `${url}/accounts`,
      token: `${url}/token`,
      sync15: `${url}/sync15`,
      syncto: `${url}/syncto`,
    },
  });
  server.on('request', (incoming, outgoing) => {
    answer(incoming, outgoing, url, world).catch(() => outgoing.destroy());
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

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  origin: string,
  world: World,
): Promise<void> {
  const response = await world
    .fetch(await toRequest(incoming, origin))
    .catch(() => new Response('0', { status: 404 }));
  const body = Buffer.from(await response.arrayBuffer());
  outgoing.writeHead(response.status, {
    ...Object.fromEntries(response.headers),
    ...(response.status === 204 || response.status === 304
      ? {}
      : { 'content-length': body.length }),
  });
  outgoing.end(body);
}

async function toRequest(incoming: IncomingMessage, origin: string): Promise<Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  const { method = 'GET' } = incoming;
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const init = { method, headers, ...(hasBody ? { body: Buffer.concat(chunks) } : {}) };
  return new Request(origin + (incoming.url ?? '/'), init);
}
