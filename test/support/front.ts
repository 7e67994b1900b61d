// What stands before several processes: one origin whose `/syncto` goes to one gateway after the
// other, and everything else to one server after the other. As proxies do it, a process that cannot
// be reached is passed over for the next one, and so is one that breaks off before it has answered,
// where the request changes nothing; an answer that breaks off breaks off for the client, too.

import { once } from 'node:events';
import {
  request as ask,
  createServer,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Front {
  readonly url: string;
  /** Ports of gateways, and of the servers behind them; who comes and goes is put in and out. */
  readonly gateways: number[];
  readonly servers: number[];
  /** Told with each piece of a gateway's answer, before the client gets it. */
  onPiece: (gatewayPort: number) => void;
  /** Requests that gateways have answered, whole or not, by port. */
  readonly answered: Map<number, number>;
  close(): Promise<void>;
}

export async function startFront(): Promise<Front> {
  const server = createServer((incoming, outgoing) => void pass(front, incoming, outgoing));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const front: Front = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    gateways: [],
    servers: [],
    onPiece: () => undefined,
    answered: new Map(),
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return front;
}

async function pass(front: Front, incoming: IncomingMessage, outgoing: ServerResponse) {
  const pieces: Buffer[] = [];
  for await (const piece of incoming) pieces.push(piece as Buffer);
  const body = Buffer.concat(pieces);
  const isForGateway = incoming.url?.startsWith('/syncto/') ?? false;
  const ports = isForGateway ? front.gateways : front.servers;
  for (let tries = ports.length; tries > 0; tries--) {
    const port = nextOf(ports);
    let code: string | undefined;
    const answer = await answerOf(port, incoming, body).catch((error: { code?: string }) => {
      code = error.code;
      return null;
    });
    if (answer === null && (incoming.method === 'GET' || code === 'ECONNREFUSED')) continue;
    if (answer === null) break;
    if (isForGateway) front.answered.set(port, (front.answered.get(port) ?? 0) + 1);
    outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
    try {
      for await (const piece of answer) {
        if (isForGateway) front.onPiece(port);
        outgoing.write(piece);
      }
      outgoing.end();
    } catch {
      outgoing.destroy();
    }
    return;
  }
  outgoing.writeHead(502).end();
}

function nextOf(ports: number[]): number {
  const port = ports.shift() ?? 0;
  ports.push(port);
  return port;
}

async function answerOf(
  port: number,
  { method, url, headers }: IncomingMessage,
  body: Buffer,
): Promise<IncomingMessage> {
  const options: RequestOptions = { host: '127.0.0.1', port, method, path: url, headers };
  const asked = ask({ ...options, agent: false });
  asked.end(body);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return answer;
}
