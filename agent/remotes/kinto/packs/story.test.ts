// Stories at random about a collection with packs: two devices and another client write, long and
// short, answers are lost and the power goes. In the end all sides have the same, and every record
// has one place.

import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../../emulator/device/random.ts';
import { MemoryStorage } from '../../../../platform/memory/storage.ts';
import { MINUTE_MS } from '../../../../test/contract/bench.ts';
import { packedBench } from '../../../../test/support/kinto-packs-bench.ts';

const RECORDS = 30;
const STEPS = 40;

describe.each([1, 2, 3, 4, 5, 6])('a story with seed %i', (seed) => {
  test('ends with one truth', async () => {
    const random = createRandom(seed);
    const pick = (count: number): number => (random.bytes(4)[0] ?? 0) % count;
    const { bench, service, check } = packedBench();
    const devices = [await bench.synced(6), await bench.boot(new MemoryStorage(), 3)];
    await devices[1]?.agent.enable();
    let n = 0;
    const steps: (() => Promise<unknown>)[] = [
      async () => {
        const device = devices[pick(2)];
        const chars = [5, 60, 300, 900, 1_500][pick(5)] ?? 0;
        if (device) await bench.put(device, pick(RECORDS), { text: `${n++}`.padEnd(chars, 'x') });
      },
      async () => {
        const device = devices[pick(2)];
        const id = pick(RECORDS);
        if (device && (await bench.held(device)).has(service.id(id)))
          await bench.delete(device, id);
      },
      async () => {
        const id = service.id(pick(RECORDS));
        if (pick(3) === 0) await service.delete(id);
        else await service.put(id, { text: `${n++} of another` });
      },
      async () => {
        const at = pick(12) + 1;
        let count = 0;
        bench.wire.loses = () => ++count === at;
        await devices[pick(2)]?.agent.sync();
        bench.wire.loses = () => false;
      },
      async () => {
        const [at, other] = pick(2) === 0 ? [0, 1] : [1, 0];
        const before = devices[at];
        if (before === undefined || other === undefined) return;
        // It syncs until its power goes.
        const storage = before.storage.fork({ atCommit: pick(6) + 1, when: 'after' });
        const doomed = await bench.boot(storage, 10 + n++);
        await doomed.agent.sync().catch(() => null);
        devices[at] = await bench.boot(storage.fork(), 10 + n++);
      },
      async () => {
        let isDone = false;
        bench.wire.before = async (request) => {
          if (isDone || !(await service.isWrite(request))) return;
          isDone = true;
          await devices[1]?.agent.sync();
        };
        await devices[0]?.agent.sync();
        bench.wire.before = async () => undefined;
      },
    ];
    for (let step = 0; step < STEPS; step++) {
      bench.advance(MINUTE_MS, ...devices);
      await steps[pick(steps.length)]?.();
    }
    for (let round = 0; round < 3; round++) {
      for (const device of devices) await bench.recovered(device);
    }
    for (const device of devices) await bench.agreed(device);
    check();
    expect(Object.keys(await bench.live()).length).toBeGreaterThan(4);
  });
});
