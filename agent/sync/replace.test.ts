// Records that are replaced all at once, where flash is scarce, much is unsent, or values are lost.
// What every remote has to do for it is in test/contract/atomic.ts.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Change, Value } from '../../platform/ports.ts';
import { StorageError } from '../../platform/storage-rules.ts';
import { Bench } from '../../test/contract/bench.ts';
import { isWhole } from '../../test/sim/share.ts';
import { HANGING_STEPS, signedOutOf } from '../../test/support/hanging.ts';
import { documentService } from '../../test/support/made-up/services.ts';
import { atomic, generic, history } from '../index.ts';
import { SMALL_HEAP } from '../limits.ts';

/** Flash of a size. */
class Flash extends MemoryStorage {
  bytes = 0;
  peakBytes = 0;
  bytesMax = Number.MAX_SAFE_INTEGER;
  /** Of one commit. */
  changesMost = 0;
  bytesMost = 0;
  readonly #sizes = new Map<string, number>();

  override async commit(changes: readonly Change[]): Promise<void> {
    const grown = changes.reduce((sum, [key, value]) => sum + sizeOf(key, value), 0);
    if (grown > 0 && this.bytes + grown > this.bytesMax) throw new StorageError('full', 'full');
    await super.commit(changes);
    this.changesMost = Math.max(this.changesMost, changes.length);
    this.bytesMost = Math.max(this.bytesMost, grown);
    for (const [key, value] of changes) {
      const size = sizeOf(key, value);
      this.bytes += size - (this.#sizes.get(key) ?? 0);
      if (value === null) this.#sizes.delete(key);
      else this.#sizes.set(key, size);
    }
    this.peakBytes = Math.max(this.peakBytes, this.bytes);
  }
}

function sizeOf(key: string, value: Value | null): number {
  return value === null ? 0 : key.length + value.length;
}

function bench(): Bench {
  return new Bench(() => {
    const service = documentService();
    const collections = [atomic(generic(service.collection))];
    return Object.assign(service, { contents: { ...service.contents, collections } });
  });
}

const text = (n: number, what: string): string => `${what} ${n} `.padEnd(400, '.');

/** A device with so many records, whose server is about to have others in the place of some. */
async function begun(count: number, changed: number) {
  const it = bench();
  const { service } = it;
  const startMs = service.clock.nowMs;
  for (let n = 0; n < count; n++) service.put(service.id(n), { text: text(n, 'old') });
  const flash = new Flash();
  const device = await it.boot(flash);
  expect(await device.agent.enable()).toMatchObject({ ok: true });
  it.advance(60_000, device);
  const begin = (): void => {
    const { nowMs } = service.clock;
    service.renew();
    service.clock.nowMs = startMs;
    for (let n = 0; n < count; n++) service.put(service.id(n), { text: text(n, 'old') });
    service.clock.nowMs = nowMs;
    for (let n = 0; n < changed; n++) service.put(service.id(n), { text: text(n, 'new') });
  };
  const shown = async (): Promise<string[]> =>
    [...(await it.held(device)).values()].map((body) => `${body.text}`.slice(0, 3));
  return { it, service, flash, device, begin, shown };
}

test('flash holds what has changed twice, and nothing else', async () => {
  const { it, flash, device, begin, shown } = await begun(300, 30);
  const before = flash.bytes;
  flash.peakBytes = 0;
  begin();
  await it.recovered(device);
  expect((await shown()).filter((word) => word === 'new')).toHaveLength(30);
  const { peakBytes, bytes } = flash;
  console.log(
    `300 records of which 30 are new: ${before} bytes, ${peakBytes} at most, ${bytes} then`,
  );
  expect(peakBytes).toBeLessThan(before * 1.35);
  expect(bytes).toBeLessThan(before * 1.02);
});

test('where flash has no room for it, what there was stays whole, and the stage goes', async () => {
  const { it, flash, device, begin, shown } = await begun(300, 200);
  begin();
  const before = flash.bytes;
  flash.bytesMax = Math.round(before * 1.3);
  const report = await device.agent.sync();
  expect(report.error).toMatchObject({ code: 'storageFull' });
  expect(report.error?.message).toContain('no room for all records anew');
  expect(await shown()).toEqual(Array.from({ length: 300 }, () => 'old'));
  expect(flash.snapshot().filter(([key]) => key.includes('.2'))).toEqual([]);
  expect(flash.bytes).toBeLessThan(before * 1.02);
  flash.bytesMax = Number.MAX_SAFE_INTEGER;
  await it.recovered(device);
  expect((await shown()).filter((word) => word === 'new')).toHaveLength(200);
  await it.agreed(device);
});

test.runIf(isWhole)('more local changes than a commit holds are met with it', async () => {
  const { it, flash, device, begin } = await begun(20, 10);
  for (let n = 1_000; n < 2_100; n++) {
    await it.put(device, n, { text: n % 30 < 20 ? 'ours' : 'ours'.padEnd(2_000) });
  }
  begin();
  await it.recovered(device);
  await it.agreed(device);
  expect((await it.held(device)).size).toBe(1_120);
  expect(flash.changesMost).toBeLessThanOrEqual(1_024);
  // A page of these records is longer.
  expect(flash.bytesMost).toBeLessThan(2 * SMALL_HEAP.commitCharsMax);
});

test.each<[string, boolean, number]>([
  ['an edit that came while it was staged', true, 1],
  // A record that is met with its change takes two numbers.
  ['what both sides have changed', false, 2],
])('what apps change while %s is on its way goes up, too', async (_, isLate, edits) => {
  const { it, device, begin } = await begun(8, 4);
  const { service } = it;
  begin();
  it.advance(60_000, device);
  const n = isLate ? 20 : 2;
  let isEdited = false;
  if (isLate) {
    const commit = device.storage.commit.bind(device.storage);
    device.storage.commit = async (changes) => {
      await commit(changes);
      if (isEdited || !changes.some(([key]) => key.endsWith('.2c'))) return;
      isEdited = true;
      await it.put(device, n, { text: 'once' });
    };
  } else await it.put(device, n, { more: 1 });
  let isSent = false;
  it.wire.before = async (request) => {
    if (isSent || !(await service.isWrite(request))) return;
    isSent = true;
    for (let k = 1; k <= edits; k++) await it.put(device, n, { text: `late ${k}` });
  };
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(isSent).toBe(true);
  await it.recovered(device);
  expect((await it.live())[service.id(n)]).toMatchObject({ text: `late ${edits}` });
  await it.agreed(device);
});

test('a lost cursor of the set that is live takes no local change with it', async () => {
  const { it, flash, device, begin } = await begun(20, 10);
  begin();
  await it.recovered(device);
  await it.put(device, 500, { text: 'unsent' });
  const cursor = flash.snapshot().find(([key]) => key.endsWith('.2c'))?.[0] ?? '';
  expect(cursor).not.toBe('');
  for (const changes of [
    [[cursor, 'c{']],
    [
      [cursor, null],
      ['t', ''],
    ],
  ] as const) {
    const again = await it.boot(flash.fork());
    await again.storage.commit(changes);
    const lame = await it.boot(again.storage.fork());
    expect((await it.held(lame)).get(it.service.id(500))).toEqual({ text: 'unsent' });
    expect((await it.held(lame)).size).toBe(21);
  }
});

test('apps are told what they see change, once it has, and nothing else', async () => {
  const { it, device, begin } = await begun(20, 3);
  const { service } = it;
  device.agent.observe(service.collection, true);
  await it.put(device, 1, { text: 'ours', more: 1 });
  await it.delete(device, 7);
  it.advance(60_000, device);
  begin();
  service.delete(service.id(5));
  service.put(service.id(90), { text: 'another' });
  const told = (): string[] =>
    device.platform.events.flatMap((json) => {
      const { kind, id, change } = JSON.parse(json);
      return kind === 'record' ? [`${change} ${id}`] : [];
    });
  const before = told().length;
  const early: string[] = [];
  const commit = device.storage.commit.bind(device.storage);
  let hasFlipped = false;
  device.storage.commit = async (changes) => {
    if (!hasFlipped) early.push(...told().slice(before));
    hasFlipped ||= changes.some(([key, value]) => key.endsWith('.c') && value === null);
    await commit(changes);
  };
  await it.recovered(device);
  expect(hasFlipped).toBe(true);
  expect(early).toEqual([]);
  expect(told().slice(before).sort()).toEqual([
    `delete ${service.id(5)}`,
    // The second one has been merged with what the device had.
    ...[0, 1, 2, 90].map((n) => `put ${service.id(n)}`),
  ]);
});

test('what cannot be read is set aside, counted, and what was there stays in sight', async () => {
  const { it, device, begin } = await begun(20, 3);
  const { service } = it;
  begin();
  service.spoil(service.id(4));
  service.spoil(service.id(91));
  await it.recovered(device);
  expect(it.statusOf(device)).toMatchObject({ quarantined: 2, pending: 0, held: 20 });
  expect((await it.held(device)).get(service.id(4))).toEqual({ text: text(4, 'old') });
  const again = await it.boot(device.storage.fork());
  expect(it.statusOf(again)).toMatchObject({ quarantined: 2, pending: 0, held: 20 });
  service.put(service.id(4), { text: 'good again' });
  service.put(service.id(91), { text: 'good at last' });
  it.advance(60_000, again);
  await it.recovered(again);
  await it.agreed(again);
});

test.each(HANGING_STEPS)(
  'a pass that hung in a %s, and was given up by a sign-out, writes nothing any more',
  async (kind) => {
    let at = 0;
    for (let hasHung = true; hasHung; at++) {
      const { device, begin, flash } = await begun(6, 3);
      begin();
      hasHung = await signedOutOf(device, kind, at, () => device.agent.sync());
      const left = flash.snapshot().map(([key]) => key);
      expect(left, `hung in ${kind} ${at + 1}`).toEqual(['s']);
    }
    expect(at).toBeGreaterThan(2);
  },
);

test('a collection that keeps its newest records only is never whole', () => {
  expect(() => atomic(history)).toThrow('never whole: history');
});

type Step = readonly ['put' | 'delete' | 'theirs' | 'gone' | 'renew' | 'sync' | 'cut', number];

test('edits, replacements and cuts in any order end as they would one at a time', async () => {
  const kinds = ['put', 'delete', 'theirs', 'gone', 'renew', 'sync', 'cut'] as const;
  const steps = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.nat(12)), { maxLength: 14 });
  await fc.assert(
    fc.asyncProperty(steps, async (list: Step[]) => {
      const it = bench();
      let device = await it.synced(8);
      const { service } = it;
      /** The last word on each record: on both sides the later edit stays. */
      const model = new Map<string, string | null>();
      for (let n = 0; n < 8; n++) model.set(service.id(n), `theirs ${n}`);
      for (const [at, [kind, n]] of list.entries()) {
        it.advance(60_000, device);
        const id = service.id(n);
        const word = `${kind} ${at}`;
        if (kind === 'put') {
          await it.put(device, n, { text: word });
          model.set(id, word);
        } else if (kind === 'delete' && (await it.held(device)).has(id)) {
          await it.delete(device, n);
          model.set(id, null);
        } else if (kind === 'theirs') {
          service.put(id, { text: word });
          model.set(id, word);
        } else if (kind === 'gone') {
          service.delete(id);
          model.set(id, null);
        } else if (kind === 'renew') {
          await it.recovered(device);
          service.renew();
        } else if (kind === 'sync') await it.recovered(device);
        else if (kind === 'cut') {
          const storage = device.storage.fork({ atCommit: n + 1, when: 'before' });
          const doomed = await it.boot(storage);
          await doomed.agent.sync().catch(() => null);
          device = await it.boot(storage.fork());
        }
      }
      await it.recovered(device);
      await it.recovered(device);
      const live = [...model].flatMap(([id, word]) =>
        word === null ? [] : [[id, { text: word }]],
      );
      expect(Object.fromEntries(await it.held(device))).toEqual(Object.fromEntries(live));
      await it.agreed(device);
    }),
    { numRuns: 60, seed: 7 },
  );
});
