// Firefox and a device that holds every collection, on servers of their own. Firefox has synced,
// the device not yet.

import type { Serving } from '../../emulator/servers/serve.ts';
import { type Computer, startComputer } from './computer.ts';
import { type Firefox, startFirefox } from './firefox.ts';
import { startServers } from './servers.ts';
import { lastWrites } from './storage.ts';

export type Device = 'Firefox' | 'the device';
export const BOTH: readonly Device[] = ['Firefox', 'the device'];

export interface Household {
  readonly serving: Serving;
  readonly firefox: Firefox;
  readonly computer: Computer;
  /** Both sync, and then both again. */
  syncTwice(first: Device): Promise<void>;
  /**
   * Both sync three times, and nothing else happens. The collections to which the device wrote, and
   * those of `names` to which anybody did.
   */
  restlessIn(names: readonly string[]): Promise<string[]>;
  close(): Promise<void>;
}

const ROUNDS = 3;

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
    return {
      serving,
      firefox,
      computer,
      async syncTwice(first) {
        const devices = first === 'Firefox' ? [firefox, computer] : [computer, firefox];
        for (const device of [...devices, ...devices]) await device.sync();
      },
      async restlessIn(names) {
        const before = await lastWrites(serving, names);
        const pushedTo: string[] = [];
        for (let round = 0; round < ROUNDS; round++) {
          await firefox.sync();
          for (const [name, { pushed }] of Object.entries(await computer.sync())) {
            if (pushed > 0) pushedTo.push(name);
          }
        }
        const after = await lastWrites(serving, names);
        return [...pushedTo, ...names.filter((name) => after[name] !== before[name])];
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
