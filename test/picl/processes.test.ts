// Three processes of `kitsync serve picl` on one PostgreSQL database, behind one address: all
// append to one collection, compaction runs all the while, and one is killed in the middle of its
// work. What was acknowledged is in the log, once; the chain is whole; the others go on.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type PiclUser, signIn } from '../../emulator/servers/picl/testing.ts';
import { startCommand } from '../../platform/node/cli/testing.ts';
import { findPostgres } from '../support/postgres.ts';
import { deviceAt, realClock } from '../support/served.ts';
import { threeProcesses } from '../support/three-processes.ts';
import { provenLog, type Sent, writeUntil } from './writers.ts';

const { kB } = JSON.parse(
  readFileSync(new URL('../fixtures/corpus-a.json', import.meta.url), 'utf8'),
) as { kB: string };

const bin = findPostgres();
const WRITERS = 6;
/** Of all writers' changes, acknowledged: when a process is killed, and when it is over. */
const KILLED_AT = 60;
const OVER_AT = 160;
const KEEP = 10;
const COMPACT_EVERY_MS = 500;
const NAME = 'history';

describe.skipIf(bin === null)('three processes', () => {
  const three = threeProcesses(bin ?? '', ['picl']);

  test('append to one log, are compacted and killed, and nothing is lost or torn', async () => {
    const servers = three();
    expect(servers.complaints).toEqual(['', '', '']);
    const user = await userAt(servers.url);
    const acknowledged = Array.from({ length: WRITERS }, () => 0);
    const total = () => acknowledged.reduce((sum, one) => sum + one, 0);
    const isOver = (): boolean => total() >= OVER_AT;
    const isOverFor = (writer: number, count: number): boolean => {
      acknowledged[writer] = count;
      if (total() >= KILLED_AT && servers.alive === 3) servers.killOne();
      return isOver();
    };
    const compactions = compactUntil(servers.database, isOver);
    const sent = new Map<string, Sent>();
    const written = await Promise.all(
      acknowledged.map((_, writer) =>
        writeUntil(user.at(NAME), writer, (count) => isOverFor(writer, count), sent),
      ),
    );
    const compacted = await compactions;
    const { log, oldest } = await provenLog(user.at(NAME), written, sent);
    const count = written.flat().length;
    console.log(
      `${count} changes of ${WRITERS} writers were acknowledged, and ${log.length} are in the ` +
        `log; ${compacted} compactions ended ${oldest - 1} of them`,
    );
  });
});

async function userAt(url: string): Promise<PiclUser> {
  const send = (request: Request) => fetch(request);
  const device = deviceAt(url, kB);
  const urls = { picl: `${url}/picl` };
  return signIn({ fetch: send, urls, device, clock: realClock });
}

/** Again and again, the last time when it is over. */
async function compactUntil(database: string, isOver: () => boolean): Promise<number> {
  let count = 0;
  for (let isLast = false; !isLast; ) {
    isLast = isOver();
    const args = ['--database', database, '--keep-changes', `${KEEP}`, '--keep-days', '0'];
    const command = startCommand(['compact', ...args]);
    expect([await command.ended, command.complained()]).toEqual([0, '']);
    count++;
    await after(COMPACT_EVERY_MS);
  }
  return count;
}

function after(timeMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, timeMs));
}
