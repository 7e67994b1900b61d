import { describe, expect, it } from 'vitest';
import type { Change } from '../../platform/ports.ts';
import type { Tuning } from '../../platform/sqlite/store.ts';
import { type StorageUnderTest, storageContract } from '../../test/contract/storage.ts';
import { rowsOf } from '../../test/support/rows.ts';
import { loadProfile } from '../profiles.ts';
import { Flash, PowerCut } from './flash.ts';
import type { FlashImage } from './flash-image.ts';
import { FlashStorage } from './flash-storage.ts';
import { createRandom } from './random.ts';

const { flash: profile, storageHeapBytes } = loadProfile('panasonic-cx700');

function newFlash(quotaBytes = profile.quotaBytes): Flash {
  return new Flash({ profile: { ...profile, quotaBytes }, charge() {} });
}

/** Everything is small, so that merges happen within a test. */
function boot(
  flash: Flash,
  quotaBytes = profile.quotaBytes,
  tuning: Partial<Tuning> = {},
): Promise<FlashStorage> {
  return FlashStorage.open({
    flash,
    quotaBytes,
    heapBytesMax: storageHeapBytes,
    random: createRandom(1),
    nowMs: () => 0,
    tuning: { tailBytesMax: 600, youngEntriesMax: 50, ...tuning },
  });
}

storageContract('SQLite on flash', () => onFlash(newFlash()));
storageContract('SQLite on flash, mostly in its log', () => onFlash(newFlash(), {}));

async function onFlash(
  flash: Flash,
  tuning: Partial<Tuning> = { checkpointPages: 40 },
): Promise<StorageUnderTest> {
  return {
    storage: await boot(flash, profile.quotaBytes, tuning),
    reopen: () => onFlash(flash.reboot(createRandom(1), 'lost'), tuning),
    close: async () => {},
    damaged: async (choose) => {
      const image = flash.imageAfterCut(createRandom(1), 'kept');
      return onFlash(flashWith(flipped(image, choose)), tuning);
    },
  };
}

function flashWith(image: FlashImage): Flash {
  return new Flash({ profile, charge() {}, image });
}

/** With a bit of some page of some file changed. */
function flipped(image: FlashImage, choose: (below: number) => number): FlashImage {
  const pages = [...image].flatMap(([name, file]) =>
    file.pages.flatMap((page, index) => (page === undefined ? [] : [{ name, index, page }])),
  );
  const hit = pages[choose(pages.length)];
  if (hit === undefined) return image;
  const bytes = hit.page.bytes.slice();
  const at = choose(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << choose(8));
  return new Map(
    [...image].map(([name, file]) => {
      if (name !== hit.name) return [name, file];
      const changed = [...file.pages];
      changed[hit.index] = { ...hit.page, bytes };
      return [name, { ...file, pages: changed }];
    }),
  );
}

/** A record with keys for its date and its address, and the cursor that covers it. */
function record(name: string, text: string): Change[] {
  return [
    [`h.r.${name}`, text],
    [`h.d.1500000000000000.${name}`, ''],
    [`h.u.https://example.org/${name}`, ''],
    ['c.history', `"${name}"`],
  ];
}

const ALL = { from: '!', to: '~~', limit: 10_000 };

describe('SQLite on flash', () => {
  it('writes nothing when it is opened and read', async () => {
    const flash = newFlash();
    const first = await boot(flash);
    for (let i = 0; i < 40; i++) await first.commit(record(`r${i}`, 'x'.repeat(700)));
    const events = flash.events;
    const second = await boot(flash);
    expect(await rowsOf(second)).toEqual(await rowsOf(first));
    expect(await second.get(['c.history'])).toEqual(['"r39"']);
    expect(flash.events).toBe(events);
  });

  it('counts instructions and heap the same in every run', async () => {
    const run = async () => {
      const storage = await boot(newFlash());
      for (let i = 0; i < 20; i++) await storage.commit(record(`r${i}`, 'x'.repeat(700)));
      return [storage.instructions(), storage.heapPeakBytes(), storage.payloadBytes];
    };
    const [instructions = 0, heapBytes = 0, payloadBytes] = await run();
    expect(await run()).toEqual([instructions, heapBytes, payloadBytes]);
    expect(instructions).toBeGreaterThan(1_000_000);
    expect(heapBytes).toBeGreaterThan(100_000);
    expect(heapBytes).toBeLessThan(storageHeapBytes);
  });

  it('keeps values of 2 MiB under its heap limit', async () => {
    const flash = newFlash();
    const text = '\u{1f9a6}'.repeat(512 * 1024);
    const bytes = new Uint8Array(2 * 1024 * 1024).fill(7);
    await (await boot(flash)).commit([
      ['0', text],
      ['1', bytes],
    ]);
    const storage = await boot(flash);
    const [sameText, sameBytes] = await storage.get(['0', '1']);
    expect(sameText === text && Buffer.compare(sameBytes as Uint8Array, bytes) === 0).toBe(true);
    await storage.commit([
      ['0', 'short'],
      ['1', null],
    ]);
    expect(await rowsOf(storage)).toEqual([['0', 'short']]);
    expect(storage.heapPeakBytes()).toBeLessThan(storageHeapBytes);
  });

  it('gives the room of removed and overwritten values back', async () => {
    const quotaBytes = 3 * 1024 * 1024;
    const storage = await boot(newFlash(quotaBytes), quotaBytes);
    for (let i = 0; i < 200; i++) {
      await storage.commit(record(`r${i % 10}`, 'x'.repeat(60_000)));
      if (i % 10 === 9) await storage.commit([[`h.r.r${i % 7}`, null]]);
    }
    expect(storage.check()).toEqual([]);
  });

  it('is full without harm: nothing of the commit is written, and removals make room', async () => {
    const quotaBytes = 1024 * 1024;
    const flash = newFlash(quotaBytes);
    const storage = await boot(flash, quotaBytes);
    let stored = 0;
    const fill = async () => {
      for (;;) {
        await storage.commit(record(`r${stored}`, 'x'.repeat(3000)));
        stored++;
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: 'full' });
    expect(stored).toBeGreaterThan(50);
    const before = await rowsOf(storage);
    expect(before).toHaveLength(3 * stored + 1);
    await expect(storage.commit(record('one-more', 'x'.repeat(9000)))).rejects.toMatchObject({
      code: 'full',
    });
    expect(await rowsOf(storage)).toEqual(before);

    for (let i = 0; i < stored / 2; i++) {
      await storage.commit(record(`r${i}`, '').map(([key]): Change => [key, null]));
    }
    await storage.commit(record('one-more', 'x'.repeat(9000)));
    const later = await boot(flash.reboot(createRandom(1), 'lost'), quotaBytes);
    expect(await later.scan(ALL)).toHaveLength(3 * (stored - Math.ceil(stored / 2)) + 4);
    expect(later.check()).toEqual([]);
  });

  it('fails a commit that needs more heap than there is, and goes on', async () => {
    const storage = await FlashStorage.open({
      flash: newFlash(),
      quotaBytes: profile.quotaBytes,
      heapBytesMax: 400 * 1024,
      random: createRandom(1),
      nowMs: () => 0,
      tuning: { cacheKiB: 4000 },
    });
    await storage.commit([['k', 'v']]);
    const much = Array.from({ length: 1000 }, (_, i): Change => [`${i}`, 'x'.repeat(4000)]);
    await expect(storage.commit(much)).rejects.toMatchObject({ code: 'failed' });
    expect(await rowsOf(storage)).toEqual([['k', 'v']]);
  });

  it('ends with a power cut that is no storage error, and stays off', async () => {
    const flash = newFlash();
    const storage = await boot(flash);
    await storage.commit(record('a', 'kept'));
    flash.cutAt = flash.events + 1;
    await expect(storage.commit(record('b', 'cut'))).rejects.toBeInstanceOf(PowerCut);
    await expect(storage.get(['h.r.a'])).rejects.toBeInstanceOf(PowerCut);
    const next = await boot(flash.reboot(createRandom(1), 'lost'));
    expect(await next.get(['h.r.a', 'h.r.b'])).toEqual(['kept', null]);
  });
});
