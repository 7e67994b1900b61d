import { describe, expect, it } from 'vitest';
import {
  type Fault,
  type FileImage,
  hasDirtyMetadata,
  imageAfterCut,
  type LiveFile,
  liveFile,
  noFile,
  settleMetadata,
} from './flash-image.ts';
import { createRandom } from './random.ts';

const bytes = (fill: number) => new Uint8Array(2048).fill(fill);
const page = (fill: number, wear = 1) => ({ bytes: bytes(fill), wear });

/** Two pages of ones, all of it on the flash. */
const SYNCED: FileImage = { exists: true, sizeBytes: 4096, pages: [page(1), page(1)] };

/** The same, with its first page written since, shortened to that page, and not synced. */
function changed(): LiveFile {
  const file = liveFile(SYNCED);
  file.dirty.set(0, bytes(2));
  file.sizeBytes = 2048;
  file.dropped.add(1);
  return file;
}

function left(file: LiveFile, fault: Fault, seed = 1): FileImage {
  const image = imageAfterCut(new Map([['f', file]]), createRandom(seed), fault).get('f');
  if (image === undefined) throw new Error('no file');
  return image;
}

const fills = ({ pages }: FileImage) => pages.map((one) => [...new Set(one?.bytes)].join());

describe('what a cut leaves', () => {
  it('is all that was synced, whatever the fault', () => {
    for (const fault of ['kept', 'lost', 'reordered', 'torn'] as const) {
      expect(left(liveFile(SYNCED), fault)).toEqual(SYNCED);
    }
  });

  it('is all that was written, or nothing of it', () => {
    const kept = left(changed(), 'kept');
    // What the file gave up reads as zeros.
    expect([kept.sizeBytes, fills(kept), kept.pages[0]?.wear]).toEqual([2048, ['2', '0'], 2]);
    expect(left(changed(), 'lost')).toEqual(SYNCED);
  });

  it('is any page and any size by itself, and a torn page in sectors of 512 bytes', () => {
    const seen = { reordered: new Set<string>(), torn: new Set<string>() };
    for (let seed = 0; seed < 80; seed++) {
      for (const fault of ['reordered', 'torn'] as const) {
        const image = left(changed(), fault, seed);
        const first = image.pages[0]?.bytes ?? bytes(9);
        const sectors = [0, 512, 1024, 1536].map((at) => new Set(first.subarray(at, at + 512)));
        // Each is old, new or noise.
        const isWhole = sectors.every(({ size }) => size === 1);
        const kinds = new Set(sectors.map((one) => (one.size === 1 ? [...one][0] : 'noise')));
        seen[fault].add(
          `${kinds.size === 1 && isWhole ? [...kinds][0] : 'torn'} ${image.sizeBytes}`,
        );
      }
    }
    expect([...seen.reordered].sort()).toEqual(['1 2048', '1 4096', '2 2048', '2 4096']);
    const torn = ['1 2048', '1 4096', '2 2048', '2 4096', 'torn 2048', 'torn 4096'];
    expect([...seen.torn].sort()).toEqual(torn);
  });

  it('is a file that is there or not where it was made or removed', () => {
    const made = { ...liveFile(noFile), exists: true };
    expect([left(made, 'kept').exists, left(made, 'lost').exists]).toEqual([true, false]);
    const removed = { ...liveFile(SYNCED), exists: false };
    expect([left(removed, 'kept').exists, left(removed, 'lost').exists]).toEqual([false, true]);
  });

  it('may be a torn page where none was', () => {
    const file = { ...liveFile(noFile), exists: true };
    file.dirty.set(0, bytes(3));
    const found = Array.from({ length: 30 }, (_, seed) => fills(left(file, 'torn', seed)));
    expect(found).toContainEqual([]);
    expect(found).toContainEqual(['3']);
    expect(found.some(([first]) => first !== undefined && first !== '3')).toBe(true);
  });

  it('is the same for the same seed, and leaves the file as it is', () => {
    const file = changed();
    expect(left(file, 'torn', 7)).toEqual(left(file, 'torn', 7));
    expect(file).toEqual(changed());
  });
});

describe('the size and existence of a file', () => {
  it('are to be written when one of them changed, or pages were given up', () => {
    expect(hasDirtyMetadata(liveFile(SYNCED))).toBe(false);
    expect(hasDirtyMetadata({ ...liveFile(SYNCED), exists: false })).toBe(true);
    expect(hasDirtyMetadata({ ...liveFile(SYNCED), sizeBytes: 1 })).toBe(true);
    const dropped = liveFile(SYNCED);
    dropped.dropped.add(1);
    expect(hasDirtyMetadata(dropped)).toBe(true);
  });

  it('are durable when they are settled, and what was given up is zeros of the same wear', () => {
    const file = changed();
    // One that never was is none now.
    file.dropped.add(5);
    settleMetadata(file);
    expect(hasDirtyMetadata(file)).toBe(false);
    expect(file.durable.sizeBytes).toBe(2048);
    expect(file.durable.pages[1]).toEqual({ bytes: bytes(0), wear: 1 });
    expect(file.durable.pages[5]).toBeUndefined();
    expect(SYNCED.pages[1]?.bytes[0]).toBe(1);
  });
});
