// Ports for programs that have to be told theirs, and for what nobody shall be behind. A port that
// the system has given out and got back is given to whoever asks next, in another process too, so
// these are none of those that it gives out.

import { createServer } from 'node:net';

/** Below what Linux, macOS and Windows give out. */
const FIRST = 10_240;
const COUNT = 20_000;
/** Of one process, before those of the next one begin. */
const STEP = 61;

let given = 0;

/** One that nobody listens on, and that this process was not told before. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + ((process.pid * STEP + given++) % COUNT);
    if (await isFree(port)) return port;
    if (given > COUNT) throw new Error('no port is free');
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.once('listening', () => server.close(() => resolve(true)));
  });
}
