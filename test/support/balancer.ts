// One address before several processes, which gives each connection to the next of them.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';

export interface Balancer {
  readonly url: string;
  /** Where connections go, in turn. */
  ports: number[];
  close(): void;
}

export async function balance(): Promise<Balancer> {
  let turn = 0;
  const server: Server = createServer((client) => {
    const { ports } = balancer;
    const target = connect(ports[turn++ % ports.length] ?? 1, '127.0.0.1');
    client.pipe(target).pipe(client);
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const balancer: Balancer = {
    url: `http://127.0.0.1:${port}`,
    ports: [],
    close: () => server.close(),
  };
  return balancer;
}
