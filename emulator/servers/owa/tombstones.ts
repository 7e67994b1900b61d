// Which deletions of a document are forgotten, where a server is told to keep only so many: the
// oldest ones, and none within a year. A device that was away for longer, and has the app still,
// brings it back.

import type { Entry as StoredEntry, Transaction } from '../storage/server-storage.ts';
import { entryOf } from './entry.ts';
import { membersIn } from './members.ts';
import { entryRange } from './rows.ts';

/** By the server's clock, since the time that a deletion has. */
const TOMBSTONE_MS_MIN = 365 * 86_400_000;

/** Entries that are read at a time. */
const PORTION = 32;

/** Rows of the oldest deletions above `max`, of those that are old enough. */
export async function surplusTombstones(
  tx: Transaction,
  user: string,
  max: number,
  nowMs: number,
): Promise<StoredEntry[]> {
  const old: { readonly row: StoredEntry; readonly seconds: number }[] = [];
  let count = 0;
  for (let behind: string | null = null; ; ) {
    const rows = await tx.scan(entryRange(user, behind, PORTION));
    for (const row of rows) {
      const seconds = tombstoneSeconds(row[1]);
      if (seconds === null) continue;
      count++;
      if (seconds * 1_000 + TOMBSTONE_MS_MIN <= nowMs) old.push({ row, seconds });
    }
    const last = rows.at(-1);
    if (last === undefined) break;
    behind = last[0];
  }
  old.sort((a, b) => a.seconds - b.seconds);
  return old.slice(0, Math.max(0, count - max)).map(({ row }) => row);
}

/** Null: the row is something else. */
function tombstoneSeconds(row: string): number | null {
  if (!row.includes('"deleted"') && !row.includes('\\')) return null;
  const [member] = membersIn(`{${row}}`);
  if (member === undefined) return null;
  const { isWellFormed, isDeleted, seconds } = entryOf(member.name, member.text);
  return isWellFormed && isDeleted ? seconds : null;
}
