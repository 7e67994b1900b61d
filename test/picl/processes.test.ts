// Three processes of `kitsync serve picl` on one PostgreSQL database, behind one address: all
// append to one collection, compaction runs all the while, and one is killed in the middle of its
// work. What was acknowledged is in the log, once; the chain is whole; the others go on.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GENESIS } from '../../emulator/servers/picl/changes.ts';
import { Pen, type PiclUser, signIn } from '../../emulator/servers/picl/testing.ts';
import type { StorageClient } from '../../emulator/servers/testing.ts';
import { killCommands, startCommand } from '../../platform/node/cli/testing.ts';
import { changeidOf } from '../../platform/node/picl/chain.ts';
import { type Balancer, balance } from '../support/balancer.ts';
import { findPostgres, type Postgres, startPostgres } from '../support/postgres.ts';
import { deviceAt, realClock, startServers } from '../support/served.ts';

const { kB } = JSON.parse(
  readFileSync(new URL('../fixtures/corpus-a.json', import.meta.url), 'utf8'),
) as { kB: string };

const bin = findPostgres();
const WRITERS = 6;
const WORK_MS = 8_000;
const KEEP = 10;
const COMPACT_EVERY_MS = 500;
const NAME = 'history';

interface Wrote {
  readonly seqnum: number;
  readonly changeid: string;
  readonly key: string;
  readonly payload: string | null;
}

interface Sent {
  readonly change: Wrote;
  /** The changeid before it. */
  readonly before: string;
}

describe.skipIf(bin === null)('three processes', () => {
  let postgres: Postgres;
  let address: Balancer;
  let url: string;
  let servers: Awaited<ReturnType<typeof startServers>>[] = [];

  beforeAll(async () => {
    await startCommand(['help']).ended;
    postgres = await startPostgres(bin ?? '');
    address = await balance();
    url = await postgres.newUrl();
    const args = ['--test-accounts', '--database', url, '--public-url', address.url];
    servers = await Promise.all([0, 1, 2].map(() => startServers('picl', '--port', '0', ...args)));
  });
  afterAll(async () => {
    killCommands();
    address?.close();
    await postgres?.stop();
  });

  test('append to one log, are compacted and killed, and nothing is lost or torn', async () => {
    expect(servers.map(({ complained }) => complained())).toEqual(['', '', '']);
    address.ports = servers.map(({ port }) => port);
    const user = await userAt(address.url);
    const until = Date.now() + WORK_MS;
    const killed = after(WORK_MS / 2).then(() => {
      servers[0]?.child.kill('SIGKILL');
      address.ports = address.ports.slice(1);
      return Date.now();
    });
    const compactions = compactUntil(url, until);
    const sent = new Map<string, Sent>();
    const written = await Promise.all(
      Array.from({ length: WRITERS }, (_, writer) =>
        writeUntil(user.at(NAME), writer, until, sent),
      ),
    );
    const killedMs = await killed;
    const compacted = await compactions;
    const { json: head } = await user.at(NAME)('GET', '');
    const log = logUntil(head, sent);
    const places = new Set(log.map(({ changeid }) => changeid));
    for (const { acknowledged } of written)
      expect(acknowledged.filter((changeid) => !places.has(changeid))).toEqual([]);
    // Who is first is first: no writer is promised to be.
    expect(Math.max(...written.map(({ lastMs }) => lastMs))).toBeGreaterThan(killedMs);
    const { json: old } = await user.at(NAME)('GET', 'changes?since=1');
    expect(old).toMatchObject({ error: 'history-compacted', seqnum: log.length });
    const kept = await user.at(NAME)('GET', `changes?since=${old.oldest}`);
    expect(kept.json.changes).toMatchObject(log.slice(old.oldest - 1));
    expect(recordsOf(await allRecords(user.at(NAME)))).toEqual(recordsOf(replayed(log)));
    const count = written.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
    console.log(
      `${count} changes of ${WRITERS} writers were acknowledged, and ${log.length} are in the ` +
        `log; ${compacted} compactions ended ${old.oldest - 1} of them`,
    );
  });
});

async function userAt(url: string): Promise<PiclUser> {
  const send = (request: Request) => fetch(request);
  const device = deviceAt(url, kB);
  const urls = { picl: `${url}/picl` };
  return signIn({ fetch: send, urls, device, clock: realClock });
}

/** Appends on the head, and on the new one where another writer was first. */
async function writeUntil(
  ask: StorageClient,
  writer: number,
  untilMs: number,
  sent: Map<string, Sent>,
) {
  const acknowledged: string[] = [];
  let lastMs = 0;
  let pen: Pen | null = null;
  for (let n = 0; Date.now() < untilMs; n++) {
    if (pen === null) {
      const head = await ask('GET', '').catch(() => null);
      if (head?.status !== 200) continue;
      pen = new Pen(head.json.seqnum, head.json.changeid);
    }
    const isFirst = pen.changeid === GENESIS;
    const headers: Record<string, string> = isFirst
      ? { 'If-None-Match': '*' }
      : { 'If-Match': pen.tag };
    const first = pen.changeid;
    const set = pen.write(`w${writer}-${n % 5}`, `${writer}.${n}`);
    const payload = n % 3 === 0 ? null : `${writer}.${n}.b`;
    const other = pen.write(`w${writer}-${(n + 2) % 5}`, payload);
    sent.set(set.changeid, { change: set, before: first });
    sent.set(other.changeid, { change: other, before: set.changeid });
    const changes = [set, other];
    const answer = await ask('POST', 'records', { headers, body: { changes } }).catch(() => null);
    if (answer?.status === 204) {
      acknowledged.push(...changes.map(({ changeid }) => changeid));
      lastMs = Date.now();
    } else {
      expect(answer === null || answer.status === 412).toBe(true);
      pen = null;
    }
  }
  return { acknowledged, lastMs };
}

async function compactUntil(database: string, untilMs: number): Promise<number> {
  let count = 0;
  while (Date.now() < untilMs) {
    const args = ['--database', database, '--keep-changes', `${KEEP}`, '--keep-days', '0'];
    const command = startCommand(['compact', ...args]);
    expect([await command.ended, command.complained()]).toEqual([0, '']);
    count++;
    await after(COMPACT_EVERY_MS);
  }
  return count;
}

/** Back from the head, by what its writers have sent. */
function logUntil(head: { seqnum: number; changeid: string }, sent: ReadonlyMap<string, Sent>) {
  const log: Wrote[] = [];
  for (let { seqnum, changeid } = head; seqnum > 0; seqnum--) {
    const found = sent.get(changeid);
    if (found === undefined) throw new Error(`nobody has sent ${changeid}`);
    expect(found.change.seqnum).toBe(seqnum);
    expect(changeidOf(found.change, found.before)).toBe(changeid);
    log.push(found.change);
    changeid = found.before;
  }
  return log.reverse();
}

function replayed(log: readonly Wrote[]): Map<string, string> {
  const records = new Map<string, string>();
  for (const { key, payload } of log) {
    if (payload === null) records.delete(key);
    else records.set(key, payload);
  }
  return records;
}

async function allRecords(ask: StorageClient): Promise<Map<string, string>> {
  const { json } = await ask('GET', 'records');
  const records = Object.entries(json.records as Record<string, { payload: string }>);
  return new Map(records.map(([key, { payload }]) => [key, payload]));
}

function recordsOf(records: ReadonlyMap<string, string>): readonly string[] {
  return Array.from(records, ([key, payload]) => `${key}=${payload}`).sort();
}

function after(timeMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, timeMs));
}
