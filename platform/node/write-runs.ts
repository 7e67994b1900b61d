// Fewer calls of the system: what SQLite writes to a file in many small pieces, one behind the
// other (of each page in its log the head, then the page), goes there as one. Nothing waits past a
// `sync`, so what is promised to be durable is. Whatever is asked of the file sees all that was
// written; an error of a piece that waited comes with the call that needs it written.

import type { BlockFile } from '../sqlite/block-files.ts';

/** Bytes that may wait: some thirty pages, as many as a commit has. */
const RUN_BYTES_MAX = 128 * 1_024;

/** `file`: nobody else writes to it, or asks for its size, while this is open. */
export function inRuns(file: BlockFile, runBytesMax = RUN_BYTES_MAX): BlockFile {
  const waiting = new Uint8Array(runBytesMax);
  let start = 0;
  let length = 0;
  /** What is in the file; null: to be asked again. */
  let stored: number | null = null;

  const storedBytes = (): number => {
    stored ??= file.size();
    return stored;
  };
  const write = (bytes: Uint8Array, offset: number): void => {
    const before = storedBytes();
    stored = null;
    file.write(bytes, offset);
    stored = Math.max(before, offset + bytes.length);
  };
  const flush = (): void => {
    if (length === 0) return;
    const run = waiting.subarray(0, length);
    // What fails is not tried again: SQLite takes back all that it belongs to.
    length = 0;
    write(run, start);
  };

  return {
    size: () => Math.max(storedBytes(), length === 0 ? 0 : start + length),
    read(into, offset) {
      flush();
      return file.read(into, offset);
    },
    write(bytes, offset) {
      const isNext = offset === start + length && length + bytes.length <= runBytesMax;
      if (!isNext) flush();
      if (bytes.length > runBytesMax) return write(bytes, offset);
      if (length === 0) start = offset;
      waiting.set(bytes, length);
      length += bytes.length;
    },
    truncate(to) {
      flush();
      stored = null;
      file.truncate(to);
    },
    sync() {
      flush();
      file.sync();
    },
    close() {
      try {
        flush();
      } finally {
        file.close();
      }
    },
  };
}
