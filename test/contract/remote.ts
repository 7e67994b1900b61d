// What every remote must do for a device, as one suite that takes a service as an argument. It goes
// through public doors alone: an agent on a platform in memory, the service's own wire, and another
// client of the same user. What is promised holds for all protocols: nothing in here knows one.

import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Service, Traits } from '../support/service.ts';
import { Bench, MINUTE_MS, type Start } from './bench.ts';
import { meeting, refusing } from './remote-conflicts.ts';
import { beginningAnew, breaking } from './remote-cuts.ts';

/** Rules that were tried, and those of them that are kept. */
export interface Tally {
  rules: number;
  kept: number;
}

/** The suite, which adds to `all`; `start` makes a new service, which is the same each time. */
export function remoteContract(
  name: string,
  start: () => Service,
  traits: Traits,
  all: Tally,
): void {
  describe(`the contract of remotes: ${name}`, () => {
    const own: Tally = { rules: 0, kept: 0 };
    afterEach(({ task }) => {
      for (const tally of [own, all]) {
        tally.rules++;
        if (task.result?.state !== 'fail') tally.kept++;
      }
    });
    afterAll(() => console.log(`${name} keeps ${own.kept} of ${own.rules} rules of its remote`));
    exchanging(() => new Bench(start), traits);
    meeting(() => new Bench(start), traits);
    refusing(() => new Bench(start), traits);
    breaking(() => new Bench(start), traits);
    beginningAnew(() => new Bench(start), traits);
  });
}

/** What one side has made reaches the other. */
function exchanging(start: Start, { isSealed, pageRecords }: Traits): void {
  it('brings down what another client has made', async () => {
    const bench = start();
    const device = await bench.synced(3);
    expect(Object.values(await bench.live())).toHaveLength(3);
    await bench.agreed(device);
  });

  it('brings up what the device has made, the first record of all', async () => {
    const bench = start();
    const device = await bench.synced(0);
    for (let n = 0; n < 12; n++) await bench.put(device, n, { text: `ours ${n}`, ü: [n, null] });
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect((await bench.live())[bench.service.id(11)]).toEqual({ text: 'ours 11', ü: [11, null] });
    expect(Object.keys(await bench.live())).toHaveLength(12);
    await bench.agreed(device);
  });

  it('knows its own records again: the next pass asks one thing, and writes nothing', async () => {
    const bench = start();
    const device = await bench.synced(2);
    await bench.put(device, 0, { text: 'ours' });
    await bench.put(device, 5, { text: 'ours' });
    await device.agent.sync();
    // A server may show a device its own writes once more.
    await device.agent.sync();
    const { commits } = device.storage;
    bench.wire.asked.length = 0;
    expect(await device.agent.sync()).toMatchObject({ ok: true, requests: 1 });
    expect(bench.wire.asked).toHaveLength(1);
    expect(device.storage.commits).toBe(commits);
    const reports = device.platform.events.map((json) => JSON.parse(json));
    const pulled = reports.flatMap((event) => (event.kind === 'pass' ? [event.report] : []));
    expect(pulled.at(-2).collections[bench.service.collection]?.pulled ?? 0).toBe(0);
    await bench.agreed(device);
  });

  it('goes on where it was after a reboot', async () => {
    const bench = start();
    const { collection, id } = bench.service;
    const count = (pageRecords ?? 4) + 1;
    let device = await bench.synced(count);
    const pages: number[] = [];
    let asked = 0;
    bench.wire.before = (request) => {
      if (bench.service.isPage(request)) asked++;
    };
    for (const isReboot of [false, true]) {
      await bench.service.put(id(count + pages.length), { text: 'new' });
      if (isReboot) device = await bench.boot(device.storage.fork());
      asked = 0;
      const report = await device.agent.sync();
      expect(report).toMatchObject({ ok: true });
      expect(report.collections[collection]).toMatchObject({ pulled: 1, pushed: 0 });
      pages.push(asked);
      bench.advance(MINUTE_MS, device);
    }
    // What it has read it does not read again.
    expect(pages[1]).toBeLessThanOrEqual(pages[0] ?? 0);
    await bench.agreed(device);
  });

  it('deletes on the other side what one side deletes', async () => {
    const bench = start();
    const { id } = bench.service;
    const device = await bench.synced(3);
    await bench.delete(device, 0);
    await bench.service.delete(id(1));
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(await bench.live()).toEqual({ [id(2)]: { text: 'theirs 2' } });
    await bench.agreed(device);
    bench.advance(MINUTE_MS, device);
    await bench.put(device, 0, { text: 'again' });
    await bench.service.put(id(1), { text: 'again' });
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(Object.keys(await bench.live()).sort()).toEqual([id(0), id(1), id(2)]);
    await bench.agreed(device);
  });

  it('serves two devices, of which neither knows the other', async () => {
    const bench = start();
    const one = await bench.synced(2);
    const two = await bench.boot(new MemoryStorage(), 3);
    await two.agent.enable();
    await bench.put(one, 0, { text: 'one' });
    await bench.put(one, 7, { text: 'one' });
    await bench.delete(two, 1);
    for (const { agent } of [one, two, one, two]) {
      bench.advance(MINUTE_MS, one, two);
      expect(await agent.sync()).toMatchObject({ ok: true });
    }
    expect(Object.keys(await bench.live()).sort()).toEqual([
      bench.service.id(0),
      bench.service.id(7),
    ]);
    await bench.agreed(one);
    await bench.agreed(two);
  });

  if (!isSealed) return;
  it('sends nothing of a record that can be read', async () => {
    const bench = start();
    const device = await bench.synced(0);
    await bench.put(device, 0, { text: 'plutonium' });
    await device.agent.sync();
    await bench.delete(device, 0);
    await device.agent.sync();
    const { id, wireId = id } = bench.service;
    expect(bench.sent.filter((text) => text.includes(wireId(0)))).not.toEqual([]);
    expect(bench.sent.filter((text) => /plutonium|cGx1dG9uaXVt/.test(text))).toEqual([]);
  });
}
