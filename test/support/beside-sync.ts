// A television with history and passwords on Firefox Sync, and with other data on other servers
// beside it: one process and one report.

import { type Firmware, freshFirmware } from '../../emulator/firmware.ts';
import { loadProfile } from '../../emulator/profiles.ts';
import { runScenario, type ScenarioOptions } from '../../emulator/scenario.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { contentFor } from '../../firmware-bundle/contents.ts';

const TV = loadProfile('panasonic-cx700');
/** Of each collection of another server, in the beginning. */
const OWN_RECORDS = 4;

/** One that is new in each collection which is not Firefox Sync's. */
export const EDITS = [
  { collection: 'contacts', op: 'put', record: { card: { fn: [{ value: 'Grace Hopper' }] } } },
  { collection: 'settings', op: 'put', record: { name: 'theme', value: 'dark' } },
] as const;

type Other = NonNullable<ScenarioOptions['others']>[number];
type OtherServer = Pick<Other, 'name' | 'protocol' | 'auth' | 'collections'>;

/** The runs of a device that has these servers beside Firefox Sync's. */
export function besideSync(servers: readonly OtherServer[]) {
  let built: Promise<Firmware> | null = null;
  const others = servers.map((server, index): Other => {
    const own = new Map(server.collections.map((name) => [name, OWN_RECORDS]));
    const account = syntheticAccount({ records: 0, passwords: 0, seed: index + 2, own });
    return { ...server, account, serverUrl: null };
  });
  return async (change: Partial<ScenarioOptions> = {}) => {
    const own = others.flatMap((one) => one.collections).flatMap((name) => contentFor(name) ?? []);
    const data = ['history', 'passwords', 'clients', ...own];
    const protocols = ['sync15', ...others.map(({ protocol }) => protocol)];
    built ??= freshFirmware(TV.name, [...protocols, ...data, 'several']);
    return runScenario({
      ...{ profile: TV, firmware: await built, protocol: 'sync15', auth: 'bearer' },
      ...{ crypto: 'device', seed: 1, others },
      account: syntheticAccount({ records: 4, passwords: 2, seed: 1 }),
      ...change,
    });
  };
}
