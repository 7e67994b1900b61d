// A user of a Kinto with one collection of an app's own records, for the contract of remotes.

import { generic, kinto } from '../../agent/index.ts';
import { createKinto, type KintoServer } from '../../emulator/servers/kinto/kinto.ts';
import { otherClient } from '../../emulator/servers/kinto/other-client.ts';
import type { Data, Place } from '../../emulator/servers/kinto/place.ts';
import { NOW_MS } from './device.ts';
import { changedBy, otherRecords } from './kinto-other.ts';
import { otherPacks } from './kinto-packs.ts';
import { userWith } from './made-up/services.ts';
import type { Body, Service, Traits } from './service.ts';

export const KB = 'a095c51c1c6e384e8d5777d97e3c487a4fc2128a00ab395a73d57fedf41631f0';
export const NAME = 'things';

interface KintoService extends Service {
  readonly readOnly: { is: boolean };
  wireId(n: number): string;
  /** Of the collection, as the server has them. */
  records(): Place;
  /** Members of a record as the other client makes them. */
  sealed(id: string, body: Body): { readonly payload: string };
  /** A payload that was sealed for another collection of the same user. */
  sealedElsewhere(id: string): string;
}

export const KINTO: Traits = {
  ...{ isSealed: true, isGuarded: true, times: 'server', pageRecords: 5 },
  readOnly(service, isReadOnly) {
    (service as KintoService).readOnly.is = isReadOnly;
  },
};

/** The server with its user, and what tests do to both. */
export function kintoServed() {
  const clock = { nowMs: NOW_MS };
  const readOnly = { is: false };
  const health = { backoffSeconds: 0, isDown: false };
  const proof = { token: 'token' };
  const server = createKinto({
    url: 'https://kinto.test',
    nowMs: () => clock.nowMs,
    userOf: (given) => (given === `Bearer ${proof.token}` ? 'account:bob' : null),
    limits: { pageRecords: 5, batchRequests: 6 },
    isReadOnly: () => readOnly.is,
    health: () => ({
      backoffSeconds: health.backoffSeconds,
      ...(health.isDown && { refuse: 503 as const }),
    }),
  });
  return { clock, readOnly, health, proof, server };
}

/** Records of apps that a write has changed: what is in the place of `id`, and what it becomes. */
type Changed = (was: Data | null, id: string, members: Members) => readonly string[];
type Members = Parameters<Place['put']>[1];

/** The collection's records, made where there are none, and how often each was changed. */
export function recordsIn(
  { store }: KintoServer,
  bucketId: string,
  changed: Changed = (_, id) => [id],
) {
  const written = new Map<string, number>();
  const places = new WeakSet<Place>();
  const records = (): Place => {
    const bucket = store.buckets.get(bucketId) ?? store.makeBucket(bucketId, 'account:bob');
    const all = bucket.collections.get(NAME) ?? store.makeCollection(bucket, NAME);
    if (places.has(all)) return all;
    places.add(all);
    bucket.names.put(NAME, {});
    const count = (id: string): void => void written.set(id, (written.get(id) ?? 0) + 1);
    const { put, delete: remove } = all;
    all.put = (id, members) => {
      for (const one of changed(all.get(id), id, members)) count(one);
      return put.call(all, id, members);
    };
    all.delete = (id) => {
      count(id);
      return remove.call(all, id);
    };
    return all;
  };
  return { records, written };
}

/** `packed`: small records lie in packs, of three at most where the other client has made them. */
export function kintoService({ packed = false } = {}): KintoService {
  const { clock, readOnly, health, proof, server } = kintoServed();
  const keys = otherClient(KB, NAME);
  const packs = otherPacks(KB, NAME);
  const changed: Changed = (was, id, { payload }) => changedBy(packs, id, was?.payload, payload);
  const { records, written } = recordsIn(server, keys.bucket, changed);
  const other = otherRecords({ keys, packs, nowMs: () => clock.nowMs, packed }, records);
  return {
    ...{ clock, readOnly, records, collection: NAME, timeHeaders: ['date'] },
    sealed: (id, body) => ({ payload: keys.sealed(id, { id, ...body }) }),
    sealedElsewhere: (id) => otherClient(KB, 'others').sealed(id, { id, text: 'x' }),
    fetch: (request) => {
      records();
      return server.fetch(request);
    },
    contents: { drivers: [kinto], collections: [generic(NAME, { packed })] },
    identity: userWith({ kB: KB }, () => proof.token),
    config: {
      remote: {
        protocol: 'kinto',
        serverUrl: 'https://kinto.test',
        audience: '',
        auth: 'bearer' as const,
      },
    },
    id: (n) => `record-${n}`,
    wireId: (n) => (packed ? 'records/p-' : keys.wireId(`record-${n}`)),
    live: other.live,
    put: (id, body) => other.put(id, { id, ...body }),
    delete: (id) => other.put(id, null),
    spoil: (id) => other.put(id, { id: 'another' }),
    raw: other.raw,
    writes: (id) => written.get(keys.wireId(id)) ?? 0,
    wait: (seconds) => void Object.assign(health, { backoffSeconds: seconds }),
    down: (isDown) => void Object.assign(health, { isDown }),
    expire: () => {
      proof.token = `${proof.token}-2`;
    },
    renew: () => server.store.flush(),
    isPage: ({ url }) => /\/records\?/.test(url),
    isWrite: isRecordWrite,
  };
}

/** Whether a request changes records of apps, or packs of them. */
export async function isRecordWrite(request: Request): Promise<boolean> {
  const isBatch = request.url.endsWith('/v1/batch');
  if (!isBatch) return request.method === 'PUT' || request.method === 'DELETE';
  return WRITE.test(await request.clone().text());
}

const WRITE = /"method":"(?:PUT|PATCH)","path":"[^"]*\/records\/[hp]-/;
