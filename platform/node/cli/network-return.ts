// After a pass that found no way to the server, looks whether there is one again, and has the next
// pass begin then: the agent's own caution would let it sleep on for minutes or hours. Only whether
// a connection can be made is tried, which asks the server nothing; what fails although the server
// can be reached (a certificate, its answers) is left to the agent's waits, and so is what a server
// has asked for.

import { connect } from 'node:net';
import type { PassReport } from '../../../agent/index.ts';
import type { Clock } from '../../ports.ts';
import { nodeClock } from '../clock.ts';

interface ReturnWatch {
  /** A pass is over: the watch ends with it, and may begin anew. */
  passEnded(report: PassReport): void;
  stop(): void;
}

interface ReturnOptions {
  /** What is tried to be reached. */
  readonly url: string;
  /** The machine's own if it is undefined. */
  readonly clock: Clock | undefined;
  /** There was no way, and now there is one. */
  returned(): void;
}

export const TRY_INTERVAL_MS = 30_000;

export function watchReturn({ url, clock, returned }: ReturnOptions): ReturnWatch {
  const own = nodeClock();
  const { sleep } = clock ?? own;
  let passes = 0;
  const watch = async (mine: number): Promise<void> => {
    if (await canReach(url)) return;
    while (mine === passes) {
      await sleep(TRY_INTERVAL_MS);
      if (mine !== passes || !(await canReach(url))) continue;
      if (mine === passes) returned();
      return;
    }
  };
  return {
    passEnded({ error }) {
      passes++;
      if (error !== null && NO_WAY.includes(error.code)) void watch(passes);
    },
    stop() {
      passes++;
      own.stop();
    },
  };
}

const NO_WAY: readonly string[] = ['offline', 'timeout', 'truncated'];
const CONNECT_MS_MAX = 5_000;

/** Whether a connection to the server of a URL can be made. */
function canReach(url: string): Promise<boolean> {
  const { hostname, port, protocol } = new URL(url);
  const socket = connect({
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port || (protocol === 'https:' ? 443 : 80)),
  });
  socket.unref();
  return new Promise((resolve) => {
    const end = (isThere: boolean) => () => {
      socket.destroy();
      resolve(isThere);
    };
    socket
      .once('connect', end(true))
      .once('error', end(false))
      .setTimeout(CONNECT_MS_MAX, end(false));
  });
}
