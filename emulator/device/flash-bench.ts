// Measures what the storage costs on flash: `node --import tsx emulator/device/flash-bench.ts`.
// The workload is that of a first sync (three keys a record and a cursor in every commit), then
// changes of single records, then a boot that only reads. Prints counts; never asserts.
// Arguments, all optional: records= batch= changes= seed= heap=, and tail= (KiB), young= (entries),
// checkpoint= (pages), cache= (KiB) in place of the built-in choice.

import { TUNING } from '../../platform/sqlite/store.ts';
import { loadProfile } from '../profiles.ts';
import { Flash } from './flash.ts';
import { FlashStorage } from './flash-storage.ts';
import { createRandom, type Random } from './random.ts';

const given = new Map(process.argv.slice(2).map((word) => word.split('=') as [string, string]));
const setting = (name: string, fallback: number) => Number(given.get(name) ?? fallback);
const random = createRandom(setting('seed', 1));
const { flash: profile, storageHeapBytes } = loadProfile('panasonic-cx700');
let chargedUs = 0;
const charge = (durationUs: number) => {
  chargedUs += durationUs;
};
const flash = new Flash({ profile, charge });

const storage = await boot(flash);
console.log('step', 'payload KB', 'pages', 'amplification', 'syncs', 'instructions M', 'flash ms');
await firstSync(setting('records', 10_000), setting('batch', 100));
const changes = await oneRecordChanges(setting('changes', 1000));
const peakBytes = storage.heapPeakBytes();
await idleBoot();
const removals = await removalsPeakBytes();
console.log(
  `SQLite heap peak: ${peakBytes} bytes, ${removals} when all of 20,000 keys are removed`,
);
console.log(`most worn page: ${flash.wearMax} programs`);
const sorted = changes.sort((a, b) => a - b);
console.log(
  `flash pages of a one-record change: mean ${(sum(sorted) / sorted.length).toFixed(1)}, ` +
    `median ${at(0.5)}, 99 of 100 up to ${at(0.99)}, most ${at(1)}`,
);

function at(share: number): number | undefined {
  return sorted[Math.ceil(share * sorted.length) - 1];
}

function boot(on: Flash): Promise<FlashStorage> {
  return FlashStorage.open({
    flash: on,
    quotaBytes: profile.quotaBytes,
    heapBytesMax: setting('heap', storageHeapBytes),
    random,
    nowMs: () => 0,
    tuning: {
      tailBytesMax: setting('tail', TUNING.tailBytesMax / 1024) * 1024,
      youngEntriesMax: setting('young', TUNING.youngEntriesMax),
      checkpointPages: setting('checkpoint', TUNING.checkpointPages),
      cacheKiB: setting('cache', TUNING.cacheKiB),
    },
  });
}

async function firstSync(records: number, batch: number): Promise<void> {
  const report = meter('first sync', storage);
  for (let done = 0; done < records; done += batch) {
    const changes: [string, string][] = [];
    for (let i = 0; i < batch; i++) changes.push(...record(random, `r${done + i}`));
    await storage.commit([...changes, ['c.history', `"${1e12 + done}"`]]);
  }
  report();
}

/**
 * Each is two commits, as a pass makes them: the record with its cursor, then the acknowledgement.
 */
async function oneRecordChanges(count: number): Promise<number[]> {
  const report = meter(`${count} changes`, storage);
  const pages: number[] = [];
  for (let i = 0; i < count; i++) {
    const before = flash.events;
    await storage.commit([...record(random, `x${i}`), ['c.history', `"${2e12 + i}"`]]);
    await storage.commit([
      ['c.history', `"${3e12 + i}"`],
      ['p.last', `${i}`],
      [`o.history.${i}`, null],
      ['s.status', '{"state":"enabled"}'],
    ]);
    pages.push(flash.events - before);
  }
  report();
  return pages;
}

async function idleBoot(): Promise<void> {
  const again = await boot(flash);
  const report = meter('idle boot', again);
  await again.get(['c.history', 'h.r.nothing']);
  await again.scan({ from: 'h.d.', to: 'h.d/', limit: 50, reverse: true });
  report();
}

/** What is hardest on the heap: merges in which every key is outdated. */
async function removalsPeakBytes(): Promise<number> {
  const other = await boot(new Flash({ profile, charge }));
  const keys = Array.from({ length: 20_000 }, () => `h.u.${letters(random, 30)}`);
  for (const value of ['x', null]) {
    for (let done = 0; done < keys.length; done += 400) {
      await other.commit(keys.slice(done, done + 400).map((key) => [key, value]));
    }
  }
  return other.heapPeakBytes();
}

/** Keys and sizes of one history record: itself, by date, by address. */
function record(from: Random, id: string): [string, string][] {
  const name = letters(from, 12);
  const date = `${1e15 + from.uint32()}`;
  return [
    [`h.r.${name}`, `${id} ${letters(from, 600 + (from.uint32() % 200))}`],
    [`h.d.${date}.${name.slice(0, 4)}`, ''],
    [`h.u.https://${letters(from, 54)}`, ''],
  ];
}

function letters(from: Random, count: number): string {
  return Buffer.from(from.bytes(count)).toString('base64url').slice(0, count);
}

function meter(name: string, of: FlashStorage): () => void {
  const before = { ...flash.counters, chargedUs };
  const [events, payload, ops] = [flash.events, of.payloadBytes, of.instructions()];
  return () => {
    const pages = flash.events - events;
    const bytes = of.payloadBytes - payload;
    console.log(
      name,
      Math.round(bytes / 1000),
      pages,
      bytes === 0 ? '-' : ((pages * profile.pageBytes) / bytes).toFixed(2),
      flash.counters.syncs - before.syncs,
      ((of.instructions() - ops) / 1e6).toFixed(1),
      Math.round((chargedUs - before.chargedUs) / 1000),
    );
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
