// Writers who append to one collection over HTTP at the same time, and what must be true of its log
// afterwards: it is made of what they have sent, in an order in which each change follows the one
// before it, with all that was acknowledged in it, once.

import { expect } from 'vitest';
import { GENESIS } from '../../emulator/servers/picl/changes.ts';
import { Pen } from '../../emulator/servers/picl/testing.ts';
import type { StorageClient } from '../../emulator/servers/testing.ts';
import { changeidOf } from '../../platform/node/picl/chain.ts';

interface Wrote {
  readonly seqnum: number;
  readonly changeid: string;
  readonly key: string;
  readonly payload: string | null;
}

export interface Sent {
  readonly change: Wrote;
  /** The changeid before it. */
  readonly before: string;
}

/**
 * Appends on the head, and on the new one where another writer was first, until it is over by how
 * many of its changes were acknowledged. Resolves to the ids of these.
 */
export async function writeUntil(
  ask: StorageClient,
  writer: number,
  isOver: (acknowledged: number) => boolean,
  sent: Map<string, Sent>,
): Promise<readonly string[]> {
  const acknowledged: string[] = [];
  let pen: Pen | null = null;
  for (let n = 0; !isOver(acknowledged.length); n++) {
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
    } else {
      expect(answer === null || answer.status === 412).toBe(true);
      pen = null;
    }
  }
  return acknowledged;
}

/** The log from its first change on, and the first one that the server still tells. */
export async function provenLog(
  ask: StorageClient,
  written: readonly (readonly string[])[],
  sent: ReadonlyMap<string, Sent>,
): Promise<{ readonly log: readonly Wrote[]; readonly oldest: number }> {
  const { json: head } = await ask('GET', '');
  const log = logUntil(head, sent);
  const places = new Set(log.map(({ changeid }) => changeid));
  for (const acknowledged of written)
    expect(acknowledged.filter((changeid) => !places.has(changeid))).toEqual([]);
  const { json: old } = await ask('GET', 'changes?since=1');
  expect(old).toMatchObject({ error: 'history-compacted', seqnum: log.length });
  const kept = await ask('GET', `changes?since=${old.oldest}`);
  expect(kept.json.changes).toMatchObject(log.slice(old.oldest - 1));
  expect(recordsOf(await allRecords(ask))).toEqual(recordsOf(replayed(log)));
  return { log, oldest: old.oldest };
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
