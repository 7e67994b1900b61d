// What it costs that small records are sealed together: apps of an emulated phone make contacts,
// which it backs up on a Kinto, and another phone restores them; once where they lie one by one,
// once in packs. The epoch that is there before says which.

import { runBackup } from '../../emulator/backup.ts';
import { freshFirmware } from '../../emulator/firmware.ts';
import { loadProfile } from '../../emulator/profiles.ts';
import type { ScenarioResult } from '../../emulator/scenario.ts';
import { otherClient } from '../../emulator/servers/kinto/other-client.ts';
import { type KintoDump, KintoStore } from '../../emulator/servers/kinto/store.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';

interface Cost {
  readonly records: number;
  readonly requests: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly instructions: number;
  readonly longestSlice: number;
}

interface PacksCost {
  readonly up: Cost;
  readonly down: Cost;
  /** Of both phones, the larger one. */
  readonly peakBytes: number;
}

const PHONE = 'firefox-os-phone-128mb';
const SEED = 1;
const NAME = 'contacts';

export async function packsCost(
  records: number,
  crypto: 'software' | 'device',
  isPacked: boolean,
): Promise<PacksCost> {
  const { first, second } = await runBackup({
    ...{ profile: loadProfile(PHONE), records, crypto, seed: SEED, collections: [NAME] },
    firmware: await freshFirmware(PHONE, ['kinto', NAME]),
    ...{ protocol: 'kinto', auth: 'basic', signIn: false, kept: begun(isPacked) },
  });
  if (second === null) throw new Error(`nothing was backed up: ${first.problems.join('; ')}`);
  const problems = [...first.problems, ...second.problems];
  if (problems.length > 0) throw new Error(problems.join('; '));
  return {
    up: costOf(first, 'pushed'),
    down: costOf(second, 'pulled'),
    peakBytes: Math.max(first.peakBytes, second.peakBytes),
  };
}

/** What the passes cost that have brought records up, or down. */
function costOf({ passes }: ScenarioResult, what: 'pushed' | 'pulled'): Cost {
  const busy = passes.filter(({ collections }) => (collections[NAME]?.[what] ?? 0) > 0);
  const sum = (of: (pass: (typeof busy)[number]) => number): number =>
    busy.reduce((total, pass) => total + of(pass), 0);
  return {
    records: sum(({ collections }) => collections[NAME]?.[what] ?? 0),
    requests: sum(({ network }) => network.requests),
    sentBytes: sum(({ network }) => network.bytesOut),
    receivedBytes: sum(({ network }) => network.bytesIn),
    instructions: sum(({ cpu }) => cpu.instructions),
    longestSlice: Math.max(...busy.map(({ cpu }) => cpu.longestSlice)),
  };
}

/** A Kinto with the collection, which has nothing but its epoch. */
function begun(isPacked: boolean): KintoDump {
  const { kB } = syntheticAccount({ records: 0, passwords: 0, seed: SEED });
  const { bucket: bucketId, epochId, sealedEpoch } = otherClient(kB, NAME);
  const store = new KintoStore(() => 1);
  const bucket = store.makeBucket(bucketId, 'account:user');
  store.names.put(bucketId, {});
  bucket.names.put(NAME, {});
  const epoch = `${'A'.repeat(16)}${isPacked ? '/packs' : ''}`;
  store.makeCollection(bucket, NAME).put(epochId, { payload: sealedEpoch(epoch) });
  return store.dump();
}
