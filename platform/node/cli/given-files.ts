// Files that a person names on the command line, or what stands behind such a name: a pipe, a
// device. In memory as a whole, and for that never more than a limit.

import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { systemReason, UsageError } from './complaint.ts';

/** Of a document of JSON: far more than one has that a command takes. */
export const DOCUMENT_BYTES_MAX = 16_777_216;

/** Errors: `UsageError`, past the limit and where the system has nothing to read. */
export function readGiven(path: string, bytesMax: number): Buffer {
  try {
    const file = openSync(path, 'r');
    try {
      const { size } = fstatSync(file);
      if (size > bytesMax) throw tooLong(path, `${size}`, bytesMax);
      // What says how long it is comes in one piece.
      return size > 0 ? readFileSync(file) : readAtMost(file, path, bytesMax);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read ${path}: ${systemReason(error)}`);
  }
}

/** To the end of what does not say how long it is, and which may have none. */
function readAtMost(file: number, path: string, bytesMax: number): Buffer {
  const pieces: Buffer[] = [];
  for (let bytes = 0; ; ) {
    const piece = Buffer.alloc(PIECE_BYTES);
    const read = readSync(file, piece);
    if (read === 0) return Buffer.concat(pieces, bytes);
    bytes += read;
    if (bytes > bytesMax) throw tooLong(path, `more than ${bytesMax}`, bytesMax);
    pieces.push(piece.subarray(0, read));
  }
}

const PIECE_BYTES = 65_536;

function tooLong(path: string, bytes: string, bytesMax: number): UsageError {
  return new UsageError(`${path} has ${bytes} bytes, at most ${bytesMax} are read`);
}
