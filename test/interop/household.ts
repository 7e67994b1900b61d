// Firefox and a device that holds every collection, on servers of their own. Firefox has synced, the device not yet.

import type { Serving } from '../../emulator/servers/serve.ts';
import { type Computer, startComputer } from './computer.ts';
import { type Firefox, startFirefox } from './firefox.ts';
import { startServers } from './servers.ts';

export interface Household {
  readonly serving: Serving;
  readonly firefox: Firefox;
  readonly computer: Computer;
  close(): Promise<void>;
}

/** `furnish`: what Firefox holds before it syncs for the first time. */
export async function startHousehold(
  furnish: (firefox: Firefox) => Promise<unknown>,
): Promise<Household> {
  const serving = await startServers();
  const closing = [() => serving.close()];
  const close = async () => {
    for (const end of closing.reverse()) await end();
  };
  try {
    const firefox = await startFirefox({ serving, allCollections: true });
    closing.push(() => firefox.close());
    await furnish(firefox);
    await firefox.sync();
    const computer = await startComputer(serving);
    closing.push(() => computer.close());
    return { serving, firefox, computer, close };
  } catch (error) {
    await close();
    throw error;
  }
}
