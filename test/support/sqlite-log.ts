// Logs of SQLite as its format says (https://sqlite.org/fileformat2.html, 4.1), frame by frame:
// with damage where a test wants it.

import { PAGE_BYTES, type Sum, sumOf, wordsOf } from '../../platform/sqlite/checksum.ts';
import { MemoryFiles } from './memory-files.ts';

export const HEADER = 32;
export const FRAME = 24 + PAGE_BYTES;
export const SALTS: Sum = [0x01020304, 0x0a0b0c0d];
export const OLD_SALTS: Sum = [0x01020303, 0x55667788];

export interface FrameToWrite {
  readonly page: number;
  /** Pages of the database, if the frame ends a commit. */
  readonly after?: number;
  /** What the page is full of. */
  readonly fill: number;
}

/** A page whose words are all different, up to the place of its sum. */
export function pageOf(fill: number): Uint8Array {
  const page = new Uint8Array(PAGE_BYTES);
  const view = new DataView(page.buffer);
  for (let at = 0; at < PAGE_BYTES - 8; at += 4) view.setUint32(at, Math.imul(fill + at, 40503));
  return page;
}

/** `header`: what the log begins with: file, format, size of pages. */
export function logOf(
  frames: readonly FrameToWrite[],
  isLittle = true,
  salts = SALTS,
  header: readonly number[] = [isLittle ? 0x377f0682 : 0x377f0683, 3007000, PAGE_BYTES],
): MemoryFiles {
  const bytes = new Uint8Array(HEADER + frames.length * FRAME);
  const view = new DataView(bytes.buffer);
  const put = (at: number, ...words: number[]) => {
    for (const [index, word] of words.entries()) view.setUint32(at + index * 4, word);
  };
  put(0, ...header, 0, ...salts);
  let sum = sumOf([0, 0], wordsOf(bytes.subarray(0, 24), isLittle));
  put(24, ...sum);
  for (const [index, { page, after = 0, fill }] of frames.entries()) {
    const at = HEADER + index * FRAME;
    put(at, page, after, ...salts);
    bytes.set(pageOf(fill), at + 24);
    sum = sumOf(sum, wordsOf(bytes.subarray(at, at + 8), isLittle));
    sum = sumOf(sum, wordsOf(bytes.subarray(at + 24, at + FRAME), isLittle));
    put(at + 16, ...sum);
  }
  return new MemoryFiles([['wal', bytes]]);
}
