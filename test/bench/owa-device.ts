// What a television pays for the apps of a server of Open Web Apps: heap and instructions of a
// first sync, by how many apps there are, each with a manifest of 10 KB. What an app of the device
// that lists them takes is not counted.

import { freshFirmware } from '../../emulator/firmware.ts';
import { loadProfile } from '../../emulator/profiles.ts';
import { runScenario } from '../../emulator/scenario.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { row } from './measure.ts';

const TV = loadProfile('panasonic-cx700');
const MANIFEST_CHARS = 10_240;

/** `KITSYNC_BENCH_RECORDS=2000` goes on to so many, which takes minutes. */
export async function owaDevice(): Promise<void> {
  const recordsMax = Number(process.env.KITSYNC_BENCH_RECORDS ?? 200);
  row('apps', 'peak heap', 'SQLite', 'M an app');
  for (const records of [20, 200, 2_000].filter((count) => count <= recordsMax)) {
    const { passes, peakBytes, storagePeakBytes, problems } = await runScenario({
      ...{ profile: TV, firmware: await freshFirmware(TV.name, ['owa', 'installedApps']) },
      ...{ protocol: 'owa', auth: 'browserid', crypto: 'device', seed: 1, collections: ['apps'] },
      compare: 'none',
      account: syntheticAccount({
        ...{ records: 0, passwords: 0, seed: 1, manifestChars: MANIFEST_CHARS },
        own: new Map([['apps', records]]),
      }),
    });
    if (problems.length > 0) throw new Error(problems.join('; '));
    const each = (passes[0]?.cpu.instructions ?? 0) / records / 1e6;
    row(records, peakBytes, storagePeakBytes, each.toFixed(2));
  }
}
