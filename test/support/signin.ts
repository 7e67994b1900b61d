// For tests of signing in: a device's ports over a world of servers, and somebody in between who
// sees every request and may change every answer.

import type { SignInRequest } from '../../agent/signin/companion.ts';
import type { AccountsServer, SignInDevice } from '../../agent/signin/server.ts';
import type { TokenClient } from '../../agent/signin/tokens.ts';
import type { Handler } from '../../emulator/servers/http.ts';
import { countingRandom, startWorld, type TestWorld } from '../../emulator/servers/testing.ts';
import type { WorldOptions } from '../../emulator/servers/world.ts';
import { fetchNetwork } from '../../platform/web/fetch-network.ts';

export const CLIENT_ID = '3c49430b43dfba77';

export interface SignInWorld extends Omit<TestWorld, 'device'> {
  readonly device: SignInDevice;
  readonly server: AccountsServer;
  readonly client: TokenClient;
  readonly request: SignInRequest;
  /** What the device sent: method and path with query, and the body. */
  readonly sent: { readonly line: string; readonly body: string; readonly text: string }[];
  /** Stands between the device and the servers. */
  middle: (request: Request, servers: Handler) => Promise<Response>;
}

export function startSignIn(options: Partial<WorldOptions> = {}): SignInWorld {
  const world = startWorld(options);
  const server: AccountsServer = { pageUrl: world.urls.accounts, apiUrl: world.urls.accounts };
  const network = fetchNetwork(async (request) => {
    const { pathname, search } = new URL(request.url);
    const body = await request.clone().text();
    const headers = JSON.stringify([...request.headers]);
    const line = `${request.method} ${pathname}${search}`;
    here.sent.push({ line, body, text: `${request.url} ${headers} ${body}` });
    return here.middle(request, world.fetch);
  });
  const here: SignInWorld = {
    ...world,
    device: {
      network,
      clock: { nowMs: () => world.clock.nowMs, sleep: async () => {}, pause: async () => {} },
      entropy: { random: countingRandom() },
    },
    server,
    client: { apiUrl: server.apiUrl, clientId: CLIENT_ID },
    request: { server, clientId: CLIENT_ID, redirectUrl: 'https://accounts.test/oauth/success' },
    sent: [],
    middle: (request, servers) => servers(request),
  };
  return here;
}

/** Whatever a device asks, this is the answer. */
export function answering(
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): SignInWorld {
  const world = startSignIn();
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  world.middle = async () => new Response(status === 204 ? null : text, { status, headers });
  return world;
}

/** The JSON of an answer, changed. */
export function changing(
  path: string,
  change: (json: Record<string, unknown>) => unknown,
): SignInWorld['middle'] {
  return async (request, servers) => {
    const response = await servers(request);
    if (!new URL(request.url).pathname.endsWith(path)) return response;
    const json = (await response.json()) as Record<string, unknown>;
    return new Response(JSON.stringify(change(json)), { status: response.status });
  };
}

/** What a promise is rejected with; its code, message and all that can be printed of it. */
export async function failure(work: Promise<unknown>) {
  try {
    await work;
  } catch (error) {
    const { code, message, stack = '', retry } = error as Error & { code?: string; retry?: string };
    return { code, message, retry, printed: `${JSON.stringify(error)} ${message} ${stack}` };
  }
  throw new Error('it was not refused');
}
