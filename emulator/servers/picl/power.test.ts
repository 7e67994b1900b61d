// A PiCL storage on a flash that loses its power at every write: appends, deletions and compaction
// are there as a whole or not at all, the chain goes on, and nothing is left lying about.

import { expect, test } from 'vitest';
import { cutPowerIn, type PowerStory } from '../../../test/support/server-power.ts';
import type { ServerStorage } from '../storage/server-storage.ts';
import { brokenAt, GENESIS } from './changes.ts';
import { compact } from './compaction.ts';
import { keptLogs } from './log.ts';
import { Pen } from './testing.ts';

const ALL = { items: 1_000, chars: 1e9 };
const pen = new Pen();
const sets = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => pen.write(`k${(from + n) % 7}`, `${n}`.repeat(150)));

const append = (changes: ReturnType<Pen['write']>[]) => (storage: ServerStorage) =>
  keptLogs(storage).write('user', 'name', (log) => log.append(changes, 0));
const end = (changes: number) => async (storage: ServerStorage) => {
  await compact(storage, { changes, ageMs: 0 }, 0);
};

const STORY: PowerStory['requests'] = [
  append(sets(0, 9)),
  append([pen.write('k1', null), pen.write('k1', null), ...sets(2, 3)]),
  end(5),
  append(sets(1, 4)),
  append([pen.write('k3', null)]),
  end(1),
  append(sets(3, 12)),
  end(4),
];

async function stateAfter(storage: ServerStorage): Promise<string> {
  const seen = await keptLogs(storage).read('user', 'name', async (log) => {
    const { oldest = 1 } = log.row ?? {};
    const { items: changes } = await log.changes(oldest, ALL);
    const [first, ...rest] = changes;
    // What came before the history is told by nobody: its second change is the first to be checked.
    const start = { first: oldest + 1, changeid: first?.changeid ?? GENESIS };
    expect(brokenAt(rest, start, false)).toBeNull();
    const { items: records } = await log.records({ start: null, end: null }, ALL);
    return { row: log.row, changes, records };
  });
  const keys = await storage.read('all', (reader) =>
    reader.keys({ from: '!', to: '~', limit: 1_000 }),
  );
  return JSON.stringify([seen, keys]);
}

test('a power cut at any write leaves what was acknowledged, whole, and its chain', async () => {
  await cutPowerIn({ requests: STORY, stateAfter });
});
