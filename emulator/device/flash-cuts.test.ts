// The power is cut at every flash write of a workload, three ways each. What is then on the flash
// is opened in a second engine while the first runs on: only the flash outlives a cut, so this sees
// what a real one leaves, many times faster. Cuts that do unwind through SQLite follow.

import { expect, it } from 'vitest';
import type { Change, Value } from '../../platform/ports.ts';
import { type Engine, startEngine } from '../../platform/sqlite/engine.ts';
import { SqliteStore, type Tuning } from '../../platform/sqlite/store.ts';
import { every } from '../../test/sim/share.ts';
import { loadProfile } from '../profiles.ts';
import { Flash, PowerCut } from './flash.ts';
import type { Fault, FlashImage } from './flash-image.ts';
import { createRandom, type Random } from './random.ts';

const { flash: profile } = loadProfile('panasonic-cx700');
const FAULTS: readonly Fault[] = ['lost', 'reordered', 'torn'];
const COMMITS = 32;
const ALL = { from: '!', to: '~~', limit: 10_000 };
/** Small, so that the workload holds several merges and checkpoints and spills its cache. */
const TUNING: Tuning = {
  tailBytesMax: 3000,
  youngEntriesMax: 40,
  checkpointPages: 24,
  cacheKiB: 32,
};

/** Puts, overwrites and removals of short and long values, and a cursor in every commit. */
function changesOf(commit: number): Change[] {
  const random = createRandom(commit, 'changes');
  const changes = Array.from({ length: 12 }, (): Change => {
    const key = `h.r.${random.uint32() % 60}`;
    return [key, random.uint32() % 5 === 0 ? null : randomValue(random)];
  });
  return [...changes, ['c.history', `${commit}`]];
}

function randomValue(random: Random): Value {
  const lengthMax = random.uint32() % 40 === 0 ? 20_000 : 600;
  const bytes = random.bytes(random.uint32() % lengthMax);
  return random.uint32() % 2 === 0 ? bytes : Buffer.from(bytes).toString('latin1');
}

/** The content after each commit, as text; the empty one first. */
const states = (() => {
  const content = new Map<string, Value>();
  const texts = [''];
  for (let commit = 1; commit <= COMMITS; commit++) {
    for (const [key, value] of changesOf(commit)) {
      if (value === null) content.delete(key);
      else content.set(key, value);
    }
    texts.push(textOf(content));
  }
  return texts;
})();

function textOf(content: Iterable<readonly [string, Value]>): string {
  const lines = [...content].map(([key, value]) =>
    typeof value === 'string' ? `${key}=${value}` : `${key}:${Buffer.from(value).toString('hex')}`,
  );
  return lines.sort().join('\n');
}

function flashOf(image: FlashImage = new Map()): Flash {
  return new Flash({ profile, charge() {}, image });
}

function storeOf(engine: Engine, files: Flash): SqliteStore {
  const random = createRandom(7);
  return new SqliteStore(engine, {
    files,
    random: (count) => random.bytes(count),
    nowMs: () => 0,
    quotaBytes: profile.quotaBytes,
    tuning: TUNING,
  });
}

/** Opens what a cut left, over and over in one engine. */
class Checker {
  readonly #store: SqliteStore;
  #flash = flashOf();

  constructor(engine: Engine) {
    this.#store = new SqliteStore(engine, {
      files: {
        open: (name, create) => this.#flash.open(name, create),
        exists: (name) => this.#flash.exists(name),
        remove: (name) => this.#flash.remove(name),
        rename: (from, to) => this.#flash.rename(from, to),
      },
      random: (count) => new Uint8Array(count).fill(1),
      nowMs: () => 0,
      tuning: TUNING,
    });
  }

  #rows(): [key: string, value: Value][] {
    const keys = this.#store.scan(ALL);
    const values = this.#store.get(keys);
    return keys.map((key, index) => [key, values[index] ?? '']);
  }

  /** The commit whose content is found, and whatever is wrong. */
  look(image: FlashImage): { commit: number; problems: string[] } {
    this.#flash = flashOf(image);
    try {
      const problems = this.#store.check();
      return { commit: states.indexOf(textOf(this.#rows())), problems };
    } catch (error) {
      return { commit: -1, problems: [String(error)] };
    } finally {
      this.#store.close();
    }
  }
}

it('survives a cut at any flash write, whatever became of un-synced pages', async () => {
  const checker = new Checker(await startEngine());
  const flash = flashOf();
  const store = storeOf(await startEngine(), flash);
  const failures: string[] = [];
  const stride = every(9);
  let acked = 0;
  flash.onEvent = () => {
    const event = flash.events + 1;
    if (event % stride !== 0) return;
    for (const fault of FAULTS) {
      const image = flash.imageAfterCut(createRandom(event, fault), fault);
      const { commit, problems } = checker.look(image);
      if (commit !== acked && commit !== acked + 1)
        problems.push(`${commit} is found, not ${acked}`);
      failures.push(...problems.map((problem) => `write ${event}, ${fault}: ${problem}`));
    }
  };
  for (let commit = 1; commit <= COMMITS; commit++) {
    store.commit(changesOf(commit));
    acked = commit;
  }
  const cuts = Math.floor(flash.events / stride);
  console.log(`power cut at ${cuts} of ${flash.events} flash writes, ${FAULTS.length} ways each`);
  expect(failures).toEqual([]);
  expect(flash.events).toBeGreaterThan(250);
});

it('survives cuts that unwind through SQLite, and cuts while it recovers from them', async () => {
  const engine = await startEngine();
  const checker = new Checker(await startEngine());
  let cuts = 0;
  for (let cutAt = 1; ; cutAt += 31) {
    let flash = flashOf();
    flash.cutAt = cutAt;
    let acked = commitUntilCut(storeOf(engine, flash), 0);
    if (acked === COMMITS) break;
    for (const writesLater of [1, 4, 9]) {
      flash = flash.reboot(createRandom(cutAt), FAULTS[cuts % FAULTS.length] ?? 'torn');
      const found = checker.look(flash.imageAfterCut(createRandom(0), 'lost'));
      expect(found).toEqual({ commit: expect.toBeOneOf([acked, acked + 1]), problems: [] });
      cuts++;
      flash.cutAt = flash.events + writesLater;
      acked = commitUntilCut(storeOf(engine, flash), found.commit);
    }
  }
  console.log(`${cuts} cuts unwound`);
  expect(cuts).toBeGreaterThan(20);
});

/** Goes on after the commit `from`; returns the last commit that resolved. */
function commitUntilCut(store: SqliteStore, from: number): number {
  let acked = from;
  try {
    while (acked < COMMITS) {
      store.commit(changesOf(acked + 1));
      acked++;
    }
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
  }
  return acked;
}
