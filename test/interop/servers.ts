// The servers at which Firefox and the device meet: our own, or another token server on loopback
// and its storage:
//   KITSYNC_TOKEN_SERVER=http://127.0.0.1:5000/some/path npm run test:firefox
// That one has to take the access tokens of our accounts server, which stays in place, without
// asking it, and to know users by X-KeyID alone: every call here is a new user, with a key of its
// own. Other people's servers are refused.

import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Protocol } from '../../emulator/remote.ts';
import { type Serving, serveOnLoopback } from '../../emulator/servers/serve.ts';
import { Store } from '../../emulator/servers/store.ts';

const OUTSIDE_URL = outsideUrl(process.env.KITSYNC_TOKEN_SERVER);

/** Through which of them the devices can meet: a Syncto gateway is among our own servers only. */
export const PROTOCOLS: readonly Protocol[] =
  OUTSIDE_URL === null ? ['syncto', 'sync15'] : ['sync15'];

/** A new user without data. With an outside token server, `world.store` stays empty. */
export async function startServers(): Promise<Serving> {
  const account = { kB: randomBytes(32).toString('hex'), store: new Store() };
  const own = await serveOnLoopback({ port: 0, account });
  if (OUTSIDE_URL === null) return own;
  const front = await startFront(own.url, OUTSIDE_URL);
  return {
    url: front.url,
    port: own.port,
    world: { ...own.world, urls: { ...own.world.urls, token: OUTSIDE_URL } },
    async close() {
      front.close();
      await own.close();
    },
  };
}

/** Our servers on one origin, but the token server. */
async function startFront(ownUrl: string, tokenUrl: string) {
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? '/';
    const isToken = path.startsWith('/token/');
    forward(incoming, outgoing, isToken ? path.replace('/token', tokenUrl) : ownUrl + path);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, url: string): void {
  const { method, headers } = incoming;
  const onward = request(url, { method, headers: { ...headers, host: new URL(url).host } });
  onward.on('response', (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on('error', () => outgoing.destroy());
  incoming.pipe(onward);
}

/** Without the path of the protocol, which clients add. */
function outsideUrl(text: string | undefined): string | null {
  if (!text) return null;
  const { protocol, hostname, origin, pathname } = new URL(text);
  if (protocol !== 'http:' || hostname !== '127.0.0.1') {
    throw new Error(`KITSYNC_TOKEN_SERVER: ${text} does not begin with http://127.0.0.1`);
  }
  return origin + pathname.replace(/(\/1\.0\/sync\/1\.5)?\/?$/, '');
}
