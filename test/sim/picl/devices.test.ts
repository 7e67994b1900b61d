// Two and three devices edit the same records offline, while answers are lost and the power goes:
// in the end all hold the same, and no edit is in the log twice.

import { expect, test } from 'vitest';
import { createRandom } from '../../../emulator/device/random.ts';
import { otherClient } from '../../../emulator/servers/picl/other-client.ts';
import { MemoryStorage } from '../../../platform/memory/storage.ts';
import { MINUTE_MS } from '../../contract/bench.ts';
import { piclBench } from '../../support/picl/bench.ts';
import { KB, NAME } from '../../support/picl-service.ts';
import { every, isWhole } from '../share.ts';

const SEEDS = 1_000;
const STEPS = 24;
const RECORDS = 5;
const DAY_MS = 24 * 60 * MINUTE_MS;
const keys = otherClient(KB, NAME);

type On = ReturnType<typeof piclBench>;
type Device = Awaited<ReturnType<On['bench']['boot']>>;

test('all converge, and each edit is in the log at most once', { timeout: 3_600_000 }, async () => {
  let [cuts, losses, edits] = [0, 0, 0];
  for (let seed = 0; seed < SEEDS; seed += every(40)) {
    const told = await story(seed);
    cuts += told.cuts;
    losses += told.losses;
    edits += told.edits;
  }
  console.log(`${edits} edits, ${losses} lost answers, ${cuts} cuts`);
  expect(Math.min(cuts, losses, edits)).toBeGreaterThan(isWhole ? 1_000 : 0);
});

async function story(seed: number) {
  const on = piclBench();
  const { bench } = on;
  const random = createRandom(seed, 'picl devices');
  const below = (bound: number): number => random.uint32() % bound;
  const devices: Device[] = [];
  const count = 2 + (seed % 2);
  for (let n = 0; n < count; n++)
    devices.push(await bench.boot(new MemoryStorage(), 10 * seed + n));
  for (const { agent } of devices) await agent.enable();
  const told = { cuts: 0, losses: 0, edits: 0 };
  const written: string[] = [];
  for (let step = 0; step < STEPS; step++) {
    const at = below(count);
    const device = devices[at] as Device;
    const action = below(10);
    bench.advance(MINUTE_MS, ...devices);
    if (action < 5) {
      const text = `edit ${seed} ${step}`;
      await bench.put(device, below(RECORDS), { text });
      written.push(text);
      told.edits++;
    } else if (action === 5) {
      await bench.delete(device, below(RECORDS)).catch(() => null);
    } else if (action < 8) {
      const lost = bench.wire.asked.length + 1 + below(4);
      bench.wire.loses = (_request, number) => {
        if (number === lost) told.losses++;
        return number === lost;
      };
      await device.agent.sync();
      bench.wire.loses = () => false;
    } else {
      const atCommit = 1 + below(4);
      const storage = device.storage.fork({ atCommit, when: below(2) === 0 ? 'before' : 'after' });
      const doomed = await bench.boot(storage, 1_000 * seed + step);
      await doomed.agent.sync().catch(() => null);
      if (storage.commits >= atCommit) told.cuts++;
      devices[at] = await bench.boot(storage.fork(), 5_000 * seed + step);
    }
  }
  await settled(on, devices, `seed ${seed}`);
  const payloads = on.log().changes.map((change) => keys.open(change) ?? '');
  for (const text of written) {
    const times = payloads.filter((payload) => payload.includes(`"${text}"`)).length;
    expect(times, `seed ${seed}: ${text} is in the log`).toBeLessThanOrEqual(1);
  }
  return told;
}

/** Each device syncs until all hold what the server has. */
async function settled({ bench }: On, devices: readonly Device[], where: string): Promise<void> {
  for (let round = 0; round < 2; round++) {
    for (const device of devices) {
      bench.advance(2 * DAY_MS, ...devices);
      const report = await device.agent.sync();
      expect(report.error, where).toBeNull();
    }
  }
  const live = await bench.live();
  for (const device of devices) {
    expect(Object.fromEntries(await bench.held(device)), where).toEqual(live);
    expect(bench.statusOf(device), where).toMatchObject({ pending: 0, quarantined: 0 });
  }
}
