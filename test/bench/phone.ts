// What a phone pays for a Kinto: bytes of its firmware by what that holds, heap and instructions of
// a backup and of a restore by how many records there are.

import { differencesOf, runBackup } from '../../emulator/backup.ts';
import { freshFirmware } from '../../emulator/firmware.ts';
import { loadProfile } from '../../emulator/profiles.ts';
import { runScenario } from '../../emulator/scenario.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { sourceWith, weigh } from '../../firmware-bundle/build.ts';
import { contentFor } from '../../firmware-bundle/contents.ts';
import { row } from './measure.ts';

const PHONE = loadProfile('firefox-os-phone-128mb');

/** A Kinto's phone; `KITSYNC_BENCH_RECORDS=50000` goes on to so many records. */
export async function phone(): Promise<void> {
  row('kinto and', 'agent.js', 'gzip -9', 'peak heap', 'M a record', 'M idle');
  for (const name of ['history', 'contacts', 'settings', 'reading-list', 'notes']) {
    const { bytes, gzipBytes } = await weightOf(name);
    const [few, more] = [await restore(name, 100), await restore(name, 200)];
    const each = (more.instructions - few.instructions) / 100 / 1e6;
    const idle = more.idleInstructions / 1e6;
    row(name, bytes, gzipBytes, more.peakBytes, each.toFixed(2), idle.toFixed(2));
  }
  const recordsMax = Number(process.env.KITSYNC_BENCH_RECORDS ?? 5_000);
  row('reading-list', 'peak heap', 'M instructions');
  for (const records of [500, 5_000, 50_000].filter((count) => count <= recordsMax)) {
    const { peakBytes, instructions } = await restore('reading-list', records);
    row(records, peakBytes, Math.round(instructions / 1e6));
  }
}

/** From one phone to another; `KITSYNC_BENCH_RECORDS=500` ends with so many, and soon. */
export async function backup(): Promise<void> {
  const recordsMax = Number(process.env.KITSYNC_BENCH_RECORDS ?? 5_000);
  row('contacts backed up', 'peak heap', 'M a record', 'restored: peak heap', 'M a record');
  for (const records of [50, 500, 5_000].filter((count) => count <= recordsMax)) {
    const { upBytes, downBytes, up, down } = await backUp(records);
    row(records, upBytes, (up / 1e6).toFixed(2), downBytes, (down / 1e6).toFixed(2));
  }
}

/** `agent.js` that speaks with a Kinto and holds one collection. */
async function weightOf(collection: string): Promise<{ bytes: number; gzipBytes: number }> {
  return weigh(PHONE.name, sourceWith(contentsOf(collection)));
}

/** A factory-new phone restores so many records of a collection, and then has nothing to do. */
async function restore(collection: string, records: number) {
  const isHistory = collection === 'history';
  const { passes, peakBytes, problems } = await runScenario({
    profile: PHONE,
    firmware: await freshFirmware(PHONE.name, contentsOf(collection)),
    account: syntheticAccount({
      ...{ seed: 1, passwords: 0, records: isHistory ? records : 0 },
      own: new Map(isHistory ? [] : [[collection, records]]),
    }),
    ...{ protocol: 'kinto', auth: 'basic', crypto: 'device', seed: 1 },
    collections: [collection],
  });
  if (problems.length > 0) throw new Error(problems.join('; '));
  const [first, idle] = passes.map(({ cpu }) => cpu.instructions);
  return { peakBytes, instructions: first ?? 0, idleInstructions: idle ?? 0 };
}

/** Apps of a phone make so many contacts, it backs them up, and another phone restores them. */
async function backUp(records: number) {
  const result = await runBackup({
    ...{ profile: PHONE, records, crypto: 'device', seed: 1, collections: ['contacts'] },
    firmware: await freshFirmware(PHONE.name, contentsOf('contacts')),
    ...{ protocol: 'kinto', auth: 'basic', signIn: false },
  });
  const { first, second } = result;
  const problems = [...first.problems, ...(second?.problems ?? []), ...differencesOf(result)];
  if (second === null || problems.length > 0) throw new Error(problems.join('; '));
  const work = ({ passes }: typeof first): number =>
    passes.reduce((sum, { cpu }) => sum + cpu.instructions, 0) / records;
  return {
    upBytes: first.peakBytes,
    downBytes: second.peakBytes,
    up: work(first),
    down: work(second),
  };
}

function contentsOf(collection: string): string[] {
  return ['kinto', contentFor(collection) ?? collection];
}
