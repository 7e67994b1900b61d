// Part of the contract of remotes (remote.ts): both sides have changed the same, or the server does
// not take, give or say what it should.

import { expect, it } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Traits } from '../support/service.ts';
import { type Bench, MINUTE_MS, type Start } from './bench.ts';

/** Both sides have changed the same record. */
export function meeting(start: Start, { times, isGuarded, isWhole }: Traits): void {
  /** Another client's change comes when the device has looked and is about to write. */
  const overtaken = async (bench: Bench, change: () => unknown): Promise<void> => {
    let isDone = false;
    bench.wire.before = async (request) => {
      if (isDone || !(await bench.service.isWrite(request))) return;
      isDone = true;
      await change();
    };
  };

  it.runIf(isWhole !== true)('merges what both sides have changed, member by member', async () => {
    const bench = start();
    const { id } = bench.service;
    await bench.service.put(id(0), { text: 'old', mine: 1, theirs: 1 });
    const device = await bench.synced(0);
    await bench.service.put(id(0), { text: 'old', mine: 1, theirs: 2 });
    bench.advance(MINUTE_MS, device);
    await bench.put(device, 0, { mine: 2 });
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(await bench.live()).toEqual({ [id(0)]: { text: 'old', mine: 2, theirs: 2 } });
    await bench.agreed(device);
  });

  it('never writes over a version that it has not seen', async () => {
    const bench = start();
    const { id } = bench.service;
    const device = await bench.synced(2);
    await bench.put(device, 0, { text: 'theirs 0', ours: 1 });
    await bench.put(device, 3, { text: 'ours' });
    const theirs = () => bench.service.put(id(0), { text: 'theirs again', theirs: 1 });
    await overtaken(bench, theirs);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    // Who is not refused has done it, and takes in what comes again.
    if (!isGuarded) {
      bench.advance(MINUTE_MS, device);
      await theirs();
      expect(await device.agent.sync()).toMatchObject({ ok: true });
    }
    expect(await bench.live()).toMatchObject({ [id(0)]: { theirs: 1 }, [id(3)]: { text: 'ours' } });
    await bench.agreed(device);
  });

  it.each([
    ['the device deletes what another client changes', true],
    ['another client deletes what the device changes', false],
  ])('ends with both sides alike where %s', async (_what, isOurs) => {
    for (const isLate of [false, true]) {
      const bench = start();
      const { id } = bench.service;
      const device = await bench.synced(2);
      if (isOurs) await bench.delete(device, 0);
      else await bench.put(device, 0, { text: 'ours' });
      bench.advance(MINUTE_MS, device);
      const theirs = async () =>
        isOurs ? bench.service.put(id(0), { text: 'again' }) : bench.service.delete(id(0));
      if (isLate) await overtaken(bench, theirs);
      else await theirs();
      expect(await device.agent.sync()).toMatchObject({ ok: true });
      bench.advance(MINUTE_MS, device);
      expect(await device.agent.sync()).toMatchObject({ ok: true });
      expect((await bench.live())[id(1)]).toEqual({ text: 'theirs 1' });
      await bench.agreed(device);
    }
  });

  it('keeps what an app changes while its record is on the way', async () => {
    const bench = start();
    const { id } = bench.service;
    const device = await bench.synced(2);
    await bench.put(device, 0, { text: 'first' });
    await overtaken(bench, () => {
      bench.advance(1_000, device);
      void bench.put(device, 0, { text: 'second' });
    });
    await device.agent.sync();
    expect((await bench.held(device)).get(id(0))).toEqual({ text: 'second' });
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect((await bench.live())[id(0)]).toEqual({ text: 'second' });
    await bench.agreed(device);
  });

  it.each<[string, boolean]>([
    ['before the device looks', false],
    // Where a record says itself when it was changed, theirs is the later one then.
    ...(isGuarded && times !== 'own'
      ? [['when it is about to write', true] satisfies [string, boolean]]
      : []),
  ])('keeps its edit though no answer says the time, and theirs came %s', async (_when, isLate) => {
    const bench = start();
    const { id } = bench.service;
    const device = await bench.synced(2);
    bench.isTimeless = true;
    const theirs = () => bench.service.put(id(0), { text: 'theirs again', theirs: 1 });
    if (!isLate) await theirs();
    bench.advance(MINUTE_MS, device);
    await bench.put(device, 0, { text: 'ours' });
    bench.advance(MINUTE_MS, device);
    if (isLate) await overtaken(bench, theirs);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect((await bench.live())[id(0)]).toMatchObject({ text: 'ours' });
    await bench.agreed(device);
  });

  it.each([
    ['theirs after ours', true],
    ['ours after theirs', false],
  ])('goes by the time of an edit and not of sending: %s', async (_what, isOursFirst) => {
    const bench = start();
    const { id } = bench.service;
    let device = await bench.synced(2);
    const edits = [
      () => bench.put(device, 0, { text: 'ours' }),
      async () => bench.service.put(id(0), { text: 'theirs again' }),
    ];
    for (const edit of isOursFirst ? edits : edits.reverse()) {
      await edit();
      bench.advance(MINUTE_MS, device);
    }
    bench.service.down(true);
    expect(await device.agent.sync()).toMatchObject({ ok: false });
    bench.service.down(false);
    device = await bench.boot(device.storage.fork());
    await bench.recovered(device);
    // Where a version has no time, what goes up last is last.
    const text = isOursFirst && times !== null ? 'theirs again' : 'ours';
    expect((await bench.live())[id(0)]).toEqual({ text });
    await bench.agreed(device);
  });

  if (times !== 'own') return;
  it('keeps the edit that was made last, whichever was sent last', async () => {
    const bench = start();
    const one = await bench.synced(2);
    const two = await bench.boot(new MemoryStorage(), 3);
    await two.agent.enable();
    await bench.put(one, 0, { text: 'first' });
    bench.advance(MINUTE_MS, one, two);
    await bench.put(two, 0, { text: 'second' });
    for (const { agent } of [one, two, one]) {
      bench.advance(MINUTE_MS, one, two);
      expect(await agent.sync()).toMatchObject({ ok: true });
    }
    expect((await bench.live())[bench.service.id(0)]).toEqual({ text: 'second' });
    await bench.agreed(one);
    await bench.agreed(two);
  });
}

/** The server has something that cannot be used, or will not take or say anything. */
export function refusing(start: Start, { readOnly, isCarried }: Traits): void {
  it.runIf(isCarried !== true)(
    'sets aside what does not open, leaves it where it is, and goes on',
    async () => {
      const bench = start();
      const { id } = bench.service;
      const device = await bench.synced(3);
      await bench.service.spoil(id(1));
      await bench.service.spoil(id(8));
      await bench.service.put(id(2), { text: 'after it' });
      const spoilt = [await bench.service.raw(id(1)), await bench.service.raw(id(8))];
      await bench.put(device, 0, { text: 'ours' });
      await device.agent.sync();
      await device.agent.sync();
      expect(bench.statusOf(device)).toMatchObject({ quarantined: 2, pending: 0 });
      const held = Object.fromEntries(await bench.held(device));
      // What was there before stays in sight.
      expect(held).toEqual({ ...(await bench.live()), [id(1)]: { text: 'theirs 1' } });
      expect([await bench.service.raw(id(1)), await bench.service.raw(id(8))]).toEqual(spoilt);
      await bench.service.put(id(1), { text: 'good again' });
      await bench.service.put(id(8), { text: 'good at last' });
      bench.advance(MINUTE_MS, device);
      expect(await device.agent.sync()).toMatchObject({ ok: true });
      await bench.agreed(device);
    },
  );

  it('asks nothing for as long as the server wants, over a reboot, too', async () => {
    const bench = start();
    const device = await bench.story();
    bench.service.wait(600);
    await device.agent.sync();
    bench.wire.asked.length = 0;
    const told = { ok: false, requests: 0, error: { code: 'backoff' } };
    bench.advance(9 * MINUTE_MS, device);
    expect(await device.agent.sync()).toMatchObject(told);
    const again = await bench.boot(device.storage.fork());
    expect(await again.agent.sync()).toMatchObject(told);
    expect(bench.wire.asked).toEqual([]);
    bench.service.wait(0);
    bench.advance(2 * MINUTE_MS, again);
    await bench.recovered(again);
    await bench.toldToTheEnd(again, 'after the wait');
  });

  it('gets on with a server that asks for a pause with every answer, which it has', async () => {
    const bench = start();
    const device = await bench.story();
    bench.service.wait(600);
    // Then another one has joined, who reads all that there is.
    const another = await bench.boot(new MemoryStorage(), 3);
    await another.agent.enable();
    for (let passes = 0; passes < 12; passes++) {
      const both = [device, another];
      for (const { agent } of both) await agent.sync();
      expect(both.map(({ agent }) => agent.status().notBeforeMs)).not.toContain(null);
      bench.advance(9 * MINUTE_MS, ...both);
      for (const { agent } of both) expect(await agent.sync()).toMatchObject({ requests: 0 });
      bench.advance(16 * 60 * MINUTE_MS, ...both);
    }
    await bench.toldToTheEnd(device, 'with pauses');
    await bench.agreed(another);
  });

  it('loses nothing to a server that is down', async () => {
    const bench = start();
    const device = await bench.story();
    bench.service.down(true);
    const report = await device.agent.sync();
    expect(report).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    expect(bench.statusOf(device).pending).toBe(3);
    bench.service.down(false);
    await bench.recovered(device);
    await bench.toldToTheEnd(device, 'after the outage');
  });

  it('proves again who it is when it is asked to', async () => {
    const bench = start();
    const device = await bench.story();
    bench.service.expire();
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    await bench.toldToTheEnd(device, 'after the new proof');
  });

  if (readOnly === undefined) return;
  it('reads where it may not write, says so, and writes when it may', async () => {
    const bench = start();
    const { id } = bench.service;
    const device = await bench.story();
    readOnly(bench.service, true);
    expect(await device.agent.sync()).toMatchObject({ ok: false, error: { code: 'readOnly' } });
    expect(bench.statusOf(device)).toMatchObject({ readOnly: true, pending: 3 });
    expect((await bench.held(device)).get(id(6))).toEqual({ text: 'theirs 6' });
    expect((await bench.live())[id(0)]).toEqual({ text: 'theirs 0' });
    const refused = bench.put(device, 4, { text: 'x' });
    await expect(refused).rejects.toMatchObject({ code: 'readOnly' });
    let writes = 0;
    bench.wire.before = async (request) => {
      if (await bench.service.isWrite(request)) writes++;
    };
    bench.advance(MINUTE_MS, device);
    await device.agent.sync();
    expect(writes).toBe(0);
    readOnly(bench.service, false);
    await bench.recovered(device);
    await bench.toldToTheEnd(device, 'when it may write');
  });
}
