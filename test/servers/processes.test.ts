// Three processes of `kitsync serve` on one PostgreSQL database, behind one address: one of them is
// killed in the middle of its work. What was acknowledged is there, no batch is there in part, the
// others go on, and a pass or a batch that one process gave is good for all.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { StorageClient } from '../../emulator/servers/testing.ts';
import { findPostgres } from '../support/postgres.ts';
import { storageAt } from '../support/served.ts';
import { threeProcesses } from '../support/three-processes.ts';

const { kB } = JSON.parse(
  readFileSync(new URL('../fixtures/corpus-a.json', import.meta.url), 'utf8'),
) as { kB: string };

const bin = findPostgres();
const WRITERS = 6;
const RECORDS = 5;
const WORK_MS = 6_000;

describe.skipIf(bin === null)('three processes', () => {
  const three = threeProcesses(bin ?? '', []);

  test('lose nothing and tear nothing when one of them is killed', async () => {
    const servers = three();
    expect(servers.complaints).toEqual(['', '', '']);
    const storage = await storageAt(servers.url, kB);
    const until = Date.now() + WORK_MS;
    const killed = new Promise((resolve) => setTimeout(resolve, WORK_MS / 2)).then(() => {
      servers.killOne();
      return Date.now();
    });
    const stamps: number[] = [];
    const written = await Promise.all(
      Array.from({ length: WRITERS }, (_, index) =>
        writeUntil(storage, `col-${index}`, until, stamps),
      ),
    );
    const killedMs = await killed;
    expect(new Set(stamps).size).toBe(stamps.length);
    for (const [index, { acknowledged, lastMs }] of written.entries()) {
      const { json } = await storage('GET', `storage/col-${index}?full=1`);
      const versions = new Set(json.map(({ payload }: { payload: string }) => Number(payload)));
      expect(json).toHaveLength(RECORDS);
      expect(versions.size).toBe(1);
      const [version = -1] = versions as Set<number>;
      expect(version).toBeGreaterThanOrEqual(acknowledged);
      expect(lastMs).toBeGreaterThan(killedMs);
    }
    console.log(`${stamps.length} writes of ${WRITERS} clients were acknowledged`);
  });
});

/** Writes the same records again and again, in a batch of two requests, and reads them. */
async function writeUntil(
  storage: StorageClient,
  name: string,
  untilMs: number,
  stamps: number[],
): Promise<{ acknowledged: number; lastMs: number }> {
  let acknowledged = -1;
  let lastMs = 0;
  for (let version = 0; Date.now() < untilMs; version++) {
    const body = Array.from({ length: RECORDS }, (_, n) => ({
      id: `r${n}`,
      payload: `${version}`,
    }));
    const ask = (...asked: Parameters<StorageClient>) => storage(...asked).catch(() => null);
    const path = `storage/${name}`;
    const begun = await ask('POST', `${path}?batch=true`, { body: body.slice(0, 2) });
    if (begun?.status !== 202) continue;
    const commit = `${path}?batch=${begun.json.batch}&commit=true`;
    const done = await ask('POST', commit, { body: body.slice(2) });
    if (done?.status === 200) {
      acknowledged = version;
      lastMs = Date.now();
      stamps.push(done.json.modified);
    }
    const read = await ask('GET', `${path}?full=1`);
    const seen = new Set(read?.json?.map(({ payload }: { payload: string }) => payload));
    expect(seen.size).toBeLessThanOrEqual(1);
  }
  return { acknowledged, lastMs };
}
