// The two devices of the tests, and the servers between them: a Firefox with some pages and logins,
// and a television that holds them too. Both are in step when the tests begin.

import type { Protocol } from '../../emulator/remote.ts';
import type { Serving } from '../../emulator/servers/serve.ts';
import { type Firefox, startFirefox } from './firefox.ts';
import { sampleLogins, samplePages } from './samples.ts';
import { startServers } from './servers.ts';
import { startTelevision, type Television } from './television.ts';

export interface Pair {
  readonly serving: Serving;
  readonly firefox: Firefox;
  readonly television: Television;
  /** Both sync, and then both again. */
  syncTwice(first: 'Firefox' | 'the television'): Promise<void>;
  close(): Promise<void>;
}

interface PairOptions {
  readonly protocol: Protocol;
  readonly pages: number;
  readonly logins: number;
}

export async function startPair({ protocol, pages, logins }: PairOptions): Promise<Pair> {
  const serving = await startServers();
  const firefox = await startFirefox({ serving });
  const close = async () => {
    await firefox.close();
    await serving.close();
  };
  try {
    await firefox.addPages(samplePages(pages, 1, Date.now() * 1000));
    await firefox.addLogins(sampleLogins(logins, 1));
    await firefox.sync();
    const television = await startTelevision(serving, protocol);
    return {
      serving,
      firefox,
      television,
      async syncTwice(first) {
        const devices = first === 'Firefox' ? [firefox, television] : [television, firefox];
        for (const device of [...devices, ...devices]) await device.sync();
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
