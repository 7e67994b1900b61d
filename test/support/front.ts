// What stands before several gateway processes: one origin whose `/syncto` goes to one of them
// after the other, and everything else to the servers. As proxies do it, a gateway that cannot be
// reached is passed over for the next one where the request changes nothing; an answer that breaks
// off breaks off for the client, too.

import { once } from 'node:events';
import {
  request as ask,
  createServer,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

interface Front {
  readonly url: string;
  /** Ports of gateways. */
  readonly gateways: number[];
  /** The port of the servers; set it when they listen. */
  serversPort: number;
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
    serversPort: 0,
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
  const body: Buffer[] = [];
  for await (const piece of incoming) body.push(piece as Buffer);
  const isForGateway = incoming.url?.startsWith('/syncto/') ?? false;
  const tries = isForGateway && incoming.method === 'GET' ? front.gateways.length : 1;
  for (let time = 0; time < tries; time++) {
    const port = isForGateway ? nextOf(front.gateways) : front.serversPort;
    const answer = await answerOf(port, incoming, Buffer.concat(body)).catch(() => null);
    if (answer === null) continue;
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
