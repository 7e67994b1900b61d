// A server that compacts its histories on SQLite while clients write and read over HTTP, again and
// again as it would every hour: nothing is lost or torn, and what a reader is told is one state.

import { afterAll, expect, test } from 'vitest';
import { compactHourly } from '../../emulator/compact.ts';
import { signIn } from '../../emulator/servers/picl/testing.ts';
import { openSqliteStorage } from '../../emulator/servers/storage/local-storage.ts';
import type { StorageClient } from '../../emulator/servers/testing.ts';
import { temporaryFolder } from '../support/folders.ts';
import { servedPicl } from './served.ts';
import { provenLog, type Sent, writeUntil } from './writers.ts';

const WRITERS = 4;
const WRITTEN_EACH = 50;
/** Compactions that ended something while all wrote. */
const ENDED_MIN = 5;
const KEEP = { changes: 10, ageMs: 0 };
const EVERY_MS = 20;
const NAME = 'history';

const whole = await openSqliteStorage(temporaryFolder());
afterAll(() => whole.close());

test('a history that is compacted under load is whole, and its records are all there', async () => {
  const { world, storage } = await servedPicl(whole)({});
  const user = await signIn(world);
  const stop = compactHourly(storage, KEEP, EVERY_MS);
  const sent = new Map<string, Sent>();
  const ended = new Set<number>();
  let writing = WRITERS;
  const isOver = (acknowledged: number): boolean =>
    acknowledged >= WRITTEN_EACH && ended.size >= ENDED_MIN;
  const read = async (): Promise<void> => {
    while (writing > 0) await readOnce(user.at(NAME), ended);
  };
  const [written] = await Promise.all([
    Promise.all(
      Array.from({ length: WRITERS }, (_, writer) =>
        writeUntil(user.at(NAME), writer, isOver, sent).finally(() => writing--),
      ),
    ),
    read(),
  ]);
  await stop();
  const { log, oldest } = await provenLog(user.at(NAME), written, sent);
  expect(log.length).toBeGreaterThanOrEqual(WRITERS * WRITTEN_EACH);
  expect(oldest).toBeGreaterThanOrEqual(Math.max(...ended));
});

/** All changes that there are, or what is said of the oldest: `ended` gets its number. */
async function readOnce(ask: StorageClient, ended: Set<number>): Promise<void> {
  const { status, json } = await ask('GET', 'changes?since=1');
  if (status !== 416) return expect(status).toBe(200);
  ended.add(json.oldest);
  const rest = await ask('GET', `changes?since=${json.oldest}`);
  // It may have gone meanwhile, too.
  if (rest.status === 416) return expect(rest.json.oldest).toBeGreaterThan(json.oldest);
  const numbers = rest.json.changes.map(({ seqnum }: { seqnum: number }) => seqnum);
  expect(numbers).toEqual(numbers.map((_: number, at: number) => json.oldest + at));
  const isAll = rest.json.next === undefined;
  if (isAll) expect(rest.headers.get('etag')).toMatch(new RegExp(`^${numbers.at(-1)}-`));
}
