import { describe, expect, it } from 'vitest';
import { MemoryFiles } from '../../test/support/memory-files.ts';
import type { BlockFile, BlockFiles } from './block-files.ts';
import { isSealed, PAGE_BYTES, SUM_BYTES } from './checksum.ts';
import { startEngine } from './engine.ts';
import { SealedFiles, UNSEALED_LAYOUT } from './sealed-files.ts';
import { SqliteStore } from './store.ts';

const TEXT_BYTES = PAGE_BYTES - SUM_BYTES;
const FRAME_BYTES = 24 + PAGE_BYTES;

function opened(files: BlockFiles, name = 'store'): BlockFile {
  const file = files.open(name, true);
  if (file === null) throw new Error('not opened');
  return file;
}

const page = (fill: number): Uint8Array => new Uint8Array(PAGE_BYTES).fill(fill);

/** Quicker than a look at each byte by itself. */
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** A database of three pages, full of 1, 2 and 3. */
function threePages(): MemoryFiles {
  const files = new MemoryFiles();
  const file = opened(new SealedFiles(files));
  for (const number of [1, 2, 3]) file.write(page(number), (number - 1) * PAGE_BYTES);
  return files;
}

function read(file: BlockFile, offset: number, length = PAGE_BYTES): Uint8Array {
  const into = new Uint8Array(length);
  return into.subarray(0, file.read(into, offset));
}

/** The first of a database's pages as it was before there were sums. */
function oldFirstPage(layout = UNSEALED_LAYOUT): Uint8Array {
  const bytes = page(5);
  bytes[0] = 0x53;
  bytes[20] = 0;
  new DataView(bytes.buffer).setUint32(68, layout);
  return bytes;
}

const damaged = (number: number) =>
  expect.objectContaining({ code: 'damaged', message: `page ${number} is damaged` });

describe('a page of a database', () => {
  it('is written with a sum at its end, one or several at once', () => {
    const files = threePages();
    const file = opened(new SealedFiles(files));
    const two = new Uint8Array([...page(8), ...page(9)]);
    file.write(two, PAGE_BYTES);
    const raw = files.of('store');
    const at = (number: number) => raw.subarray((number - 1) * PAGE_BYTES, number * PAGE_BYTES);
    expect([1, 2, 3].map((number) => isSealed(at(number), number))).toEqual([true, true, true]);
    expect(
      at(3)
        .subarray(0, TEXT_BYTES)
        .every((byte) => byte === 9),
    ).toBe(true);
    // What was to be written is not changed.
    expect(two[two.length - 1]).toBe(9);
  });

  it('is read as it was written, whole, in part, and with its neighbours', () => {
    const files = new SealedFiles(threePages());
    const file = opened(files);
    expect(file.size()).toBe(3 * PAGE_BYTES);
    expect(hex(read(file, PAGE_BYTES).subarray(0, TEXT_BYTES))).toBe(
      hex(page(2).subarray(SUM_BYTES)),
    );
    expect(hex(read(file, PAGE_BYTES + 5, 200))).toBe(hex(new Uint8Array(200).fill(2)));
    const across = read(file, PAGE_BYTES - 300, 2 * PAGE_BYTES);
    expect(across).toHaveLength(2 * PAGE_BYTES);
    expect(hex(across.subarray(0, 292))).toBe(hex(new Uint8Array(292).fill(1)));
    expect(hex(across.subarray(300, 300 + TEXT_BYTES))).toBe(hex(page(2).subarray(SUM_BYTES)));
    expect(across[300 + PAGE_BYTES]).toBe(3);
    expect(files.pagesSummed).toBe(1 + 1 + 3);
  });

  it('is read as it was before a bit flipped, its sum too, whichever part of it is read', () => {
    for (const offset of [0, 2000, TEXT_BYTES, TEXT_BYTES + 2]) {
      const files = threePages();
      const before = hex(files.of('store'));
      files.flip('store', PAGE_BYTES + offset);
      const stored = hex(files.of('store'));
      const file = opened(new SealedFiles(files));
      const from = 2 * PAGE_BYTES;
      expect(hex(read(file, PAGE_BYTES))).toBe(before.slice(from, 2 * from));
      expect(hex(read(file, PAGE_BYTES + 100, 101))).toBe(before.slice(from + 200, from + 402));
      expect(hex(read(file, 0, 3 * PAGE_BYTES))).toBe(before);
      // Nothing is written that nobody has asked for: the power may go.
      expect(hex(files.of('store'))).toBe(stored);
      file.write(page(4), PAGE_BYTES);
      expect(read(file, PAGE_BYTES)[0]).toBe(4);
    }
  });

  it('is an error with more than that anywhere, its sum too, and whichever part is read', () => {
    for (const offset of [0, 2000, TEXT_BYTES, PAGE_BYTES - 1]) {
      const files = threePages();
      files.flip('store', PAGE_BYTES + offset, 0x55);
      const file = opened(new SealedFiles(files));
      expect(() => read(file, PAGE_BYTES)).toThrow(damaged(2));
      expect(() => read(file, PAGE_BYTES + 100, 101)).toThrow(damaged(2));
      expect(() => read(file, 100, 3 * PAGE_BYTES - 100)).toThrow(damaged(2));
      expect(read(file, 2 * PAGE_BYTES)[0]).toBe(3);
    }
  });

  it('is an error in the place of another one', () => {
    const files = threePages();
    files.of('store').copyWithin(2 * PAGE_BYTES, PAGE_BYTES, 2 * PAGE_BYTES);
    expect(() => read(opened(new SealedFiles(files)), 2 * PAGE_BYTES)).toThrow(damaged(3));
  });

  it('is not proven at the first look of SQLite, of 100 bytes', () => {
    const files = threePages();
    files.flip('store', 7, 0x55);
    const file = opened(new SealedFiles(files));
    expect(hex(read(file, 0, 100))).toBe(hex(files.of('store').subarray(0, 100)));
    expect(() => read(file, 0, 101)).toThrow(damaged(1));
    files.flip('store', 7, 0x54);
    expect(hex(read(file, 0, 100))).toBe(hex(page(1).subarray(0, 100)));
  });

  it('ends where the file ends', () => {
    const files = threePages();
    expect(read(opened(new SealedFiles(files)), 3 * PAGE_BYTES)).toHaveLength(0);
    files.bytes.set('store', files.of('store').slice(0, 2 * PAGE_BYTES + 500));
    expect(hex(read(opened(new SealedFiles(files)), 2 * PAGE_BYTES))).toBe(
      hex(page(3).slice(0, 500)),
    );
  });
});

describe('a database without sums', () => {
  const open = (first: Uint8Array) => {
    const files = new MemoryFiles([['store', new Uint8Array([...first, ...page(6)])]]);
    const sealed = new SealedFiles(files);
    return { files, sealed, file: opened(sealed) };
  };

  it('is read and written as it is', () => {
    const { files, sealed, file } = open(oldFirstPage());
    expect(sealed.isUnsealed('store')).toBe(true);
    expect(hex(read(file, PAGE_BYTES))).toBe(hex(page(6)));
    file.write(page(7), PAGE_BYTES);
    expect(hex(files.of('store').subarray(PAGE_BYTES))).toBe(hex(page(7)));
    expect(sealed.pagesSummed).toBe(0);
  });

  it('may have come no further than an empty page', () => {
    const empty = oldFirstPage(0).fill(0, TEXT_BYTES);
    expect(open(empty).sealed.isUnsealed('store')).toBe(true);
    expect(open(oldFirstPage(0)).sealed.isUnsealed('store')).toBe(false);
  });

  it.each<[string, Uint8Array]>([
    ['another first byte', oldFirstPage().fill(0x52, 0, 1)],
    ['room for sums', oldFirstPage().fill(SUM_BYTES, 20, 21)],
    ['another layout', oldFirstPage(UNSEALED_LAYOUT + 1)],
  ])('is none with %s: what was sealed and is damaged', (_, first) => {
    const { sealed, file } = open(first);
    expect(sealed.isUnsealed('store')).toBe(false);
    expect(() => read(file, 0)).toThrow(damaged(1));
  });

  it('is none if it is new, not open, or has a first page that proves itself', () => {
    const files = new SealedFiles(new MemoryFiles());
    expect(files.isUnsealed('store')).toBe(false);
    const file = opened(files);
    expect(files.isUnsealed('store')).toBe(false);
    file.write(oldFirstPage(), 0);
    opened(files);
    expect(files.isUnsealed('store')).toBe(false);
  });
});

describe('other files', () => {
  it('are opened, missed, found, renamed and removed as they are', () => {
    const files = new MemoryFiles();
    const sealed = new SealedFiles(files);
    expect(sealed.open('store', false)).toBeNull();
    opened(sealed, 'store-journal').write(page(4), 0);
    expect(hex(files.of('store-journal'))).toBe(hex(page(4)));
    expect(sealed.exists('store-journal')).toBe(true);
    sealed.rename('store-journal', 'other');
    expect([...files.bytes.keys()]).toEqual(['other']);
    sealed.remove('other');
    expect(sealed.exists('other')).toBe(false);
  });
});

/** A database with four commits, all of them in its log. */
const WITH_LOG = (async () => {
  const files = new MemoryFiles();
  const random = (count: number) => new Uint8Array(count).fill(3);
  const store = new SqliteStore(await startEngine(), { files, random, nowMs: () => 0 });
  for (const key of ['a', 'b', 'c', 'd']) store.commit([[key, key.repeat(3000)]]);
  const copy = files.copy();
  store.close();
  return copy;
})();

/** The same, with bits of the text of one frame turned over, and open. */
async function logDamaged(frame: number, mask: number) {
  const files = (await WITH_LOG).copy();
  const right = files.of('store-wal').slice();
  const at = 32 + frame * FRAME_BYTES;
  files.flip('store-wal', at + 1000, mask);
  const sealed = new SealedFiles(files);
  opened(sealed);
  const log = opened(sealed, 'store-wal');
  return { files, sealed, log, right, at };
}

const ONE_BIT = 1;
const SEVERAL_BITS = 0x55;

describe('the log of a database', () => {
  it('is left alone as long as it is whole, and where there is none', async () => {
    const { sealed, log, right } = await logDamaged(1, 0);
    expect(sealed.mendLog('store')).toBe(false);
    expect(hex(read(log, 0, right.length))).toBe(hex(right));
    expect(sealed.mendLog('other')).toBe(false);
    const alone = new SealedFiles(new MemoryFiles());
    opened(alone, 'store-wal');
    expect(alone.mendLog('store')).toBe(false);
  });

  it('is read as it was before a bit flipped, in any pieces, and told so once', async () => {
    const { sealed, log, right, at, files } = await logDamaged(1, ONE_BIT);
    expect(sealed.mendLog('store')).toBe(true);
    expect(sealed.mendLog('store')).toBe(false);
    for (const [offset, length] of [
      [0, right.length],
      [at + 990, 11],
      [at + 1000, 1],
      [at - 20, 30],
      [at + FRAME_BYTES - 5, 10],
    ] as const) {
      const is = Buffer.compare(read(log, offset, length), right.slice(offset, offset + length));
      expect([offset, is]).toEqual([offset, 0]);
    }
    expect(read(log, right.length - 4, 10)).toHaveLength(4);
    // On the flash it is as it was found.
    expect(files.of('store-wal')[at + 1000]).not.toBe(right[at + 1000]);
  });

  it('is an error if it has lost commits, every time it is looked at', async () => {
    const { sealed } = await logDamaged(1, SEVERAL_BITS);
    const lost = expect.objectContaining({ code: 'damaged', message: 'the log has lost commits' });
    expect(() => sealed.mendLog('store')).toThrow(lost);
    expect(() => sealed.mendLog('store')).toThrow(lost);
  });

  it('is read as it is written from then on', async () => {
    for (const [offset, length] of [
      [0, 0],
      [-FRAME_BYTES + 1, FRAME_BYTES],
      [FRAME_BYTES - 1, 50],
    ] as const) {
      const { sealed, log, at } = await logDamaged(1, ONE_BIT);
      sealed.mendLog('store');
      const mended = read(log, at + 1000, 1);
      log.write(new Uint8Array(Math.max(length, 1)), at + offset);
      expect(read(log, at + 1000, 1)).not.toEqual(mended);
    }
  });

  it('stays mended where something else is written', async () => {
    const { sealed, log, right, at } = await logDamaged(1, ONE_BIT);
    sealed.mendLog('store');
    log.write(right.slice(at - 10, at), at - 10);
    log.write(new Uint8Array(10), at + FRAME_BYTES);
    expect(hex(read(log, at + 1000, 1))).toBe(hex(right.slice(at + 1000, at + 1001)));
    // A new log begins with its header.
    log.write(right.slice(0, 1), 0);
    expect(read(log, at + 1000, 1)).not.toEqual(right.slice(at + 1000, at + 1001));
  });

  it('is looked at anew when it was removed', async () => {
    const { sealed, files } = await logDamaged(1, ONE_BIT);
    sealed.mendLog('store');
    const bytes = files.of('store-wal').slice();
    sealed.remove('store-wal');
    files.bytes.set('store-wal', bytes);
    expect(sealed.mendLog('store')).toBe(true);
  });
});

describe('a database that is read although it is damaged', () => {
  const firstPage = () => page(9);

  it('has a first page as it is told, and the room for sums that it has', () => {
    const files = new SealedFiles(threePages());
    const salvage = files.beginSalvage('store', firstPage());
    const file = opened(files);
    expect(hex(read(file, 0))).toBe(hex(salvage.firstPage));
    expect(salvage.firstPage[20]).toBe(SUM_BYTES);
    expect(read(file, PAGE_BYTES)[0]).toBe(2);
    expect(salvage.losses).toBe(0);
  });

  it('has a page with one row for each that is damaged, and counts them', () => {
    const files = threePages();
    files.flip('store', 2 * PAGE_BYTES + 50, 0x55);
    const sealed = new SealedFiles(files);
    const salvage = sealed.beginSalvage('store', firstPage());
    const file = opened(sealed);
    const filler = read(file, 2 * PAGE_BYTES);
    // A leaf of a table, with one cell.
    expect([...filler.subarray(0, 5)]).toEqual([13, 0, 0, 0, 1]);
    expect(salvage.losses).toBe(1);
    expect(read(file, 3 * PAGE_BYTES)).toHaveLength(0);
    sealed.endSalvage();
    expect(() => read(opened(sealed), 2 * PAGE_BYTES)).toThrow(damaged(3));
  });

  it('has no sums where no page has one', () => {
    const unsealed = new SealedFiles(
      new MemoryFiles([['store', new Uint8Array([...page(1), ...page(2)])]]),
    );
    const salvage = unsealed.beginSalvage('store', firstPage());
    const file = opened(unsealed);
    expect(read(file, PAGE_BYTES)[0]).toBe(2);
    expect(salvage.firstPage[20]).toBe(0);
    const files = threePages();
    files.of('store').fill(0xee, 0, 2 * PAGE_BYTES);
    const sealed = new SealedFiles(files);
    const other = sealed.beginSalvage('store', firstPage());
    opened(sealed);
    expect(other.firstPage[20]).toBe(SUM_BYTES);
    const none = new SealedFiles(new MemoryFiles());
    const empty = none.beginSalvage('store', firstPage());
    opened(none);
    expect(empty.firstPage[20]).toBe(SUM_BYTES);
  });

  it('has the pages of its log in it, and no log', async () => {
    const files = (await WITH_LOG).copy();
    const sealed = new SealedFiles(files);
    const salvage = sealed.beginSalvage('store', firstPage());
    expect(sealed.exists('store-wal')).toBe(false);
    expect(sealed.exists('store')).toBe(true);
    const file = opened(sealed);
    const pages = file.size() / PAGE_BYTES;
    expect(pages).toBeGreaterThan(4);
    expect(file.size()).toBeGreaterThan(files.of('store').length);
    for (let at = 1; at < pages; at++) expect(read(file, at * PAGE_BYTES)).toHaveLength(PAGE_BYTES);
    expect(salvage.losses).toBe(0);
    sealed.endSalvage();
    expect(sealed.exists('store-wal')).toBe(true);
  });

  it('has what can be read of a log that was mended, and counts what cannot', async () => {
    const mended = await logDamaged(1, ONE_BIT);
    expect(mended.sealed.beginSalvage('store', firstPage()).losses).toBe(0);
    const { sealed } = await logDamaged(await lastOfItsPage(), SEVERAL_BITS);
    const salvage = sealed.beginSalvage('store', firstPage());
    expect(salvage.losses).toBe(1);
    const file = opened(sealed);
    for (let at = 1; at < file.size() / PAGE_BYTES; at++) read(file, at * PAGE_BYTES);
    expect(salvage.losses).toBeGreaterThan(1);
  });

  /** A frame with a page that no later one has, and commits behind it. */
  async function lastOfItsPage(): Promise<number> {
    const log = Buffer.from((await WITH_LOG).of('store-wal'));
    const pages: number[] = [];
    for (let at = 32; at + FRAME_BYTES <= log.length; at += FRAME_BYTES) {
      const number = log.readUInt32BE(at);
      if (number > 0) pages.push(number);
    }
    return pages.findIndex((number, at) => number > 1 && !pages.includes(number, at + 1));
  }

  it('leaves other databases as they are', () => {
    const files = threePages();
    files.bytes.set('other', files.of('store').slice());
    files.bytes.set('other-wal', new Uint8Array(0));
    const sealed = new SealedFiles(files);
    sealed.beginSalvage('store', firstPage());
    expect(read(opened(sealed, 'other'), 0)[0]).toBe(1);
    expect(sealed.exists('other-wal')).toBe(true);
  });
});
