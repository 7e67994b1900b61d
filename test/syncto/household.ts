// Servers of one account with a real Syncto among them: `/syncto` is that, everything else ours.
// What passes it is written down. A computer has no assertions, which are all that a Syncto takes:
// where one brings an access token, an assertion of the same user goes on instead.

import { type AccountClient, accountClient } from '../../emulator/servers/account-client.ts';
import { type Serving, serveOnLoopback } from '../../emulator/servers/serve.ts';
import type { SeedAccount } from '../../emulator/servers/store-file.ts';
import { startSyncto } from './real.ts';
import { listen, send } from './wire.ts';

/** A request to Syncto, and how it ended; the parts of a batch come one by one, behind it. */
interface Passed {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

export interface Household {
  /** As clients see them. */
  readonly serving: Serving;
  readonly passed: Passed[];
  /** What is asked for in place of what a client asked for, in paths and in bodies. */
  twist: (text: string) => string;
  /** Waited for before a request is passed on. */
  before: (method: string) => Promise<void>;
  /** From now on a computer's requests go on with another assertion. */
  renew(): void;
  close(): Promise<void>;
}

const SETTINGS = ['history', 'passwords', 'clients'].map(
  (name) => `syncto.record_${name}_put_enabled=true`,
);

export async function startHousehold(python: string, account: SeedAccount): Promise<Household> {
  const passed: Passed[] = [];
  let servers = '';
  let syncto = '';
  let client: AccountClient | undefined;
  let needsAnother = false;
  const front = await listen(async (request, origin) => {
    const path = request.url.slice(origin.length);
    const headers = Object.fromEntries(request.headers);
    const { host: _host, connection: _connection, 'content-length': _length, ...sent } = headers;
    const body: { body?: string } = request.body === null ? {} : { body: await request.text() };
    if (!path.startsWith('/syncto/')) {
      const { answered } = await sendOn(servers, {
        method: request.method,
        target: path,
        headers,
        ...body,
      });
      return answered;
    }
    if (/^Bearer /.test(sent.authorization ?? '') && client) {
      const assertion = await client.assertion(`${origin}/token`, needsAnother);
      needsAnother = false;
      sent.authorization = `BrowserID ${assertion}`;
      await household.before(request.method);
    }
    const target = household.twist(path.slice('/syncto'.length));
    const twisted = body.body === undefined ? {} : { body: household.twist(body.body) };
    const asked = { method: request.method, target, headers: sent, ...twisted };
    const { answered, text } = await sendOn(syncto, asked);
    passed.push({ method: asked.method, path: target, status: answered.status }, ...partsOf(text));
    return answered;
  });
  const { url } = front;
  const own = await serveOnLoopback({ port: 0, origin: url, account });
  servers = `http://127.0.0.1:${own.port}`;
  const real = await startSyncto(python, { tokenUrl: `${url}/token`, settings: SETTINGS });
  syncto = real.url;
  const { email, password } = own.world.account;
  const credentials = { email, password };
  client = accountClient({ fetch, baseUrl: `${url}/accounts`, credentials, nowMs: Date.now });
  const household: Household = {
    serving: own,
    passed,
    twist: (path) => path,
    before: async () => undefined,
    renew() {
      needsAnother = true;
    },
    async close() {
      front.close();
      await real.close();
      await own.close();
    },
  };
  return household;
}

async function sendOn(origin: string, sent: Parameters<typeof send>[1]) {
  const { status, headers, body } = await send(origin, sent);
  const hasBody = ![204, 304].includes(status) && sent.method !== 'HEAD';
  return { answered: new Response(hasBody ? body : null, { status, headers }), text: body };
}

function partsOf(text: string): Passed[] {
  if (!text.startsWith('{"responses":')) return [];
  const { responses } = JSON.parse(text) as { responses: { path: string; status: number }[] };
  return responses.map(({ path, status }) => ({ method: 'part', path, status }));
}
