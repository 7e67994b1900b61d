// Servers on a loopback port before which `hawk`'s own server stands: a request with a Hawk header
// is looked at by that package first, and refused as it refuses. Whom it gives which key it hears
// from the answers.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type HawkRefusal, server as hawk } from 'hawk';
import { type Handler, parseObject } from '../../emulator/servers/http.ts';
import { readBody, sendResponse, toRequest } from '../../emulator/servers/node-http.ts';

export interface HawkGate {
  readonly url: string;
  /** What it stands before. */
  servers: Handler;
  /** The time by which signatures are judged. */
  nowMs: () => number;
  /** What was authenticated. */
  readonly passed: { readonly method: string; readonly isHashed: boolean }[];
  /** Why something was not. */
  readonly refused: string[];
  close(): void;
}

const BODY_BYTES_MAX = 4_194_304;

export async function startHawkGate(): Promise<HawkGate> {
  const keys = new Map<string, string>();
  const nonces = new Set<string>();
  const server = createServer((incoming, outgoing) => {
    pass(gate, keys, nonces, incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const gate: HawkGate = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    servers: async () => new Response(null, { status: 404 }),
    ...{ nowMs: Date.now, passed: [], refused: [] },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return gate;
}

async function pass(
  gate: HawkGate,
  keys: Map<string, string>,
  nonces: Set<string>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  // Nothing but a refusal says what time it is.
  outgoing.sendDate = false;
  const body = await readBody(incoming, BODY_BYTES_MAX);
  if (!Buffer.isBuffer(body)) throw new RangeError('a longer body than there is');
  const { method = '', url = '', headers } = incoming;
  if (headers.authorization?.startsWith('Hawk ')) {
    const isHashed = headers.authorization.includes(' hash="');
    const refusal = await hawk
      .authenticate(
        incoming,
        (id) => {
          const key = keys.get(id);
          return key === undefined ? null : { key, algorithm: 'sha256' };
        },
        {
          localtimeOffsetMsec: gate.nowMs() - Date.now(),
          ...(isHashed && { payload: body.toString() }),
          async nonceFunc(_, nonce) {
            if (nonces.has(nonce)) throw new Error('a nonce comes again');
            nonces.add(nonce);
          },
        },
      )
      .then(() => null)
      .catch((error: HawkRefusal) => error);
    if (refusal !== null) {
      gate.refused.push(refusal.message);
      outgoing.writeHead(refusal.output.statusCode, { ...refusal.output.headers }).end('{}');
      return;
    }
    gate.passed.push({ method, isHashed });
  }
  const request = toRequest(incoming, gate.url + url, body);
  if (request === null) throw new TypeError(`nobody asks by ${method}`);
  const answer = await gate.servers(request);
  const { id, key } = parseObject(await answer.clone().text()) ?? {};
  if (typeof id === 'string' && typeof key === 'string') keys.set(id, key);
  await sendResponse(outgoing, answer, {});
}
