// What people suffered from who kept their data on a Kinto before, with kinto.js and what was built
// on it, each as its own users told it. Any Kinto, through public doors alone.

import { describe, expect, it } from 'vitest';
import { type Contents, strategies } from '../../agent/index.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Body, Service } from '../support/service.ts';
import { Bench, MINUTE_MS } from './bench.ts';

type Device = Awaited<ReturnType<Bench['boot']>>;
type Start = () => Service;

/**
 * `page`: records of the largest one. `isShort`: without what is tried at every request of a pass,
 * for a server that takes its time.
 */
export function kintoLessons(name: string, start: Start, page: number, isShort = false): void {
  describe(`lessons of kinto.js: ${name}`, () => {
    if (!isShort) trying(start, page);
    editing(start);
    beginning(start, page);
    hiding(start);
    deciding(start);
    lasting(start);
  });
}

/** Something happens at each request of a pass in turn. */
function trying(start: Start, page: number): void {
  it.each([false, true])(
    'an edit at any moment of a pass is neither lost nor a conflict (by hand: %s)',
    async (isManual) => {
      for (let at = 1; ; at++) {
        const bench = new Bench(isManual ? byHand(start) : start);
        const device = await bench.synced(2);
        await bench.put(device, 0, { text: 'first' });
        await bench.put(device, 5, { text: 'new' });
        await bench.service.put(bench.service.id(1), { text: 'theirs' });
        let edits = 0;
        bench.wire.before = async (_request, count) => {
          if (count !== at) return;
          edits++;
          bench.advance(1_000, device);
          await bench.put(device, 0, { text: 'second' });
          await bench.put(device, 5, { text: 'newer' });
        };
        expect(await device.agent.sync()).toMatchObject({ ok: true });
        if (edits === 0) return expect(at).toBeGreaterThan(3);
        for (let n = 0; n < 2; n++) {
          bench.advance(MINUTE_MS, device);
          expect(await device.agent.sync()).toMatchObject({ ok: true });
        }
        expect(await textsOf(bench)).toEqual(['second', 'theirs', 'newer']);
        expect(bench.statusOf(device).conflicts ?? 0, `edited at request ${at}`).toBe(0);
        await bench.agreed(device);
      }
    },
  );

  it('a pass that fails in its middle leaves no half of anything', async () => {
    for (let at = 1; ; at++) {
      const bench = new Bench(start);
      const device = await bench.synced(3);
      for (let n = 1; n < 3 + page; n++) {
        await bench.service.put(bench.service.id(n), { text: `theirs again ${n}` });
      }
      await bench.put(device, 0, { text: 'ours' });
      bench.wire.loses = (_request, count) => count >= at;
      const report = await device.agent.sync();
      const held = await bench.held(device);
      expect(bench.statusOf(device).held).toBe(held.size);
      for (const [id, { text }] of held) {
        expect([`theirs ${id.slice(7)}`, `theirs again ${id.slice(7)}`, 'ours']).toContain(text);
      }
      expect(held.get(bench.service.id(0))).toEqual({ text: 'ours' });
      bench.wire.loses = () => false;
      await bench.recovered(device);
      await bench.agreed(device);
      if (report.ok) return expect(at).toBeGreaterThan(2);
    }
  });
}

/** Apps edit at the same moment, or when nobody knows what the server has. */
function editing(start: Start): void {
  it('an edit after an answer that was lost ends in a conflict that can be ended', async () => {
    const bench = new Bench(byHand(start));
    const { collection, id } = bench.service;
    const device = await bench.synced(1);
    await bench.put(device, 0, { text: 'first' });
    let lost = 0;
    bench.wire.loses = () => /\/records\/h-.*payload/.test(bench.sent.at(-1) ?? '') && ++lost === 1;
    await device.agent.sync();
    bench.wire.loses = () => false;
    await bench.put(device, 0, { text: 'second' });
    await bench.recovered(device);
    // Nothing says that the other version is this device's own.
    const waiting = await device.agent.conflicts?.(collection, { limit: 5 });
    expect(waiting?.conflicts).toMatchObject([
      { ours: { text: 'second' }, theirs: { text: 'first' }, base: { text: 'theirs 0' } },
    ]);
    await device.agent.resolve?.(collection, id(0), 'ours');
    await bench.recovered(device);
    expect(await textsOf(bench)).toEqual(['second']);
    await bench.agreed(device);
  });

  it('edits of one record at the same moment are all in it', async () => {
    const bench = new Bench(start);
    const device = await bench.synced(1);
    const names = Array.from({ length: 20 }, (_, n) => `member${n}`);
    await Promise.all(names.map((name, n) => bench.put(device, 0, { [name]: n })));
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    const [body] = Object.values(await bench.live());
    expect(Object.keys(body ?? {}).sort()).toEqual([...names, 'text'].sort());
    await bench.agreed(device);
  });

  it('what is changed again before or after a pass is sent once, under its version', async () => {
    const bench = new Bench(start);
    const { id, writes } = bench.service;
    const device = await bench.synced(0);
    await bench.put(device, 0, { text: 'created' });
    await bench.put(device, 0, { text: 'updated' });
    await bench.put(device, 1, { text: 'created' });
    await bench.delete(device, 1);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect([await writes(id(0)), await writes(id(1))]).toEqual([1, 0]);
    await bench.put(device, 0, { text: 'updated again' });
    const report = await device.agent.sync();
    expect(report.collections[bench.service.collection]).toMatchObject({ pushed: 1, merged: 0 });
    expect(await textsOf(bench)).toEqual(['updated again']);
    await bench.agreed(device);
  });
}

/** A first sync is long, and a pass may fail in its middle. */
function beginning(start: Start, page: number): void {
  it('a first sync that is interrupted again and again goes on where it was', async () => {
    const bench = new Bench(start);
    const count = 3 * page + 1;
    for (let n = 0; n < count; n++) await bench.service.put(bench.service.id(n), { text: `${n}` });
    bench.advance(2 * MINUTE_MS);
    let storage = new MemoryStorage();
    let pulled = 0;
    for (let tries = 0; tries < 10; tries++) {
      const device = await bench.boot(storage);
      let pages = 0;
      // One page is answered, then the link breaks; then the power goes.
      bench.wire.loses = (request) => bench.service.isPage(request) && ++pages > 1;
      const report = await (tries === 0 ? device.agent.enable() : device.agent.sync());
      pulled += report.collections[bench.service.collection]?.pulled ?? 0;
      if (report.ok) break;
      storage = device.storage.fork();
      bench.advance(5 * MINUTE_MS, device);
    }
    bench.wire.loses = () => false;
    const device = await bench.boot(storage.fork());
    await bench.recovered(device);
    await bench.agreed(device);
    // Each came once, whatever was asked for again.
    expect(pulled).toBeLessThanOrEqual(count + 1);
  });

  it('after a flush it is told once, nothing is lost, and syncing goes on', async () => {
    const bench = new Bench(start);
    const device = await bench.synced(3);
    await bench.service.renew();
    await bench.put(device, 4, { text: 'ours' });
    await bench.recovered(device);
    await bench.recovered(device);
    expect(await textsOf(bench)).toEqual(['theirs 0', 'theirs 1', 'theirs 2', 'ours']);
    await bench.agreed(device);
    const told = device.platform.events.filter((json) => json.includes('"beganAnew"'));
    expect(told).toHaveLength(1);
  });
}

/** What the server, and who finds the device, can read. */
function hiding(start: Start): void {
  const SECRET = 'unguessable';

  it('neither ids, nor texts, nor deletions are to be seen on the wire', async () => {
    const bench = new Bench(start);
    const device = await bench.synced(0);
    const id = `${SECRET}-id`;
    const { collection } = bench.service;
    await device.agent.put(collection, { id, text: SECRET });
    await device.agent.sync();
    bench.sent.length = 0;
    await device.agent.put(collection, { id, text: `${SECRET} again` });
    await device.agent.sync();
    const edits = bench.sent.splice(0);
    await device.agent.delete(collection, id);
    await device.agent.sync();
    const deletions = bench.sent.splice(0);
    expect(edits.concat(deletions).filter((text) => text.includes(SECRET))).toEqual([]);
    // A deletion is a record that is written, like any other.
    const shape = (texts: string[]): string[] =>
      texts.map((text) =>
        text.replace(/"[^"]{30,}"|\d{6,}|\d+/g, '*').replace(/[\w+/=\\]{24,}/g, '*'),
      );
    expect(shape(deletions).filter((text) => /delete/i.test(text))).toEqual([]);
    expect(deletions).toHaveLength(edits.length);
    expect(await bench.live()).toEqual({});
  });

  it('what lies on the device is sealed, and so are both sides of a conflict', async () => {
    const bench = new Bench(byHand(start));
    const { id } = bench.service;
    await bench.service.put(id(0), { text: `${SECRET} base` });
    const device = await bench.synced(0);
    await bench.put(device, 0, { text: `${SECRET} ours` });
    await bench.service.put(id(0), { text: `${SECRET} theirs` });
    await bench.put(device, 1, { text: SECRET });
    await device.agent.sync();
    expect(bench.statusOf(device)).toMatchObject({ conflicts: 1 });
    const rows = device.storage.snapshot();
    const bytes = (value: string | Uint8Array): string =>
      typeof value === 'string' ? value : Buffer.from(value).toString('latin1');
    expect(rows.filter(([key, value]) => `${key} ${bytes(value)}`.includes(SECRET))).toEqual([]);
    expect(rows.length).toBeGreaterThan(5);
  });
}

/** What was decided stays so. */
function deciding(start: Start): void {
  it('a conflict that is decided is not reported again, on any device', async () => {
    const bench = new Bench(byHand(start));
    const { collection, id } = bench.service;
    const one = await bench.synced(1);
    const two = await bench.boot(new MemoryStorage(), 7);
    await two.agent.enable();
    await bench.put(two, 0, { text: 'of two' });
    await bench.put(one, 0, { text: 'of one' });
    for (const device of [two, one]) await pass(bench, device);
    expect(bench.statusOf(one)).toMatchObject({ conflicts: 1 });
    await one.agent.resolve?.(collection, id(0), { text: 'of both' });
    for (const device of [one, two, one, two]) {
      await pass(bench, device);
      expect(bench.statusOf(device).conflicts ?? 0).toBe(0);
    }
    for (const device of [one, two]) await bench.agreed(device);
    expect(await textsOf(bench)).toEqual(['of both']);
    // Nobody writes it once more.
    const writes = await bench.service.writes(id(0));
    for (const device of [one, two]) await pass(bench, device);
    expect(await bench.service.writes(id(0))).toBe(writes);
  });

  it('the server’s version is not sent back to it', async () => {
    const bench = new Bench(byHand(start, 'remoteWins'));
    const { id, writes } = bench.service;
    const device = await bench.synced(1);
    await bench.put(device, 0, { text: 'ours' });
    await bench.service.put(id(0), { text: 'theirs' });
    const before = await writes(id(0));
    await pass(bench, device);
    expect(await writes(id(0))).toBe(before);
    await bench.agreed(device);
  });

  it('a note that two devices edit all day grows by what they write, and no more', async () => {
    const bench = new Bench(byHand(start, 'merge'));
    const { id } = bench.service;
    const one = await bench.synced(1);
    const two = await bench.boot(new MemoryStorage(), 7);
    await two.agent.enable();
    for (let n = 0; n < 12; n++) {
      await bench.put(one, 0, { text: `one ${n}`, one: n });
      await bench.put(two, 0, { text: `two ${n}`, two: n });
      for (const device of [one, two, one]) await pass(bench, device);
    }
    const note: Body = (await bench.live())[id(0)] ?? {};
    expect(note).toMatchObject({ one: 11, two: 11 });
    expect(JSON.stringify(note).length).toBeLessThan(60);
    for (const device of [one, two]) await bench.agreed(device);
  });
}

/** A deletion that the server does not know any more, or never knew. */
function lasting(start: Start): void {
  it('what the server has lost can be deleted all the same', async () => {
    const bench = new Bench(start);
    const device = await bench.synced(2);
    await bench.service.renew();
    await bench.delete(device, 0);
    await bench.recovered(device);
    await bench.recovered(device);
    expect(await textsOf(bench)).toEqual(['theirs 1']);
    await bench.agreed(device);
  });
}

/** The service, for devices with this strategy. */
function byHand(start: Start, strategy: 'manual' | 'merge' | 'remoteWins' = 'manual'): Start {
  return () => {
    const service = start();
    const contents: Contents = { ...service.contents, strategies };
    const config = { ...service.config, strategies: { [service.collection]: strategy } };
    return Object.assign(service, { contents, config });
  };
}

async function pass(bench: Bench, device: Device): Promise<void> {
  bench.advance(MINUTE_MS, device);
  expect(await device.agent.sync()).toMatchObject({ ok: true });
}

/** The texts of all records, in the order of their ids. */
async function textsOf(bench: Bench): Promise<unknown[]> {
  const live = Object.entries(await bench.live()).sort(([a], [b]) => (a < b ? -1 : 1));
  return live.map(([, { text }]) => text);
}
