import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryFiles } from '../../test/support/memory-files.ts';
import type { BlockFile, BlockFiles } from '../sqlite/block-files.ts';
import { startEngine } from '../sqlite/engine.ts';
import { SqliteStore } from '../sqlite/store.ts';
import { StorageError } from '../storage-rules.ts';
import { inRuns } from './write-runs.ts';

const opened = (files: MemoryFiles): BlockFile => files.open('f', true) as BlockFile;
const filled = (byte: number, length: number): Uint8Array => new Uint8Array(length).fill(byte);

/** Counts the calls that reach the files. */
function counted(files: MemoryFiles): Map<string, number> {
  const calls = new Map<string, number>();
  files.onCall = (call) => void calls.set(call, (calls.get(call) ?? 0) + 1);
  return calls;
}

describe('a file that is written in runs', () => {
  it('is at every moment what the same calls make of a file', () => {
    const place = fc.nat(200);
    const call = fc.oneof(
      { weight: 2, arbitrary: fc.tuple(fc.constant('behind'), place, fc.integer({ min: 1 })) },
      fc.tuple(fc.constantFrom('write', 'read', 'truncate', 'sync', 'size'), place, fc.nat()),
    );
    fc.assert(
      fc.property(fc.array(call, { maxLength: 60 }), (calls) => {
        const [plain, other] = [new MemoryFiles(), new MemoryFiles()];
        const [file, runs] = [opened(plain), inRuns(opened(other), 64)];
        let end = 0;
        const outcomeOf = (one: BlockFile, name: string, at: number, bytes: Uint8Array) => {
          if (name === 'size') return one.size();
          if (name === 'truncate') return one.truncate(at);
          if (name === 'sync') return one.sync();
          return name === 'read' ? `${one.read(bytes, at)} ${bytes}` : one.write(bytes, at);
        };
        for (const [index, [name, at, more]] of calls.entries()) {
          const from = name === 'behind' ? end : at;
          const length = 1 + (more % 80);
          const fill = name === 'read' ? 0 : index + 1;
          const [is, wanted] = [runs, file].map((one) =>
            outcomeOf(one, name, from, filled(fill, length)),
          );
          expect(is).toBe(wanted);
          if (['write', 'behind'].includes(name)) end = from + length;
          if (name === 'sync') expect(`${other.of('f')}`).toBe(`${plain.of('f')}`);
        }
        runs.close();
        expect(`${other.of('f')}`).toBe(`${plain.of('f')}`);
      }),
    );
  });

  it('goes to the system once for what lies one behind the other, up to a sync', () => {
    const files = new MemoryFiles();
    const file = inRuns(opened(files));
    const calls = counted(files);
    for (let at = 0; at < 20; at++) {
      file.write(filled(1, 24), file.size());
      file.write(filled(2, 4_096), file.size());
    }
    file.sync();
    expect(Object.fromEntries(calls)).toEqual({ size: 1, write: 1, sync: 1 });
    expect(files.of('f')).toHaveLength(20 * 4_120);
    file.write(filled(3, 200_000), 0);
    expect(calls.get('write')).toBe(2);
  });

  it('says that a write has failed where it needs it, once, and knows its size then', () => {
    const files = new MemoryFiles();
    const file = inRuns(opened(files));
    file.write(filled(1, 10), 0);
    file.sync();
    files.onCall = (call) => {
      if (call === 'write') throw new StorageError('full', 'no room');
    };
    file.write(filled(2, 10), 10);
    expect(() => file.sync()).toThrow('no room');
    file.sync();
    expect(file.size()).toBe(10);
  });
});

describe('a store on such files', () => {
  const inMemory = (files: MemoryFiles): BlockFiles => ({
    open(name, create) {
      const file = files.open(name, create);
      return file && inRuns(file);
    },
    exists: (name) => files.exists(name),
    remove: (name) => files.remove(name),
    rename: (from, to) => files.rename(from, to),
  });
  const storeOn = async (files: MemoryFiles): Promise<SqliteStore> =>
    new SqliteStore(await startEngine(), {
      files: inMemory(files),
      random: (count) => filled(4, count),
      nowMs: () => 0,
      // Merges and checkpoints come often.
      tuning: { tailBytesMax: 2_000, youngEntriesMax: 60, checkpointPages: 30 },
    });

  it('has every commit that was acknowledged, whatever call was its last one', async () => {
    const COMMITS = 40;
    let calls = Number.POSITIVE_INFINITY;
    for (let last = 1; last < calls; last += 31) {
      const files = new MemoryFiles();
      let made = 0;
      files.onCall = () => {
        if (++made > last) throw new Error('the process was killed');
      };
      const store = await storeOn(files);
      let acknowledged = 0;
      try {
        for (; acknowledged < COMMITS; acknowledged++) {
          const keys = Array.from({ length: 9 }, (_, at) => `k${at}.${acknowledged % 5}`);
          store.commit(keys.map((key) => [key, `${acknowledged} `.repeat(300)]));
        }
        calls = made;
      } catch {
        // As killed as it can be.
      }
      files.onCall = null;
      const after = await storeOn(files);
      const [newest = null] = after.get([`k0.${(acknowledged + 4) % 5}`]);
      if (acknowledged > 0) expect(`${newest}`.split(' ')[0]).toBe(`${acknowledged - 1}`);
      expect(after.check()).toEqual([]);
      after.close();
    }
  });
});
