// Databases without sums of their pages, as they were written before: they are made anew when they
// are opened, and a cut at any write of that leaves the old one or the new one, with all that was
// in it.

import { expect, test } from 'vitest';
import type { Value } from '../../platform/ports.ts';
import { type Engine, startEngine } from '../../platform/sqlite/engine.ts';
import { SqliteStore } from '../../platform/sqlite/store.ts';
import { every } from '../../test/sim/share.ts';
import { imageOf, oldStores } from '../../test/support/old-stores.ts';
import { loadProfile } from '../profiles.ts';
import { Flash } from './flash.ts';
import type { FlashImage } from './flash-image.ts';
import { createRandom } from './random.ts';

const { flash: profile } = loadProfile('panasonic-cx700');
const ALL = { from: '!', to: '~~', limit: 10_000 };

function flashOf(image: FlashImage): Flash {
  return new Flash({ profile, charge() {}, image });
}

/** `quotaBytes`: where there is no room for two, a database stays as it is. */
function storeOn(engine: Engine, files: Flash, quotaBytes: number): SqliteStore {
  const random = createRandom(3);
  const options = { files, random: (count: number) => random.bytes(count), nowMs: () => 0 };
  return new SqliteStore(engine, { ...options, quotaBytes });
}

function rowsOf(store: SqliteStore): [string, Value | null][] {
  const keys = store.scan(ALL);
  const values = store.get(keys);
  return keys.map((key, index) => [key, values[index] ?? null]);
}

const RESERVED_AT = 20;

const STORES = oldStores('vm-sync15').filter(({ signIn }) => !signIn);
const hasSums = ({ layout }: { readonly layout: number }): boolean => layout > 1;

test.each(STORES.filter(hasSums))('$name has sums already: nothing is written', async (old) => {
  const flash = flashOf(imageOf(old));
  expect(rowsOf(storeOn(await startEngine(), flash, profile.quotaBytes)).length).toBeGreaterThan(
    20,
  );
  expect(flash.events).toBe(0);
});

test.each(STORES.filter((old) => !hasSums(old)))(
  '$name is made anew, whenever the power goes',
  async (old) => {
    const image = imageOf(old);
    const asItWas = flashOf(image);
    const expected = rowsOf(storeOn(await startEngine(), asItWas, 700_000));
    expect(expected.length).toBeGreaterThan(20);
    expect(asItWas.events).toBe(0);

    const checking = await startEngine();
    const flash = flashOf(image);
    const store = storeOn(await startEngine(), flash, profile.quotaBytes);
    const failures: string[] = [];
    const stride = every(16);
    flash.onEvent = () => {
      const event = flash.events + 1;
      if (event % stride !== 0) return;
      for (const fault of ['lost', 'reordered', 'torn'] as const) {
        const left = flashOf(flash.imageAfterCut(createRandom(event, fault), fault));
        const next = storeOn(checking, left, profile.quotaBytes);
        try {
          const rows = rowsOf(next);
          if (JSON.stringify(rows) !== JSON.stringify(expected)) failures.push(`${event} ${fault}`);
          failures.push(...next.check());
        } catch (error) {
          failures.push(`${event} ${fault}: ${error}`);
        } finally {
          next.close();
        }
      }
    };
    expect(rowsOf(store)).toEqual(expected);
    console.log(`${flash.events} flash writes, ${old.name}`);
    expect(failures).toEqual([]);
    expect(flash.events).toBeGreaterThan(20);
    flash.onEvent = null;
    store.close();
    const page = new Uint8Array(4096);
    flash.open('store', false)?.read(page, 0);
    expect(page[RESERVED_AT]).toBe(8);
    expect(flash.exists('store-draft') || flash.exists('store-next')).toBe(false);
  },
);
