// How every server here listens: on this machine only. It decides nothing about requests.

import type { Server } from 'node:http';

/** Resolves to the port; 0 asks for any. Errors: those of listening, such as EADDRINUSE. */
export async function listenOnLoopback(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  return typeof address === 'object' && address ? address.port : port;
}
