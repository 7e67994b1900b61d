// A television in its virtual machine, of the account that is shipped, over Sync 1.5.

import type { Firmware } from '../../emulator/firmware.ts';
import { loadProfile } from '../../emulator/profiles.ts';
import { createSetup, type Setup, type SetupOptions } from '../../emulator/setup.ts';
import { corpusAccount } from './device.ts';

export const TV = loadProfile('panasonic-cx700');

/** All cryptography is the firmware's own, unless `options` say otherwise. Not booted yet. */
export function television(firmware: Firmware, options: Partial<SetupOptions> = {}): Setup {
  return createSetup({
    ...{ profile: TV, firmware, account: corpusAccount(), protocol: 'sync15', auth: 'bearer' },
    ...{ crypto: 'software', seed: 5 },
    ...options,
  });
}

/** What an app or the system asks of the agent. Errors: those of the command. */
export function command({ device }: Setup, name: string, json: object = {}): Promise<unknown> {
  return device.command(name, json);
}
