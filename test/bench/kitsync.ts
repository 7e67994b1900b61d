// Runs of the built firmware in the emulator, for the figures that the bench prints.
// Everything lives in virtual time and one seed: the same run gives the same counts.

import { readFileSync } from 'node:fs';
import { type Firmware, freshFirmware } from '../../emulator/firmware.ts';
import type { Edit } from '../../emulator/options.ts';
import { loadProfile } from '../../emulator/profiles.ts';
import type { Protocol } from '../../emulator/remote.ts';
import { runScenario, type ScenarioResult } from '../../emulator/scenario.ts';
import { readAccount } from '../../emulator/servers/store-file.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';

export interface RunOptions {
  /** Of a synthetic history; `corpus` is the account that Firefox wrote. */
  readonly records: number | 'corpus';
  readonly crypto: 'software' | 'device';
  /** `syncto` when left out. */
  readonly protocol?: Protocol;
  readonly profile?: string;
  /** Instead of the profile's cap. */
  readonly capBytes?: number;
  readonly edits?: readonly Edit[];
}

const SEED = 1;
const CORPUS = new URL('../fixtures/corpus-a.json', import.meta.url);
const firmwares = new Map<string, Promise<Firmware>>();

/** First sync, edits if there are any, and a pass with nothing to do. */
export async function runKitsync(options: RunOptions): Promise<ScenarioResult> {
  const { records, crypto, profile: name = 'panasonic-cx700', edits = [] } = options;
  const { protocol = 'syncto' } = options;
  const profile = loadProfile(name);
  const firmware = firmwares.get(name) ?? freshFirmware(name);
  firmwares.set(name, firmware);
  return runScenario({
    profile: { ...profile, ramCapBytes: options.capBytes ?? profile.ramCapBytes },
    firmware: await firmware,
    account:
      records === 'corpus'
        ? readAccount(JSON.parse(readFileSync(CORPUS, 'utf8')))
        : syntheticAccount({ records, seed: SEED }),
    protocol,
    auth: protocol === 'syncto' ? 'browserid' : 'bearer',
    crypto,
    seed: SEED,
    edits,
    compare: records === 'corpus' ? 'all' : 'sample',
  });
}
