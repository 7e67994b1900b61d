// Damage in the write-ahead log. SQLite ends its log at the first frame that does not sum up:
// behind a power cut that is a write that was under way, and in a damaged log it is silence about
// commits that were acknowledged. Here the two are told apart: a frame with one flipped bit is put
// right where only one bit can have flipped, and frames of a later commit prove that what is before
// them had been stored. What cannot be told from a write under way is taken for one. Reads only;
// what is put right is handed to whoever reads the log.
// Format: https://sqlite.org/fileformat2.html, 4.

import type { BlockFile } from './block-files.ts';
import { flippedBits, isFlipOf, isSame, PAGE_BYTES, type Sum, sumOf, wordsOf } from './checksum.ts';

/** What a log should hold at these offsets. */
export type Mended = ReadonlyMap<number, Uint8Array>;

interface Examined {
  readonly mended: Mended;
  /** The log has lost commits that were acknowledged. */
  readonly isLost: boolean;
}

/** The pages that a log has a newer version of. */
export interface LoggedPages {
  /** Where in the log a page is; null if it is damaged. */
  readonly offsets: ReadonlyMap<number, number | null>;
  /** Pages of the database after the last commit; 0 for a log without one. */
  readonly pageCount: number;
}

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const FRAME_BYTES = FRAME_HEADER_BYTES + PAGE_BYTES;
/** So many frames behind a damaged one are looked at. */
const AHEAD_FRAMES = 256;

/** `main`: a page of the database, without its log. */
export function examineLog(log: BlockFile, main: (page: number) => Uint8Array | null): Examined {
  const mended = new Map<number, Uint8Array>();
  const stored = readWhole(log, 0, HEADER_BYTES);
  if (stored === null) return { mended, isLost: false };
  const header = isHeader(stored) ? stored : mendedHeader(log, stored);
  if (header === null) return { mended, isLost: isLostBehind(log, stored, main) };
  if (header !== stored) mended.set(0, header);
  const chain: Chain = { isLittle: isLittleEndian(header), salts: sumAt(header, 16) };
  let seed = sumAt(header, 24);
  let before: Frame | null = null;
  for (let at = 0; ; at++) {
    const frame = frameAt(log, at);
    if (frame === null) return { mended, isLost: false };
    if (!follows(chain, seed, frame)) {
      const [right, other] = mendedFrames(chain, seed, frame, frameAt(log, at + 1));
      // A write under way does not end in a flipped bit; in a copy of what is there, it may.
      if (other !== undefined)
        return { mended, isLost: !isCopy(before, frame) || isBeforeCommits(log, chain, at) };
      if (right === undefined) {
        // The header was about to be written anew, because the database has all that is behind it.
        const isDone = at === 0 && !differs(log, committedBehind(log, chain), main);
        return { mended, isLost: !isDone && isBeforeCommits(log, chain, at) };
      }
      mended.set(offsetOf(at), right.bytes);
      seed = right.sum;
      before = right;
    } else {
      seed = frame.sum;
      before = frame;
    }
  }
}

/**
 * Behind a header that says nothing, which may be that of a log that was about to begin anew, with
 * the frames of its first commit. A page that is damaged takes the first frame with it, and no
 * other one: what begins later was left of older logs.
 */
function isLostBehind(
  log: BlockFile,
  header: Uint8Array,
  main: (page: number) => Uint8Array | null,
): boolean {
  const chain = chainOf(log, header);
  if (chain === null || chain.first > 1 || !isBeforeCommits(log, chain, chain.first)) return false;
  return differs(log, loggedPages(log).offsets, main);
}

/** What can be read of a log that is damaged, each frame by itself. */
export function loggedPages(log: BlockFile): LoggedPages {
  const offsets = new Map<number, number | null>();
  const open = new Map<number, number | null>();
  let pageCount = 0;
  const header = readWhole(log, 0, HEADER_BYTES);
  const chain = header === null ? null : chainOf(log, header);
  if (header === null || chain === null) return { offsets, pageCount };
  let seed = sumAt(header, 24);
  for (let at = 0; ; at++) {
    const frame = frameAt(log, at);
    if (frame === null || (at >= chain.first && isForeign(chain, frame))) {
      return { offsets, pageCount };
    }
    if (at < chain.first) continue;
    open.set(frame.page, follows(chain, seed, frame) ? offsetOf(at) + FRAME_HEADER_BYTES : null);
    seed = frame.sum;
    if (frame.pagesAfter === 0 || !isCommitted(log, chain, at)) continue;
    pageCount = frame.pagesAfter;
    for (const [page, offset] of open) offsets.set(page, offset);
    open.clear();
  }
}

/** What the header says; without one, what the first frame says that has a good one behind it. */
function chainOf(log: BlockFile, header: Uint8Array): (Chain & { first: number }) | null {
  if (isHeader(header)) {
    return { isLittle: isLittleEndian(header), salts: sumAt(header, 16), first: 0 };
  }
  let before = frameAt(log, 0);
  for (let first = 0; first < AHEAD_FRAMES && before !== null; first++) {
    const next = frameAt(log, first + 1);
    const chain = { isLittle: true, salts: before.salts, first };
    if (next !== null && follows(chain, before.sum, next)) return chain;
    before = next;
  }
  return null;
}

/** Of another log that had the file before. */
function isForeign({ salts }: Chain, frame: Frame): boolean {
  return !isSame(frame.salts, salts) && !isFlipOf(frame.salts, salts);
}

/** Whether a commit mark can be believed: its frame sums up, or another commit is behind it. */
function isCommitted(log: BlockFile, chain: Chain, at: number): boolean {
  const frame = frameAt(log, at);
  const before = at === 0 ? null : frameAt(log, at - 1);
  if (frame !== null && before !== null && follows(chain, before.sum, frame)) return true;
  return isBeforeCommits(log, chain, at) || at === 0;
}

/** What all frames of a log have in common. */
interface Chain {
  readonly isLittle: boolean;
  readonly salts: Sum;
}

interface Frame {
  readonly bytes: Uint8Array;
  readonly page: number;
  /** Pages of the database after the commit that this frame ends; 0 inside one. */
  readonly pagesAfter: number;
  readonly salts: Sum;
  readonly sum: Sum;
}

function offsetOf(index: number): number {
  return HEADER_BYTES + index * FRAME_BYTES;
}

function frameAt(log: BlockFile, index: number): Frame | null {
  const bytes = readWhole(log, offsetOf(index), FRAME_BYTES);
  return bytes === null ? null : frameOf(bytes);
}

function frameOf(bytes: Uint8Array): Frame {
  const [page = 0, pagesAfter = 0] = wordsOf(bytes.subarray(0, 8), false);
  return { bytes, page, pagesAfter, salts: sumAt(bytes, 8), sum: sumAt(bytes, 16) };
}

/** What is summed up of a frame: the first two words, and the page. */
function summedOf({ bytes }: Frame, isLittle: boolean): Uint32Array {
  const summed = new Uint8Array(8 + PAGE_BYTES);
  summed.set(bytes.subarray(0, 8));
  summed.set(bytes.subarray(FRAME_HEADER_BYTES), 8);
  return wordsOf(summed, isLittle);
}

/** Whether a frame was written behind one that has `seed` as its sum. */
function follows({ isLittle, salts }: Chain, seed: Sum, frame: Frame): boolean {
  if (frame.page === 0 || !isSame(frame.salts, salts)) return false;
  return isSame(sumOf(seed, summedOf(frame, isLittle)), frame.sum);
}

/**
 * The frames that this one may have been before one of its bits flipped: one, if it can be told
 * which.
 */
function mendedFrames(chain: Chain, seed: Sum, found: Frame, next: Frame | null): Frame[] {
  const { isLittle, salts } = chain;
  const words = summedOf(found, isLittle);
  const sum = sumOf(seed, words);
  const candidates: Frame[] = [];
  if (isFlipOf(found.salts, salts)) candidates.push(withPair(found, 8, salts));
  if (isSame(found.salts, salts)) {
    for (const { index, value } of flippedBits(seed, words, found.sum)) {
      const offset = index < 2 ? index * 4 : index * 4 + 16;
      candidates.push(withWord(found, offset, value, isLittle));
    }
    if (isFlipOf(found.sum, sum)) candidates.push(withPair(found, 16, sum));
  }
  const whole = candidates.filter((candidate) => follows(chain, seed, candidate));
  const proven = whole.filter(({ sum: is }) => next !== null && follows(chain, is, next));
  const left = proven.length > 0 ? proven : whole;
  // What is behind the text of a page means nothing.
  const texts = new Set(left.map(textOf));
  return texts.size === 1 ? left.slice(0, 1) : left;
}

function textOf({ bytes }: Frame): string {
  const end = FRAME_BYTES - 8;
  return Buffer.concat([bytes.subarray(0, 8), bytes.subarray(FRAME_HEADER_BYTES, end)]).toString(
    'latin1',
  );
}

function withWord({ bytes }: Frame, offset: number, value: number, isLittle: boolean): Frame {
  const changed = bytes.slice();
  new DataView(changed.buffer).setUint32(offset, value, isLittle);
  return frameOf(changed);
}

function withPair(frame: Frame, offset: number, [first, second]: Sum): Frame {
  return withWord(withWord(frame, offset, first, false), offset + 4, second, false);
}

/** The last frame of a commit is repeated up to the end of its sector. */
function isCopy(before: Frame | null, frame: Frame): boolean {
  const isLast = before !== null && before.pagesAfter > 0 && frame.pagesAfter > 0;
  return isLast && frame.page === before.page;
}

/**
 * A commit is written when the one before it is durable: whatever is in front of its frames was
 * stored.
 */
function isBeforeCommits(log: BlockFile, chain: Chain, from: number): boolean {
  let before = frameAt(log, from);
  for (let at = from + 1; at < from + AHEAD_FRAMES && before !== null; at++) {
    const next = frameAt(log, at);
    if (next === null) return false;
    if (before.pagesAfter > 0 && !isCopy(before, next) && follows(chain, before.sum, next))
      return true;
    before = next;
  }
  return false;
}

const MAGIC = 0x377f0682;
const FORMAT = 3007000;

function isHeader(header: Uint8Array): boolean {
  const [magic = 0, format, pageBytes] = wordsOf(header, false);
  const isKnown = (magic & ~1) === MAGIC && format === FORMAT && pageBytes === PAGE_BYTES;
  return isKnown && isSame(headerSum(header), sumAt(header, 24));
}

function headerSum(header: Uint8Array): Sum {
  return sumOf([0, 0], wordsOf(header.subarray(0, 24), isLittleEndian(header)));
}

function isLittleEndian(header: Uint8Array): boolean {
  return (header[3] ?? 0) % 2 === 0;
}

/** The header that the first frame was written behind, if one bit of it has flipped. */
function mendedHeader(log: BlockFile, stored: Uint8Array): Uint8Array | null {
  const first = frameAt(log, 0);
  if (first === null) return null;
  const found: Uint8Array[] = [];
  for (let bit = 0; bit < HEADER_BYTES * 8; bit++) {
    const header = stored.slice();
    header[bit >> 3] = (header[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if (!isHeader(header)) continue;
    const chain = { isLittle: isLittleEndian(header), salts: sumAt(header, 16) };
    if (follows(chain, sumAt(header, 24), first)) found.push(header);
  }
  return found[0] ?? null;
}

/** Where the last version of each page is that was committed behind the first frame. */
function committedBehind(log: BlockFile, { salts }: Chain): ReadonlyMap<number, number> {
  const offsets = new Map<number, number>();
  const open = new Map<number, number>();
  for (let at = 1; ; at++) {
    const frame = frameAt(log, at);
    if (frame === null || !isSame(frame.salts, salts)) return offsets;
    open.set(frame.page, offsetOf(at) + FRAME_HEADER_BYTES);
    if (frame.pagesAfter === 0) continue;
    for (const [page, offset] of open) offsets.set(page, offset);
    open.clear();
  }
}

/** Whether pages in the log are not those of the database; one that is damaged says nothing. */
function differs(
  log: BlockFile,
  offsets: LoggedPages['offsets'],
  main: (page: number) => Uint8Array | null,
): boolean {
  for (const [page, offset] of offsets) {
    if (offset === null) continue;
    const logged = readWhole(log, offset, PAGE_BYTES - 8);
    const is = main(page)?.subarray(0, PAGE_BYTES - 8);
    if (logged === null || is === undefined || Buffer.compare(logged, is) !== 0) return true;
  }
  return false;
}

function sumAt(bytes: Uint8Array, offset: number): Sum {
  const [first = 0, second = 0] = wordsOf(bytes.subarray(offset, offset + 8), false);
  return [first, second];
}

function readWhole(log: BlockFile, offset: number, length: number): Uint8Array | null {
  const bytes = new Uint8Array(length);
  return log.read(bytes, offset) < length ? null : bytes;
}
