// Records in packs, between devices and an emulated server: where they come to lie, what two of
// them make of one pack, and what becomes of packs that the server spoils or loses.

import { describe, expect, test, vi } from 'vitest';
import { MemoryStorage } from '../../../../platform/memory/storage.ts';
import { MINUTE_MS } from '../../../../test/contract/bench.ts';
import { packedBench, theirs } from '../../../../test/support/kinto-packs-bench.ts';
import { ENTRY_BYTES_MAX, FULL_BYTES, PACK_BYTES_MAX } from './limits.ts';
import { ALONE, LIVE } from './pack.ts';

const text = (n: number, chars = 200): string => `${n} ${'x'.repeat(chars)}`;

test('many records fill packs, the first ones first, and a new device has them all', async () => {
  const { bench, packs, synced } = packedBench();
  const one = await bench.synced(0);
  for (let n = 0; n < 120; n++) await bench.put(one, n, { text: text(n) });
  await synced(one);
  const all = packs();
  expect(all.flatMap(({ entries }) => entries)).toHaveLength(120);
  const full = all.filter(({ isFull }) => isFull);
  expect(full.map(({ id }) => id)).toContain('p-');
  for (const { entries } of full) expect(entries.length).toBe(Math.floor(FULL_BYTES / 310));
  expect(all.length).toBeLessThan(20);
  const two = await bench.boot(new MemoryStorage(), 3);
  await two.agent.enable();
  expect((await bench.held(two)).size).toBe(120);
  await synced(two, one);
});

test('what was not there before is written without being asked for', async () => {
  const { bench, synced, packs } = packedBench();
  const one = await bench.synced(0);
  for (let n = 0; n < 60; n++) await bench.put(one, n, { text: text(n, 300) });
  bench.sent.length = 0;
  await one.agent.sync();
  const asked = bench.sent.filter((sent) => sent.includes('"GET"'));
  expect(asked).toHaveLength(1);
  await synced(one);
  expect(packs().length).toBeGreaterThan(5);
});

test('a pack that a device has filled is asked for no more', async () => {
  const { bench, synced, packs } = packedBench();
  const one = await bench.synced(0);
  for (let n = 0; n < 600; n++) await bench.put(one, n, { text: text(n, 300) });
  bench.sent.length = 0;
  await one.agent.sync();
  const asked = bench.sent.flatMap((sent) => sent.match(/"GET","path":"[^"]*p-[0-3]*"/g) ?? []);
  expect(packs().length).toBeGreaterThan(90);
  // Those that nothing is known of: few, and none of them twice.
  expect(asked.length).toBeLessThan(5);
  expect(new Set(asked).size).toBe(asked.length);
  await synced(one);
});

test('what a device has put into packs of its own it does not read again', async () => {
  const { bench, synced, packs } = packedBench();
  const one = await bench.synced(0);
  for (let n = 0; n < 60; n++) await bench.put(one, n, { text: text(n, 300) });
  const { crypto } = one.platform;
  if (crypto === undefined) throw new TypeError('these devices have cryptography of their own');
  const opened = vi.spyOn(crypto, 'open');
  await one.agent.sync();
  const texts = (await Promise.all(opened.mock.results.map(({ value }) => value))).flat();
  const read = texts.filter((answer) => 'text' in answer && answer.text.startsWith('pp-'));
  // One of each listing but the first, which found nothing: none of them is without a record.
  const listings = bench.sent.filter((sent) => sent.includes('?_sort='));
  expect(read).toHaveLength(listings.length - 1);
  expect(packs().length).toBeGreaterThan(2 * listings.length);
  await synced(one);
});

test('one edit writes one pack, and no other record of it is news', async () => {
  const { bench, service, synced } = packedBench();
  const [one, two] = [await bench.synced(0), await bench.boot(new MemoryStorage(), 3)];
  await two.agent.enable();
  for (let n = 0; n < 9; n++) await bench.put(one, n, { text: text(n) });
  await synced(one, two);
  bench.sent.length = 0;
  await bench.put(one, 4, { text: 'edited' });
  expect(await one.agent.sync()).toMatchObject({ ok: true });
  expect(bench.sent.filter((sent) => sent.includes('/p-'))).toHaveLength(2);
  bench.advance(MINUTE_MS, two);
  const report = await two.agent.sync();
  expect(report.collections[service.collection]).toMatchObject({ pulled: 1, merged: 0 });
  expect((await bench.held(two)).get(service.id(4))).toEqual({ text: 'edited' });
});

test('two devices that change one pack at once keep both changes', async () => {
  const { bench, service, synced } = packedBench();
  const [one, two] = [await bench.synced(4), await bench.boot(new MemoryStorage(), 3)];
  await two.agent.enable();
  await bench.put(one, 0, { text: 'older' });
  await bench.put(one, 1, { text: 'of one' });
  await bench.put(two, 0, { two: 2 });
  await bench.delete(two, 2);
  let isDone = false;
  bench.wire.before = async (request) => {
    if (isDone || !(await service.isWrite(request))) return;
    isDone = true;
    expect(await two.agent.sync()).toMatchObject({ ok: true });
  };
  expect(await one.agent.sync()).toMatchObject({ ok: true });
  bench.wire.before = async () => undefined;
  await synced(one, two);
  expect(await bench.live()).toEqual({
    [service.id(0)]: { text: 'older', two: 2 },
    [service.id(1)]: { text: 'of one' },
    [service.id(3)]: { text: 'theirs 3' },
  });
});

describe('a long record', () => {
  test('lies alone from its beginning, and may become short', async () => {
    const { bench, alone, packs, synced } = packedBench();
    const one = await bench.synced(2);
    await bench.put(one, 8, { text: text(8, 3_000) });
    await synced(one);
    expect(alone()).toHaveLength(1);
    const kinds = packs().flatMap(({ entries }) => entries.map(({ kind }) => kind));
    expect(kinds.sort()).toEqual([LIVE, LIVE, ALONE]);
    await bench.put(one, 8, { text: 'short' });
    const two = await bench.boot(new MemoryStorage(), 3);
    await two.agent.enable();
    await synced(one, two);
    expect(alone()).toHaveLength(1);
    await bench.delete(two, 8);
    await synced(two, one);
    await bench.put(one, 8, { text: 'again' });
    await synced(one, two);
  });

  test('leaves its pack when it grows, without a moment in which it is nowhere', async () => {
    const { bench, service, packs, alone, synced } = packedBench();
    const one = await bench.synced(3);
    const seen: (readonly [string, boolean])[] = [];
    bench.wire.before = async (request) => {
      if (!(await service.isWrite(request))) return;
      const entry = packs()[0]?.entries.find(({ text }) => text.includes(service.id(1)));
      seen.push([entry?.text ?? '', alone().length > 0]);
    };
    await bench.put(one, 1, { text: text(1, ENTRY_BYTES_MAX) });
    await synced(one);
    // In the pack, still in the pack, and alone.
    expect(seen.map(([inPack, isAlone]) => [inPack !== '', isAlone])).toEqual([
      [true, false],
      [true, false],
      [true, true],
    ]);
    expect(packs()[0]?.entries.map(({ kind, text: inPack }) => [kind, inPack !== ''])).toEqual(
      expect.arrayContaining([[ALONE, false]]),
    );
    const two = await bench.boot(new MemoryStorage(), 3);
    await two.agent.enable();
    await synced(two, one);
  });

  test.each([1, 2, 3, 4, 5, 6, 7])(
    'that was leaving when answer %i was lost has left after the next pass',
    async (point) => {
      const { bench, service, synced } = packedBench();
      const [one, two] = [await bench.synced(3), await bench.boot(new MemoryStorage(), 3)];
      await two.agent.enable();
      await bench.put(one, 1, { text: text(1, ENTRY_BYTES_MAX) });
      let asked = 0;
      bench.wire.loses = () => ++asked === point;
      await one.agent.sync();
      bench.wire.loses = () => false;
      // Whoever comes in between sees the record, old or new.
      bench.advance(MINUTE_MS, one, two);
      await two.agent.sync();
      expect((await bench.held(two)).get(service.id(1))).toBeDefined();
      await bench.put(two, 1, { two: 2 });
      await bench.put(two, 0, { text: 'a neighbour' });
      await two.agent.sync();
      await bench.recovered(one);
      await synced(one, two);
      expect((await bench.live())[service.id(1)]).toMatchObject({ two: 2 });
      expect((await bench.live())[service.id(0)]).toEqual({ text: 'a neighbour' });
    },
  );

  test('pushes nobody out of a pack that grows', async () => {
    const { bench, service, packs, synced } = packedBench();
    const one = await bench.synced(0);
    for (let n = 0; n < 40; n++) await bench.put(one, n, { text: text(n, 20) });
    await synced(one);
    for (let n = 0; n < 40; n++) await bench.put(one, n, { text: text(n, 800) });
    await synced(one);
    const lengths = packs().map(({ id }) => {
      const { ciphertext } = JSON.parse(String(service.records().get(id)?.payload));
      return Buffer.from(ciphertext, 'base64').length;
    });
    expect(Math.max(...lengths)).toBeGreaterThan(FULL_BYTES);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(PACK_BYTES_MAX + 16);
  });
});

describe('a pack', () => {
  test('that does not open is told, costs no neighbour, and is mended by who has it', async () => {
    const { bench, service, synced } = packedBench();
    const one = await bench.synced(9);
    const before = await bench.held(one);
    const good = service.records().get('p-')?.payload;
    service.records().put('p-', { payload: theirs.sealItems(['spoilt']) });
    bench.advance(MINUTE_MS, one);
    await one.agent.sync();
    expect(bench.statusOf(one)).toMatchObject({ quarantined: 1 });
    expect(await bench.held(one)).toEqual(before);
    expect(good).toBeDefined();
    service.records().put('p-', { payload: good });
    await synced(one);
  });

  test('that stays spoilt is replaced by what a device holds, at its third try', async () => {
    const { bench, service, synced, packs } = packedBench();
    const one = await bench.synced(9);
    const before = await bench.held(one);
    service.records().put('p-', { payload: 'AAAA' });
    // The first four are in it.
    await bench.put(one, 1, { text: 'edited' });
    expect(before.size).toBe(9);
    for (let n = 0; n < 5; n++) {
      bench.advance(2 * MINUTE_MS, one);
      await one.agent.sync();
    }
    await synced(one);
    expect(packs().flatMap(({ entries }) => entries)).toHaveLength(9);
    expect((await bench.held(one)).size).toBe(9);
  });

  test('that the server says is deleted deletes nothing, and goes up again', async () => {
    const { bench, service, synced } = packedBench();
    const one = await bench.synced(9);
    const before = await bench.held(one);
    for (const { id } of service.records().live()) {
      if (id.startsWith('p-')) service.records().delete(id);
    }
    bench.advance(MINUTE_MS, one);
    await one.agent.sync();
    expect(await bench.held(one)).toEqual(before);
    const told = one.platform.events.filter((json) => json.includes('unprovenDeletion'));
    expect(told).toHaveLength(9);
    await synced(one);
    expect(Object.fromEntries(before)).toEqual(await bench.live());
  });
});
