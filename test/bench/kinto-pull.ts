// A collection that a real Kinto holds is read by three clients, one after the other, each in a
// process of its own: what each takes of time, processor and memory for so many records.

import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { otherClient } from '../../emulator/servers/kinto/other-client.ts';
import { openWorld, type World } from '../kinto/world.ts';
import type { Client, Pull, PullCost } from './kinto-puller.ts';

const COLLECTION = 'things';
const PORTION = 1_000;
const HOUR_MS = 3_600_000;
const CLIENTS: readonly Client[] = ['plain', 'kinto.js', 'kitsync'];

interface PullCosts extends PullCost {
  readonly client: Client;
}

/**
 * For each count all three clients, on one server that is filled on the way. Rejects where there is
 * no PostgreSQL.
 */
export async function pullCosts(
  counts: readonly number[],
  told: (costs: PullCosts) => void,
): Promise<void> {
  const program = await built();
  const world = await openWorld('PostgreSQL');
  try {
    const user = await world.newUser();
    const kB = createHash('sha256').update(user.name).digest('hex');
    const { bucket } = otherClient(kB, COLLECTION);
    const path = `/buckets/${bucket}`;
    for (const at of [path, `${path}/collections/${COLLECTION}`])
      await world.asked(user, 'PUT', at);
    let held = 0;
    for (const count of counts) {
      await fill(world, { kB, bucket }, held, count);
      held = count;
      for (const client of CLIENTS) {
        const pull = { client, url: user.url, user, kB, bucket, collection: COLLECTION };
        told({ client, ...(await costOf(program, pull)) });
      }
    }
  } finally {
    await world.stop();
  }
}

/**
 * Sealed records of some 200 characters, numbered from `from` to before `to`. They go into the
 * server's database: through the server a hundred thousand take half an hour.
 */
async function fill(
  { sql }: World,
  { kB, bucket }: Pick<Pull, 'kB' | 'bucket'>,
  from: number,
  to: number,
): Promise<void> {
  const keys = otherClient(kB, COLLECTION);
  const parent = `/buckets/${bucket}/collections/${COLLECTION}`;
  const startMs = Date.now() - HOUR_MS;
  for (let first = from; first < to; first += PORTION) {
    const rows = Array.from({ length: Math.min(PORTION, to - first) }, (_, index) => {
      const number = first + index;
      const id = `record-${number}`;
      const text = 'x'.repeat(100);
      const data = JSON.stringify({ payload: keys.sealed(id, { id, title: `${number}`, text }) });
      const stamp = `from_epoch(${startMs + number})`;
      return `('${keys.wireId(id)}', '${parent}', 'record', ${stamp}, '${data}', false)`;
    });
    const into = 'objects (id, parent_id, resource_name, last_modified, data, deleted)';
    await sql(`INSERT INTO ${into} VALUES ${rows.join()}`);
  }
}

/** As `npm run dist` builds the command: a compiler in the same process would count, too. */
async function built(): Promise<string> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  await build({
    absWorkingDir: root,
    entryPoints: ['test/bench/kinto-puller.ts'],
    // Where packages are found.
    outdir: 'dist/bench',
    outExtension: { '.js': '.mjs' },
    ...{ bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20' },
    packages: 'external',
  });
  return join(root, 'dist/bench/kinto-puller.mjs');
}

async function costOf(program: string, pull: Pull): Promise<PullCost> {
  const child = fork(program);
  child.send(pull);
  const [message] = (await Promise.race([once(child, 'message'), ended(child)])) as [PullCost];
  return message;
}

async function ended(child: ReturnType<typeof fork>): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`the client ended with ${code}`);
}
