// Compaction of the histories in a storage: what a rule does not keep goes, while others read and
// write. It goes on where it was ended.

import { after, under } from '../storage/bso-keys.ts';
import type { ServerStorage } from '../storage/server-storage.ts';
import { type Keep, keptLogs } from './log.ts';
import { Keys } from './rows.ts';

interface Compacted {
  readonly collections: number;
  /** That a history has not any more, those included that are records. */
  readonly changes: number;
}

/** Collections that are looked up at a time. */
const PORTION = 1_000;

export async function compact(
  storage: ServerStorage,
  keep: Keep,
  nowMs: number,
): Promise<Compacted> {
  const logs = keptLogs(storage);
  let [collections, changes] = [0, 0];
  const { to } = under(Keys.heads, PORTION);
  for (let from = Keys.heads; ; ) {
    const range = { from, to, limit: PORTION };
    const heads = await storage.read('picl', (reader) => reader.keys(range));
    for (const head of heads) {
      const { user, name } = Keys.ownerOf(head);
      collections++;
      for (;;) {
        const count = await logs.write(user, name, (log) => log.compact(keep, nowMs));
        if (count === 0) break;
        changes += count;
      }
    }
    const last = heads.at(-1);
    if (last === undefined) return { collections, changes };
    from = after(last);
  }
}
