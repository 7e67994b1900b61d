// One client that reads a collection of a real Kinto from its start, in a process of its own, and
// tells its parent what that cost. `plain` reads the pages and does nothing with them, `kinto.js`
// is the npm client with a storage that keeps nothing, `kitsync` is the agent as it is on a
// computer: it proves, merges and stores each record.

import { performance } from 'node:perf_hooks';
import { BaseAdapter, KintoBase, KintoClient } from 'kinto';
import { createAgent, generic, kinto, readsAhead } from '../../agent/index.ts';
import { PAGE_RECORDS_MAX } from '../../agent/limits.ts';
import { NODE_HEAP } from '../../platform/node/cli/heap.ts';
import { keepHeapSmall } from '../../platform/node/cli/small-heap.ts';
import { openNodePlatform } from '../../platform/node/platform.ts';
import { temporaryFolder } from '../support/folders.ts';

export type Client = 'plain' | 'kinto.js' | 'kitsync';

export interface Pull {
  readonly client: Client;
  /** Without the version. */
  readonly url: string;
  readonly user: { readonly name: string; readonly password: string };
  readonly kB: string;
  readonly bucket: string;
  readonly collection: string;
}

export interface PullCost {
  /** What the client says it has got. */
  readonly records: number;
  readonly wallMs: number;
  /** Of these the agent waited for the commits of its storage. */
  readonly storingMs: number;
  /** Of these it sealed what it stores: nothing goes up in a pull. */
  readonly sealingMs: number;
  readonly cpuMs: number;
  /** What the process's resident memory grew by, at most. */
  readonly grownBytes: number;
}

const basic = ({ name, password }: Pull['user']): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

interface Pulled {
  readonly records: number;
  readonly storingMs?: number;
  readonly sealingMs?: number;
}

type Ready = () => Promise<Pulled>;

async function plain({ url, user, bucket, collection }: Pull): Promise<Ready> {
  const headers = { authorization: basic(user) };
  const path = `${url}/v1/buckets/${bucket}/collections/${collection}/records`;
  return async () => {
    let records = 0;
    let next: string | null = `${path}?_sort=last_modified&_limit=${PAGE_RECORDS_MAX}`;
    while (next !== null) {
      const page: Response = await fetch(next, { headers });
      const { data } = (await page.json()) as { readonly data: readonly unknown[] };
      records += data.length;
      next = page.headers.get('next-page');
    }
    return { records };
  };
}

/** Keeps nothing, and says that there is nothing. */
class NullAdapter extends BaseAdapter<{ id: string }> {
  override async clear(): Promise<void> {}
  override async execute<T>(callback: Parameters<BaseAdapter<{ id: string }>['execute']>[0]) {
    const nothing = { create() {}, update() {}, delete() {}, get: () => undefined };
    return callback(nothing) as T;
  }
  override get = async () => undefined;
  override list = async () => [];
  override saveLastModified = async (stamp?: number | null) => stamp ?? null;
  override getLastModified = async () => null;
  override importBulk = async (records: { id: string }[]) => records;
  override saveMetadata = async (metadata: { [key: string]: unknown } | null) => metadata;
  override getMetadata = async <T>() => null as T;
}

class NullKinto extends KintoBase<{ id: string }> {
  override get ApiClass(): typeof KintoClient {
    return KintoClient;
  }
}

async function kintoJs({ url, user, bucket, collection }: Pull): Promise<Ready> {
  const client = new NullKinto({
    ...{ remote: `${url}/v1`, bucket, headers: { Authorization: basic(user) } },
    ...{ adapter: () => new NullAdapter(), retry: 0 },
  });
  const idSchema = { generate: () => '', validate: () => true };
  const things = client.collection(collection, { idSchema });
  return async () => {
    const { created, errors } = await things.sync();
    if (errors.length > 0) throw new Error(`kinto.js: ${JSON.stringify(errors[0])}`);
    return { records: created.length };
  };
}

async function kitsync({ url, user, kB, collection }: Pull): Promise<Ready> {
  keepHeapSmall();
  const platform = await openNodePlatform({
    directory: temporaryFolder(),
    allowHttp: true,
    shell: { status() {}, event() {} },
    identity: (_machine, deviceKey) => ({
      account: async () => ({ uid: user.name, email: '' }),
      assertion: async () => '',
      accessToken: async () => ({ token: '' }),
      credentials: async () => user,
      syncKey: async () => ({ kB }),
      deviceKey,
    }),
  });
  const { storage, crypto } = platform;
  let storingMs = 0;
  let sealingMs = 0;
  const commit = storage.commit.bind(storage);
  storage.commit = async (...changes) => {
    const startMs = performance.now();
    await commit(...changes);
    storingMs += performance.now() - startMs;
  };
  const seal = crypto?.seal.bind(crypto);
  if (crypto === undefined || seal === undefined) throw new Error('no cryptography');
  crypto.seal = async (...texts) => {
    const startMs = performance.now();
    const sealed = await seal(...texts);
    sealingMs += performance.now() - startMs;
    return sealed;
  };
  const config = {
    remote: { protocol: 'kinto', serverUrl: url, audience: '', auth: 'basic' as const },
    ...{ profile: 'node', intervalMs: 3_600_000, spreadMs: 0, wifiOnly: false },
    ...{ historyRecordsMax: 1_000, recordCharsMax: 400_000, heap: NODE_HEAP },
    collections: { [collection]: { enabled: true, readOnly: false } },
  };
  const agent = createAgent(platform, config, {
    drivers: [readsAhead(kinto)],
    collections: [generic(collection)],
  });
  await agent.start();
  return async () => {
    const { ok, error } = await agent.enable();
    if (!ok) throw new Error(`kitsync: ${JSON.stringify(error)}`);
    return { records: agent.status().collections[collection]?.held ?? 0, storingMs, sealingMs };
  };
}

const CLIENTS: Readonly<Record<Client, (pull: Pull) => Promise<Ready>>> = {
  plain,
  'kinto.js': kintoJs,
  kitsync,
};

const KIBIBYTE = 1_024;

async function measured(pull: Pull): Promise<PullCost> {
  const run = await CLIENTS[pull.client](pull);
  // The resident memory at its highest so far, in KiB.
  const { maxRSS: before } = process.resourceUsage();
  const startMs = performance.now();
  const start = process.cpuUsage();
  const { records, storingMs = 0, sealingMs = 0 } = await run();
  const { user, system } = process.cpuUsage(start);
  return {
    ...{ records, storingMs, sealingMs, wallMs: performance.now() - startMs },
    cpuMs: (user + system) / 1_000,
    grownBytes: (process.resourceUsage().maxRSS - before) * KIBIBYTE,
  };
}

process.on('message', async (pull: Pull) => {
  const cost = await measured(pull);
  process.send?.(cost, undefined, undefined, () => process.exit());
});
