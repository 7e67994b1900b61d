import { describe, expect, it } from 'vitest';
import { MemoryFiles } from '../../test/support/memory-files.ts';
import {
  FRAME,
  type FrameToWrite,
  HEADER,
  logOf,
  OLD_SALTS,
  pageOf,
  SALTS,
} from '../../test/support/sqlite-log.ts';
import type { BlockFile } from './block-files.ts';
import { PAGE_BYTES } from './checksum.ts';
import { startEngine } from './engine.ts';
import { examineLog, loggedPages } from './log.ts';
import { SqliteStore } from './store.ts';

function fileOf(files: MemoryFiles): BlockFile {
  const file = files.open('wal', true);
  if (file === null) throw new Error('not opened');
  return file;
}

const noPage = () => null;
const examined = (files: MemoryFiles, main: (page: number) => Uint8Array | null = noPage) =>
  examineLog(fileOf(files), main);

/** Two commits of two pages each, and one of one. */
const THREE_COMMITS: readonly FrameToWrite[] = [
  { page: 1, fill: 10 },
  { page: 2, after: 2, fill: 20 },
  { page: 3, fill: 30 },
  { page: 2, after: 3, fill: 21 },
  { page: 1, after: 3, fill: 11 },
];
const NOTHING_WRONG = { mended: new Map(), isLost: false };

/** Offset of byte `at` of a frame. */
const inFrame = (frame: number, at: number): number => HEADER + frame * FRAME + at;

/** More than one bit: nobody can tell what was there. */
function spoil(files: MemoryFiles, offset: number): void {
  for (const at of [0, 1, 2, 3]) files.flip('wal', offset + at, 0x5a);
}

describe('a log that is whole', () => {
  it.each([
    ['its words little endian', true],
    ['its words big endian', false],
  ])('has nothing to be mended: %s', (_, isLittle) => {
    expect(examined(logOf(THREE_COMMITS, isLittle))).toEqual(NOTHING_WRONG);
  });

  it('may be empty, may have no commit yet, and may not have come to a whole header', () => {
    expect(examined(new MemoryFiles())).toEqual(NOTHING_WRONG);
    expect(examined(logOf([]))).toEqual(NOTHING_WRONG);
    const files = logOf([]);
    files.bytes.set('wal', files.of('wal').slice(0, HEADER - 1));
    expect(examined(files)).toEqual(NOTHING_WRONG);
  });

  it('is what SQLite writes, and its pages are found in it', async () => {
    const files = new MemoryFiles();
    const random = (count: number) => new Uint8Array(count).fill(7);
    const store = new SqliteStore(await startEngine(), { files, random, nowMs: () => 0 });
    for (const key of ['a', 'b', 'c']) store.commit([[key, key.repeat(9000)]]);
    const wal = new MemoryFiles([['wal', files.of('store-wal')]]);
    expect(examined(wal)).toEqual(NOTHING_WRONG);
    const { offsets, pageCount } = loggedPages(fileOf(wal));
    expect(offsets.size).toBe(pageCount);
    // Without its last commit, and with one bit of the one before put right.
    wal.flip('wal', inFrame(1, 700));
    expect([...examined(wal).mended.keys()]).toEqual([inFrame(1, 0)]);
    store.close();
  });
});

describe('one bit of a log that has flipped', () => {
  const whole = logOf(THREE_COMMITS).of('wal');
  const places: [string, number][] = [
    ['the number of a page', 0],
    ['the mark of a commit', 4],
    ['a salt', 8],
    ['the other salt', 12],
    ['a sum', 16],
    ['the other sum', 20],
    ['the text of a page', 24],
    ['the text at its end', FRAME - 12],
  ];

  it.each(places)('is put right where frames are behind: %s', (_, at) => {
    for (const isLittle of [true, false]) {
      const files = logOf(THREE_COMMITS, isLittle);
      const right = files.of('wal').slice();
      // The lowest byte of a word: what its upper bits say can be said by other words.
      files.flip('wal', inFrame(1, isLittle ? at & ~3 : at | 3), 0x40);
      expect(mendedIn(files, right)).toEqual({ frames: [1], isLost: false });
    }
  });

  it('is put right in several frames of one log', () => {
    const files = logOf(THREE_COMMITS);
    files.flip('wal', inFrame(0, 100));
    files.flip('wal', inFrame(2, 100));
    expect(mendedIn(files)).toEqual({ frames: [0, 2], isLost: false });
  });

  it('is put right in the header', () => {
    for (let at = 0; at < HEADER; at++) {
      const files = logOf(THREE_COMMITS);
      files.flip('wal', at, 0x10);
      const mended = new Map([[0, whole.slice(0, HEADER)]]);
      expect(examined(files)).toEqual({ mended, isLost: false });
    }
  });

  it('is put right in the last frame if it can be told which, else the commit is lost', () => {
    // The text's low bits change the sums as nothing else does, its highest as many others do.
    expect(mendedAfter([4, 1000, 1])).toEqual({ frames: [4], isLost: false });
    expect(mendedAfter([4, 1003, 0x80])).toEqual({ frames: [], isLost: true });
  });

  it('is told from one of the sum by the frame behind', () => {
    expect(mendedAfter([4, 20, 0x80])).toEqual({ frames: [], isLost: true });
    expect(mendedAfter([1, 20, 0x80])).toEqual({ frames: [1], isLost: false });
  });

  it('costs nothing behind the text of a page, where it may be one of the sum', () => {
    const text = (bytes: Uint8Array = new Uint8Array(0)) => `${bytes.slice(24, FRAME - 8)}`;
    for (let bit = 0; bit < 16; bit++) {
      const files = logOf(THREE_COMMITS);
      files.flip('wal', inFrame(4, FRAME - 4 + (bit >> 3)), 1 << (bit & 7));
      const { mended, isLost } = examined(files);
      expect([bit, isLost]).toEqual([bit, false]);
      expect(text(mended.get(inFrame(4, 0)))).toBe(text(whole.slice(inFrame(4, 0))));
    }
  });

  function mendedAfter([frame, at, mask]: [frame: number, at: number, mask: number]) {
    const files = logOf(THREE_COMMITS);
    files.flip('wal', inFrame(frame, at), mask);
    return mendedIn(files);
  }

  /** Which frames are put right; null for one that is not as it was. */
  function mendedIn(files: MemoryFiles, right = whole) {
    const { mended, isLost } = examined(files);
    const frames = [...mended].map(([offset, bytes]) => {
      const isRight = Buffer.compare(bytes, right.slice(offset, offset + FRAME)) === 0;
      return isRight ? (offset - HEADER) / FRAME : null;
    });
    return { frames, isLost };
  }
});

describe('a log whose end does not sum up', () => {
  it('ends in a write that was under way, if no commit is behind', () => {
    const files = logOf(THREE_COMMITS);
    spoil(files, inFrame(4, 500));
    expect(examined(files)).toEqual(NOTHING_WRONG);
    const cut = logOf(THREE_COMMITS);
    cut.bytes.set('wal', cut.of('wal').slice(0, inFrame(4, 1000)));
    expect(examined(cut)).toEqual(NOTHING_WRONG);
    // Inside a commit, whose other frames are there.
    const inside = logOf(THREE_COMMITS.slice(0, 4));
    spoil(inside, inFrame(2, 500));
    expect(examined(inside)).toEqual(NOTHING_WRONG);
  });

  it('has lost commits, if one is behind', () => {
    for (const frame of [0, 1, 2, 3]) {
      const files = logOf(THREE_COMMITS);
      spoil(files, inFrame(frame, 500));
      expect([frame, examined(files)]).toEqual([frame, { mended: new Map(), isLost: true }]);
    }
  });

  it('does not take what fills the sector of a commit for the next one', () => {
    const copies = [...THREE_COMMITS, ...Array(3).fill(THREE_COMMITS[4])];
    const files = logOf(copies);
    spoil(files, inFrame(4, 500));
    expect(examined(files)).toEqual(NOTHING_WRONG);
    const behind = logOf([...copies, { page: 3, after: 3, fill: 31 }]);
    spoil(behind, inFrame(4, 500));
    expect(examined(behind).isLost).toBe(true);
  });

  it('has lost the next commit, too, where that begins with the same page', () => {
    const same = { page: 1, fill: 12 };
    const files = logOf([...THREE_COMMITS, same, { page: 2, after: 3, fill: 22 }]);
    spoil(files, inFrame(4, 500));
    expect(examined(files).isLost).toBe(true);
  });

  it('ends at a page of number 0, which there is not', () => {
    const files = logOf([{ page: 0, fill: 1 }, ...THREE_COMMITS]);
    expect(examined(files).isLost).toBe(true);
  });

  it('may have frames of the log behind it that had the file before', () => {
    const files = logOf(THREE_COMMITS, true, OLD_SALTS);
    files.of('wal').set(logOf(THREE_COMMITS.slice(0, 2)).of('wal'));
    expect(examined(files)).toEqual(NOTHING_WRONG);
  });

  it('looks for a commit behind in 256 frames, and no further', () => {
    const bulk = (frames: number): MemoryFiles => {
      const filling = Array.from({ length: frames }, () => ({ page: 4, fill: 4 }));
      const files = logOf([
        ...filling,
        { page: 1, after: 4, fill: 1 },
        { page: 2, after: 4, fill: 2 },
      ]);
      spoil(files, inFrame(0, 500));
      return files;
    };
    expect(examined(bulk(254)).isLost).toBe(true);
    expect(examined(bulk(255)).isLost).toBe(false);
  });
});

describe('a log that cannot be read from its beginning', () => {
  const main = new Map([
    [1, pageOf(11)],
    [2, pageOf(21)],
    [3, pageOf(30)],
  ]);
  const mainPage = (page: number) => main.get(page) ?? null;

  it.each([
    ['its header', 8],
    ['its first frame', inFrame(0, 500)],
  ])('has lost nothing if the database has all that is in it: %s', (_, offset) => {
    const files = logOf(THREE_COMMITS);
    spoil(files, offset);
    expect(examined(files, mainPage)).toEqual(NOTHING_WRONG);
  });

  it('has lost nothing that is behind it of the log that had the file before', () => {
    const frames = Array.from({ length: 7 }, () => ({ page: 1, after: 3, fill: 99 }));
    const files = logOf(frames, true, OLD_SALTS);
    files.of('wal').set(logOf(THREE_COMMITS).of('wal'));
    spoil(files, inFrame(0, 500));
    expect(examined(files, mainPage)).toEqual(NOTHING_WRONG);
  });

  it.each([
    ['one commit behind it', 2],
    ['commits of an older log behind it', 0],
  ])('has lost nothing where it was about to begin anew: %s', (_, under) => {
    // Page 1 was committed, and the next log was being written over that one.
    const files = logOf([...THREE_COMMITS, ...THREE_COMMITS], true, OLD_SALTS);
    const next = [
      { page: 1, fill: 1 },
      { page: 2, fill: 2 },
      { page: 3, after: 3, fill: 3 },
    ];
    const begun = logOf(next).of('wal');
    files.of('wal').set(begun.subarray(0, inFrame(3, 0)));
    spoil(files, 8);
    for (let frame = 0; frame < 3 - under; frame++) spoil(files, inFrame(frame, 500));
    expect(examined(files, () => pageOf(77))).toEqual(NOTHING_WRONG);
  });

  it('has lost commits where its first page says nothing, and they are more than one', () => {
    const files = logOf(THREE_COMMITS);
    spoil(files, 8);
    spoil(files, inFrame(0, 500));
    expect(examined(files, mainPage)).toEqual(NOTHING_WRONG);
    expect(examined(files, () => pageOf(99)).isLost).toBe(true);
  });

  it('has lost commits where it is a later frame that says nothing', () => {
    const files = logOf(THREE_COMMITS);
    spoil(files, inFrame(1, 500));
    expect(examined(files, mainPage).isLost).toBe(true);
  });

  it.each([
    ['file', [0x377f0680, 3007000, PAGE_BYTES]],
    ['format', [0x377f0682, 3007001, PAGE_BYTES]],
    ['size of pages', [0x377f0682, 3007000, 8192]],
  ])('is one of another %s: nothing in it is put right', (_, header) => {
    const files = logOf(THREE_COMMITS, true, SALTS, header);
    files.flip('wal', inFrame(1, 1000));
    expect(examined(files, mainPage)).toEqual(NOTHING_WRONG);
  });

  it.each([
    ['its header', 8],
    ['the salts of its header', 16],
    ['the sum of its header', 24],
    ['its first frame', inFrame(0, 500)],
  ])('has lost commits if the database has another page, or less of them: %s', (_, offset) => {
    const files = logOf(THREE_COMMITS);
    spoil(files, offset);
    for (const other of [pageOf(20), null]) {
      const changed = (page: number) => (page === 2 ? other : mainPage(page));
      expect(examined(files, changed)).toEqual({ mended: new Map(), isLost: true });
    }
    // What is behind the text of a page is no content.
    const sealed = pageOf(21).fill(9, PAGE_BYTES - 8);
    expect(examined(files, (page) => (page === 2 ? sealed : mainPage(page))).isLost).toBe(false);
  });

  it('has nothing to lose without a frame', () => {
    const files = logOf([]);
    spoil(files, 8);
    expect(examined(files, mainPage)).toEqual(NOTHING_WRONG);
  });
});

describe('the pages of a damaged log', () => {
  const pagesOf = (files: MemoryFiles) => {
    const { offsets, pageCount } = loggedPages(fileOf(files));
    return { pageCount, at: [...offsets].sort(([a], [b]) => a - b) };
  };
  const text = (frame: number): number => inFrame(frame, 24);

  it('are the last version of each that was committed', () => {
    const open = { page: 3, fill: 32 };
    expect(pagesOf(logOf([...THREE_COMMITS, open]))).toEqual({
      pageCount: 3,
      at: [
        [1, text(4)],
        [2, text(3)],
        [3, text(2)],
      ],
    });
  });

  it('are none without a header and frames', () => {
    expect(pagesOf(new MemoryFiles())).toEqual({ pageCount: 0, at: [] });
    expect(pagesOf(logOf([]))).toEqual({ pageCount: 0, at: [] });
  });

  it('are known to be damaged where their last version is', () => {
    const files = logOf(THREE_COMMITS);
    spoil(files, inFrame(2, 500));
    expect(pagesOf(files).at).toEqual([
      [1, text(4)],
      [2, text(3)],
      [3, null],
    ]);
  });

  it('end before a commit whose mark nothing confirms', () => {
    const files = logOf(THREE_COMMITS);
    spoil(files, inFrame(4, 500));
    expect(pagesOf(files).at).toEqual([
      [1, text(0)],
      [2, text(3)],
      [3, text(2)],
    ]);
  });

  it('take the mark of the only frame for one', () => {
    expect(pagesOf(logOf([{ page: 1, after: 1, fill: 1 }])).at).toEqual([[1, text(0)]]);
  });

  it('end where those of another log begin, and go on behind a flipped salt', () => {
    const files = logOf(THREE_COMMITS, true, OLD_SALTS);
    files.of('wal').set(logOf(THREE_COMMITS.slice(0, 2)).of('wal'));
    expect(pagesOf(files)).toEqual({
      pageCount: 2,
      at: [
        [1, text(0)],
        [2, text(1)],
      ],
    });
    const flipped = logOf(THREE_COMMITS);
    flipped.flip('wal', inFrame(2, 9));
    expect(pagesOf(flipped)).toMatchObject({ pageCount: 3, at: [{}, {}, [3, null]] });
  });

  it('are found behind a header that says nothing, from the first that others follow', () => {
    const files = logOf(THREE_COMMITS);
    spoil(files, 8);
    // What the first frame says of the second is lost too.
    spoil(files, inFrame(0, 16));
    expect(pagesOf(files)).toEqual({
      pageCount: 3,
      at: [
        [1, text(4)],
        [2, text(3)],
        [3, text(2)],
      ],
    });
    const none = logOf([4, 5, 6].map((fill) => ({ page: 1, after: 1, fill })));
    spoil(none, 8);
    for (const frame of [0, 1, 2]) spoil(none, inFrame(frame, 900));
    expect(pagesOf(none)).toEqual({ pageCount: 0, at: [] });
  });
});
