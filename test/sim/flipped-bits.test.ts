// A bit of the television's flash flips while it is off: what the agent then gives is right, or an
// error that says so, and after a pass everything is there again that the server has.

import { beforeAll, expect, test } from 'vitest';
import { Flash } from '../../emulator/device/flash.ts';
import type { FlashImage } from '../../emulator/device/flash-image.ts';
import { FlashStorage } from '../../emulator/device/flash-storage.ts';
import { createRandom } from '../../emulator/device/random.ts';
import { type Firmware, freshFirmware } from '../../emulator/firmware.ts';
import { loadProfile } from '../../emulator/profiles.ts';
import { createSetup, type Setup } from '../../emulator/setup.ts';
import { accountOf, imageOf, type OldStore, oldStores } from '../support/old-stores.ts';
import { every } from './share.ts';

const TV = loadProfile('panasonic-cx700');
const RUNS = 100;
let firmware: Firmware;
beforeAll(async () => {
  firmware = await freshFirmware(TV.name);
});

function television(store: OldStore, image: FlashImage): Setup {
  const { protocol, deviceKey = '' } = store;
  return createSetup({
    ...{ profile: TV, firmware, account: accountOf(store), protocol, crypto: 'device', seed: 4 },
    auth: protocol === 'syncto' ? 'browserid' : 'bearer',
    image,
    deviceKey: new Uint8Array(Buffer.from(deviceKey, 'hex')),
  });
}

/** All records that apps see, of a collection that is sealed at rest too. Errors: the agent's. */
async function listed({ device }: Setup): Promise<string> {
  const all: string[] = [];
  for (const collection of ['history', 'passwords']) {
    let after: string | null = null;
    do {
      const query = { collection, limit: 50, ...(after !== null && { after }) };
      const page = (await device.command('list', query)) as {
        records: { readonly guid: string }[];
        next: string | null;
      };
      all.push(...page.records.map((record) => JSON.stringify(record)));
      after = page.next;
    } while (after !== null);
  }
  return all.sort().join('\n');
}

function flipped(image: FlashImage, run: number): FlashImage {
  const random = createRandom(run, 'flips');
  const pages = [...image].flatMap(([name, { pages: all }]) =>
    all.flatMap((page, index) => (page === undefined ? [] : [{ name, index, page }])),
  );
  const hit = pages[random.uint32() % pages.length];
  if (hit === undefined) return image;
  const bytes = hit.page.bytes.slice();
  const at = random.uint32() % bytes.length;
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (random.uint32() % 8));
  const file = image.get(hit.name);
  if (file === undefined) return image;
  const changed = [...file.pages];
  changed[hit.index] = { ...hit.page, bytes };
  return new Map([...image, [hit.name, { ...file, pages: changed }]]);
}

interface Status {
  readonly error: { readonly code: string } | null;
  readonly collections: {
    readonly [name: string]: { readonly damaged: number; readonly lost: number };
  };
}

test(`${RUNS} flipped bits: nothing is wrong, and all comes back`, async () => {
  const [store] = oldStores('vm-sync15-first-cut');
  if (store === undefined) throw new Error('there is no such store');
  const first = television(store, imageOf(store));
  await first.device.boot();
  expect(await first.device.command('sync', {})).toMatchObject({ ok: true });
  const expected = await listed(first);
  const image = first.flash().imageAfterCut(createRandom(1), 'kept');
  const counts = new Map<string, number>();
  for (let run = 0; run < RUNS; run += every(25)) {
    const tv = television(store, flipped(image, run));
    const outcome = await tv.device
      .boot()
      .then(
        () => listed(tv),
        (error: unknown) => error as Error,
      )
      .catch((error: unknown) => error as Error);
    const status = (await tv.device.command('status', {}).catch(() => null)) as Status | null;
    // A device whose own state is lost says so to everybody, and does nothing.
    if (status === null || status.error?.code === 'damaged') {
      expect(`${outcome}`, `run ${run}`).toContain('damaged');
      counts.set('refused', (counts.get('refused') ?? 0) + 1);
      await tv.device.command('disable', {});
      expect(await tv.device.command('enable', {}), `run ${run}`).toMatchObject({ ok: true });
      expect(await listed(tv), `run ${run}`).toBe(expected);
      continue;
    }
    const told = Object.values(status.collections).some(({ damaged, lost }) => damaged + lost > 0);
    const what = outcome === expected ? 'right' : told ? 'told' : 'wrong';
    counts.set(what, (counts.get(what) ?? 0) + 1);
    expect(what, `run ${run}: ${outcome instanceof Error ? outcome.message : ''}`).not.toBe(
      'wrong',
    );
    expect(await tv.device.command('sync', {}), `run ${run}`).toMatchObject({ ok: true });
    expect(await listed(tv), `run ${run}`).toBe(expected);
  }
  console.log([...counts].map(([what, runs]) => `${runs} ${what}`).join(', '));
}, 600_000);

test('a state that is lost is told, and given up by who signs out', async () => {
  const [store] = oldStores('vm-sync15-first-cut');
  if (store === undefined) throw new Error('there is no such store');
  const flash = new Flash({ profile: TV.flash, charge() {}, image: imageOf(store) });
  const random = createRandom(1);
  const storage = await FlashStorage.open({
    ...{ flash, random, nowMs: () => 0 },
    ...{ quotaBytes: TV.flash.quotaBytes, heapBytesMax: TV.storageHeapBytes },
  });
  await storage.commit([['s', 'b{']]);
  const { device } = television(store, flash.imageAfterCut(random, 'kept'));
  await device.boot();
  const list = device.command('list', { collection: 'history', limit: 1 });
  await expect(list).rejects.toMatchObject({ code: 'damaged' });
  expect(await device.command('status', {})).toMatchObject({ error: { code: 'damaged' } });
  await device.command('disable', {});
  expect(await device.command('enable', {})).toMatchObject({ ok: true });
  expect(await device.command('status', {})).toMatchObject({ state: 'enabled', error: null });
});
