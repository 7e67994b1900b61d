// Where the log of a collection comes from: what a server answers now, or a file of answers that
// somebody has kept. Both are pages of changes; a server also says what lives, and where it is.

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Change } from './chain.ts';
import { changeOf, changesPage, type Head, type LiveRecord, membersOf } from './reading.ts';
import { UsageError } from './usage.ts';

export interface Source {
  /** Changes in the order in which they come. Throws Refused, Failure. */
  changes(): AsyncIterable<Change>;
  /** Whether the first change has others before it that were compacted; known after the first. */
  isCompacted(): boolean;
  /** Where the collection is by the server's last word; null: nobody says so. */
  head(): Head | null;
  /** What lives by the server's word, at that head; null: nobody says so. Throws as `changes`. */
  records(): AsyncIterable<LiveRecord> | null;
}

/**
 * A file of one answer to `/changes`, a list of changes, or a change or an answer on each line. A
 * file of lines is read one by one, however long it is. `isCompacted`: its log does not begin with
 * the first change. Errors: UsageError.
 */
export function fileSource(path: string, isCompacted: boolean): Source {
  return {
    changes: () => changesOfFile(path),
    isCompacted: () => isCompacted,
    head: () => null,
    records: () => null,
  };
}

async function* changesOfFile(path: string): AsyncIterable<Change> {
  const lines = createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: 1_000 });
  /** Lines of a document that is not whole by itself on each. */
  const document: string[] = [];
  let at = 0;
  try {
    for await (const line of lines) {
      if (document.length === 0 && line.trim() === '') continue;
      if (document.length > 0 || !isJson(line)) document.push(line);
      else {
        const changes = changesIn(line, at);
        at += changes.length;
        yield* changes;
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new UsageError(`cannot read ${path}: ${(error as Error).message}`);
  }
  if (document.length === 0) return;
  yield* changesIn(document.join('\n'), at);
}

function changesIn(text: string, at: number): readonly Change[] {
  const value: unknown = isJson(text) ? JSON.parse(text) : null;
  if (Array.isArray(value)) return value.map((one, index) => changeOf(one, at + index));
  return membersOf(value)?.has('seqnum') ? [changeOf(value, at)] : changesPage(text).items;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
