// What every device's storage must do, as one suite that takes the implementation as an argument.
// It promises to test the words of platform/ports.ts (interface Storage) and nothing about how a
// storage works inside. Each test gets a new, empty storage.

import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Change, ScanRange, Storage, Value } from '../../platform/ports.ts';
import { every } from '../sim/share.ts';

/** One storage under test. `reopen` gives what is found when the device is switched on again. */
export interface StorageUnderTest {
  readonly storage: Storage;
  reopen(): Promise<StorageUnderTest>;
  close(): Promise<void>;
  /**
   * What is found after some bits of what it lies on have flipped while it was off; absent where
   * nothing outlives that. `choose`: an integer below its argument, for where.
   */
  damaged?(choose: (below: number) => number): Promise<StorageUnderTest>;
}

/** `keyCharsMax`: less for a part of a storage, whose keys are longer in the whole. */
export function storageContract(
  name: string,
  make: () => Promise<StorageUnderTest>,
  keyCharsMax = 240,
): void {
  describe(`the storage contract: ${name}`, () => {
    let opened: StorageUnderTest[] = [];
    const open = async (): Promise<StorageUnderTest> => {
      const made = await make();
      opened.push(made);
      return made;
    };
    const empty = async (): Promise<Storage> => (await open()).storage;
    afterEach(async () => {
      for (const one of opened) await one.close();
      opened = [];
    });

    it('returns the values in the order of the asked keys, null where there is none', async () => {
      const storage = await empty();
      await storage.commit([
        ['b', '2'],
        ['a', '1'],
      ]);
      expect(await storage.get(['b', 'nothing', 'a', 'b'])).toEqual(['2', null, '1', '2']);
      expect(await storage.get([])).toEqual([]);
    });

    it('keeps text as text and bytes as bytes, empty ones too', async () => {
      const storage = await empty();
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
      const text = '\ufeff\u0000 Grüße, 世界 \u{1f9a6}\u0000';
      await storage.commit([
        ['text', text],
        ['bytes', bytes],
        ['no-text', ''],
        ['no-bytes', new Uint8Array(0)],
      ]);
      const expected = [text, bytes, '', new Uint8Array(0)];
      expect(await storage.get(['text', 'bytes', 'no-text', 'no-bytes'])).toEqual(expected);
    });

    it('keeps its own copy of bytes', async () => {
      const storage = await empty();
      const bytes = Uint8Array.of(1, 2, 3);
      await storage.commit([['k', bytes]]);
      bytes[0] = 9;
      const [first] = await storage.get(['k']);
      if (first instanceof Uint8Array) first[1] = 9;
      expect(await storage.get(['k'])).toEqual([Uint8Array.of(1, 2, 3)]);
    });

    it('walks a range in key order, both ways, its end excluded', async () => {
      const storage = await empty();
      await storage.commit(['c', 'B', 'a~', 'a', 'b', 'a!'].map((key) => [key, `=${key}`]));
      const keys = (range: ScanRange) => storage.scan(range);
      expect(await keys({ from: 'a', to: 'c', limit: 9 })).toEqual(['a', 'a!', 'a~', 'b']);
      expect(await keys({ from: 'a', to: 'c', limit: 2 })).toEqual(['a', 'a!']);
      expect(await keys({ from: 'a', to: 'c', limit: 9, reverse: true })).toEqual([
        'b',
        'a~',
        'a!',
        'a',
      ]);
      expect(await keys({ from: 'a', to: 'c', limit: 1, reverse: true })).toEqual(['b']);
      expect(await keys({ from: 'c', to: 'a', limit: 9 })).toEqual([]);
      expect(await keys({ from: 'a', to: 'b', limit: 0 })).toEqual([]);
      expect(await keys({ from: 'B', to: 'a', limit: 1 })).toEqual(['B']);
    });

    it('overwrites, removes, and puts back', async () => {
      const storage = await empty();
      await storage.commit([['k', 'old']]);
      await storage.commit([['k', Uint8Array.of(7)]]);
      expect(await storage.get(['k'])).toEqual([Uint8Array.of(7)]);
      await storage.commit([
        ['k', null],
        ['never-there', null],
      ]);
      expect(await storage.get(['k'])).toEqual([null]);
      expect(await storage.scan({ from: '!', to: '~', limit: 9 })).toEqual([]);
      await storage.commit([['k', 'new']]);
      expect(await storage.get(['k'])).toEqual(['new']);
    });

    it('lets the last change of a key win inside one commit', async () => {
      const storage = await empty();
      await storage.commit([
        ['k', '1'],
        ['k', null],
        ['k', '2'],
        ['gone', '1'],
        ['gone', null],
      ]);
      expect(await storage.scan({ from: '!', to: '~', limit: 9 })).toEqual(['k']);
      expect(await storage.get(['k', 'gone'])).toEqual(['2', null]);
    });

    it('accepts the longest key, the longest value and 1,024 changes', async () => {
      const storage = await empty();
      const key = '~'.repeat(keyCharsMax);
      const value = 'é'.repeat(1024 * 1024);
      await storage.commit([[key, value]]);
      expect(await storage.get([key])).toEqual([value]);
      await storage.commit(Array.from({ length: 1024 }, (_, i) => [`n${10_000 + i}`, `${i}`]));
      const all = await storage.scan({ from: 'n', to: 'o', limit: 2000 });
      expect(all).toEqual(Array.from({ length: 1024 }, (_, i) => `n${10_000 + i}`));
      const values = await storage.get(all);
      expect(values.map(Number)).toEqual([...Array(1024).keys()]);
    });

    it('refuses what breaks a limit, and writes nothing of it', async () => {
      const storage = await empty();
      const bad: Change[][] = [
        [['', 'x']],
        [['a b', 'x']],
        [['é', 'x']],
        [['k'.repeat(241), 'x']],
        [['k', 'x'.repeat(2 * 1024 * 1024 + 1)]],
        Array.from({ length: 1025 }, (_, i) => [`k${i}`, 'x']),
      ];
      for (const changes of bad) {
        await expect(
          storage.commit([...changes.slice(1), ['ok', 'x'], ...changes]),
        ).rejects.toThrow(RangeError);
      }
      expect(await storage.scan({ from: '!', to: '~~', limit: 9 })).toEqual([]);
    });

    it('knows nothing of the names that objects are born with', async () => {
      const storage = await empty();
      const names = ['__proto__', 'constructor', 'hasOwnProperty', 'toString'];
      expect(await storage.get(names)).toEqual([null, null, null, null]);
      await storage.commit(names.map((key) => [key, `=${key}`]));
      expect(await storage.get(names)).toEqual(names.map((key) => `=${key}`));
    });

    it('answers calls made at once in the order of the calls', async () => {
      const storage = await empty();
      const seen = await Promise.all([
        storage.commit([['k', '1']]),
        storage.get(['k']),
        storage.commit([['k', '2']]),
        storage.commit([['k', '3']]),
        storage.scan({ from: 'k', to: 'l', limit: 1 }),
      ]);
      expect(seen[1]).toEqual(['1']);
      expect(seen[4]).toEqual(['k']);
      expect(await storage.get(['k'])).toEqual(['3']);
    });

    it('finds everything again after it was switched off', async () => {
      const first = await open();
      await first.storage.commit([
        ['a', 'text'],
        ['b', Uint8Array.of(1, 2)],
        ['c', ''],
        ['gone', 'x'],
      ]);
      await first.storage.commit([
        ['gone', null],
        ['a', 'text 2'],
      ]);
      const second = await first.reopen();
      opened.push(second);
      expect(await second.storage.scan({ from: '!', to: '~', limit: 9 })).toEqual(['a', 'b', 'c']);
      const values = await second.storage.get(['a', 'b', 'c']);
      expect(values).toEqual(['text 2', Uint8Array.of(1, 2), '']);
    });

    it('behaves as a sorted list does, through any sequence of calls and reboots', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(STEP, { maxLength: 12 }), async (steps) => {
          let current = await make();
          const model = new Map<string, Value>();
          for (const step of steps) {
            if (step.do === 'reopen') current = await reopened(current);
            if (step.do === 'commit') await commitBoth(current.storage, model, step.changes);
            if (step.do === 'scan') {
              expect(await current.storage.scan(step.range)).toEqual(scanModel(model, step.range));
            }
          }
          const keys = [...model.keys()];
          expect(await current.storage.get(keys)).toEqual([...model.values()]);
          await current.close();
        }),
        { numRuns: 25 },
      );
    });

    it('gives no wrong value after a bit has flipped: the right one or an error', async () => {
      const { outcomes, wrong } = await flipBits(make, every(4) === 1 ? 200 : 24);
      console.log(`${name}: ${[...outcomes].map(([what, runs]) => `${runs} ${what}`).join(', ')}`);
      expect(wrong).toEqual([]);
    }, 300_000);
  });
}

const EVERYTHING = { from: '!', to: '~~', limit: 10_000 };

/** Each run has a storage of its own, which loses a bit, is read, mended, and read again. */
async function flipBits(make: () => Promise<StorageUnderTest>, runs: number) {
  const outcomes = new Map<string, number>();
  const wrong: string[] = [];
  const written = await make();
  const { damaged } = written;
  const model = new Map<string, Value>();
  // What was last said of a key before, for a storage that has lost values.
  const older = new Set<string>();
  if (damaged !== undefined) {
    for (let commit = 0; commit < 30; commit++) {
      for (const [key, value] of model) older.add(`${key}=${value}`);
      await commitBoth(written.storage, model, changesOf(commit));
    }
  }
  for (let run = 0; run < runs && damaged !== undefined; run++) {
    let seed = run * 7919 + 13;
    const choose = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const found = await damaged.call(written, choose);
    const outcome = await look(found.storage, model, older);
    outcomes.set(outcome.what, (outcomes.get(outcome.what) ?? 0) + 1);
    wrong.push(...outcome.wrong.map((what) => `run ${run}: ${what}`));
    await found.close();
  }
  await written.close();
  return { outcomes, wrong };
}

function changesOf(commit: number): Change[] {
  return Array.from({ length: 12 }, (_, i): Change => {
    const key = `k${(commit * 7 + i * 5) % 97}`;
    if ((commit + i) % 9 === 8) return [key, null];
    const text = `${commit}.${i} `.repeat(i === 3 ? 4000 : 20 + i * 5);
    return [key, i % 3 === 0 ? new TextEncoder().encode(text) : i % 7 === 1 ? '' : text];
  });
}

/** Reads all of a damaged storage, has it mended, and reads it again. */
async function look(
  storage: Storage,
  model: ReadonlyMap<string, Value>,
  older: ReadonlySet<string>,
): Promise<{ what: string; wrong: string[] }> {
  const wrong: string[] = [];
  const isRight = (key: string, value: Value | null): boolean =>
    `${value}` === `${model.get(key) ?? null}` && typeof value === typeof (model.get(key) ?? null);
  const orDamaged = async <T>(work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work;
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code !== 'damaged') wrong.push(`an error that is no damage: ${error}`);
      return undefined;
    }
  };
  const sorted = [...model.keys()].sort();
  let damages = 0;
  const keys = await orDamaged(storage.scan(EVERYTHING));
  if (keys === undefined) damages++;
  else if (keys.join() !== sorted.join()) wrong.push('a list with keys missing');
  for (const key of [...sorted, 'k-none']) {
    // A storage may go back to its beginnings with every damaged value.
    if (damages > 4) break;
    const values = await orDamaged(storage.get([key]));
    if (values === undefined) damages++;
    else if (!isRight(key, values[0] ?? null)) wrong.push(`another value of ${key}`);
  }
  if (damages === 0) return { what: 'harmless', wrong };
  if (storage.repair === undefined) return { what: 'damaged', wrong };
  const isWhole = await storage.repair([['k-lost', 'x']]);
  const isNoted = (await storage.get(['k-lost']))[0] === 'x';
  if (isNoted === isWhole) wrong.push('the note does not come with a loss');
  await storage.commit([['k-lost', null]]);
  const left = await storage.scan(EVERYTHING);
  const values = await storage.get(left);
  for (const [index, key] of left.entries()) {
    const value = values[index] ?? null;
    if (isRight(key, value)) continue;
    if (isWhole || !older.has(`${key}=${value}`)) wrong.push(`${key} is another after the repair`);
  }
  if (isWhole && left.length < sorted.length) wrong.push('less after a repair that lost nothing');
  await storage.commit([['k-new', 'x']]);
  if ((await storage.get(['k-new']))[0] !== 'x') wrong.push('no use after the repair');
  return { what: isWhole ? 'mended without a loss' : 'mended with losses', wrong };
}

const KEY = fc.oneof(
  fc.constantFrom('a', 'b', 'a!', 'ab', '__proto__', '~'),
  fc.string({ unit: fc.constantFrom(...'!/09AZ_az~'), minLength: 1, maxLength: 5 }),
);
const VALUE = fc.oneof(
  fc.constant(''),
  fc.string({ unit: 'grapheme', maxLength: 900 }),
  fc.uint8Array({ maxLength: 60 }),
  fc.integer({ min: 1, max: 12_000 }).map((length) => 'x'.repeat(length)),
);
const CHANGE: fc.Arbitrary<Change> = fc.tuple(KEY, fc.option(VALUE, { nil: null, freq: 3 }));
const RANGE: fc.Arbitrary<ScanRange> = fc.record({
  from: KEY,
  to: KEY,
  limit: fc.integer({ min: 0, max: 20 }),
  reverse: fc.boolean(),
});
const STEP = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('commit'), changes: fc.array(CHANGE) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('scan'), range: RANGE }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen') }) },
) as fc.Arbitrary<
  { do: 'commit'; changes: Change[] } | { do: 'scan'; range: ScanRange } | { do: 'reopen' }
>;

async function reopened(current: StorageUnderTest): Promise<StorageUnderTest> {
  const next = await current.reopen();
  await current.close();
  return next;
}

async function commitBoth(
  storage: Storage,
  model: Map<string, Value>,
  changes: readonly Change[],
): Promise<void> {
  await storage.commit(changes);
  for (const [key, value] of changes) {
    if (value === null) model.delete(key);
    else model.set(key, value);
  }
}

function scanModel(model: ReadonlyMap<string, Value>, range: ScanRange): string[] {
  const inside = [...model.keys()].filter((key) => key >= range.from && key < range.to).sort();
  return (range.reverse ? inside.reverse() : inside).slice(0, range.limit);
}
