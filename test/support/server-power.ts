// Servers that keep what they hold on a flash that loses its power at every write: what was
// acknowledged is there, and each request is there as a whole or not at all.

import { expect } from 'vitest';
import { Flash, PowerCut } from '../../emulator/device/flash.ts';
import type { Fault } from '../../emulator/device/flash-image.ts';
import { FlashStorage } from '../../emulator/device/flash-storage.ts';
import { createRandom } from '../../emulator/device/random.ts';
import { loadProfile } from '../../emulator/profiles.ts';
import { localStorage, memoryStorage } from '../../emulator/servers/storage/local-storage.ts';
import type { ServerStorage } from '../../emulator/servers/storage/server-storage.ts';
import { every } from '../sim/share.ts';

/** Requests that are acknowledged one after the other. */
export interface PowerStory {
  /** What is there before the first. */
  readonly prepare?: (storage: ServerStorage) => Promise<void>;
  readonly requests: readonly ((storage: ServerStorage) => Promise<unknown>)[];
  /** All that a client may see after so many requests. */
  stateAfter(storage: ServerStorage, step: number): Promise<string>;
}

const FAULTS: readonly Fault[] = ['lost', 'reordered', 'torn'];
const { flash: profile } = loadProfile('panasonic-cx700');

const STRIDE = 16;

/** Cuts the power at every write, or at a share of them, and says how many cuts there were. */
export async function cutPowerIn(story: PowerStory): Promise<void> {
  const cuts = await cutsSurvived(story, every(STRIDE));
  console.log(`${cuts} cuts of power`);
  expect(cuts).toBeGreaterThan(10);
}

async function cutsSurvived(story: PowerStory, stride: number): Promise<number> {
  const { length } = story.requests;
  const expected = await expectedStates(story);
  let cuts = 0;
  for (let cutAfter = stride; ; cutAfter += stride) {
    const flash = new Flash({ profile, charge() {} });
    const before = await open(flash);
    await story.prepare?.(before);
    flash.cutAt = flash.events + cutAfter;
    const acknowledged = await run(story, before, 0);
    if (acknowledged === length && flash.events < flash.cutAt) return cuts;
    for (const fault of FAULTS) {
      const image = flash.imageAfterCut(createRandom(cutAfter), fault);
      const storage = await open(new Flash({ profile, charge() {}, image }));
      const found: number[] = [];
      for (const step of [acknowledged, acknowledged + 1])
        if ((await story.stateAfter(storage, step)) === expected[step]) found.push(step);
      expect([cutAfter, fault, acknowledged, found.length]).toEqual([
        ...[cutAfter, fault, acknowledged, 1],
      ]);
      expect(await run(story, storage, found[0] ?? 0)).toBe(length);
      expect(await story.stateAfter(storage, length)).toBe(expected[length]);
      cuts++;
    }
  }
}

async function open(flash: Flash): Promise<ServerStorage> {
  const random = createRandom(7);
  const storage = await FlashStorage.open({
    ...{ flash, random, quotaBytes: profile.quotaBytes, heapBytesMax: 0, nowMs: () => 0 },
    // Small, so that merges and checkpoints come often.
    tuning: { tailBytesMax: 800, youngEntriesMax: 20, checkpointPages: 6, cacheKiB: 32 },
  });
  return localStorage(storage, () => undefined);
}

/** The number of requests that were acknowledged. */
async function run(story: PowerStory, storage: ServerStorage, from: number): Promise<number> {
  let done = from;
  try {
    for (const request of story.requests.slice(from)) {
      await request(storage);
      done++;
    }
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
  }
  return done;
}

/** By the number of requests that were acknowledged. */
async function expectedStates(story: PowerStory): Promise<string[]> {
  const storage = memoryStorage();
  await story.prepare?.(storage);
  const states = [await story.stateAfter(storage, 0)];
  for (const request of story.requests) {
    await request(storage);
    states.push(await story.stateAfter(storage, states.length));
  }
  return states;
}
