// A user of a Kinto with one collection of an app's own records, for the contract of remotes.

import { generic, kinto } from '../../agent/index.ts';
import { createKinto, type KintoServer } from '../../emulator/servers/kinto/kinto.ts';
import { otherClient } from '../../emulator/servers/kinto/other-client.ts';
import type { Data, Place } from '../../emulator/servers/kinto/place.ts';
import { NOW_MS } from './device.ts';
import { userWith } from './made-up/services.ts';
import type { Body, Service, Traits } from './service.ts';

const KB = 'a095c51c1c6e384e8d5777d97e3c487a4fc2128a00ab395a73d57fedf41631f0';
const NAME = 'things';

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
function served() {
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

/** The collection's records, made where there are none, and how often each was written. */
function recordsIn({ store }: KintoServer, bucketId: string) {
  const written = new Map<string, number>();
  const places = new WeakSet<Place>();
  const records = (): Place => {
    const bucket = store.buckets.get(bucketId) ?? store.makeBucket(bucketId, 'account:bob');
    const all = bucket.collections.get(NAME) ?? store.makeCollection(bucket, NAME);
    if (places.has(all)) return all;
    places.add(all);
    const { put } = all;
    all.put = (id, members) => {
      written.set(id, (written.get(id) ?? 0) + 1);
      return put.call(all, id, members);
    };
    return all;
  };
  return { records, written };
}

export function kintoService(): KintoService {
  const { clock, readOnly, health, proof, server } = served();
  const keys = otherClient(KB, NAME);
  const { records, written } = recordsIn(server, keys.bucket);
  const put = (id: string, body: Body | null): void =>
    void records().put(keys.wireId(id), { payload: keys.sealed(id, body) });
  const payloadOf = (data: Data | null): string => `${data?.payload ?? ''}`;
  return {
    ...{ clock, readOnly, records, collection: NAME, timeHeaders: ['date'] },
    sealed: (id, body) => ({ payload: keys.sealed(id, { id, ...body }) }),
    sealedElsewhere: (id) => otherClient(KB, 'others').sealed(id, { id, text: 'x' }),
    fetch: (request) => {
      records();
      return server.fetch(request);
    },
    contents: { drivers: [kinto], collections: [generic(NAME)] },
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
    wireId: (n) => keys.wireId(`record-${n}`),
    live() {
      const bodies = records()
        .live()
        .flatMap((data): [string, Body][] => {
          const text = keys.inside(data.id, keys.open(payloadOf(data)));
          const { id = '', ...body } = JSON.parse(text ?? '{}');
          return data.id === keys.wireId(id) ? [[id, body]] : [];
        });
      return new Map(bodies);
    },
    put: (id, body) => put(id, { id, ...body }),
    delete: (id) => put(id, null),
    spoil: (id) => put(id, { id: 'another' }),
    raw: (id) => payloadOf(records().get(keys.wireId(id))),
    writes: (id) => written.get(keys.wireId(id)) ?? 0,
    wait: (seconds) => void Object.assign(health, { backoffSeconds: seconds }),
    down: (isDown) => void Object.assign(health, { isDown }),
    expire: () => {
      proof.token = `${proof.token}-2`;
    },
    renew: () => server.store.flush(),
    isPage: ({ url }) => /\/records\?/.test(url),
    async isWrite(request) {
      const isBatch = request.url.endsWith('/v1/batch');
      if (!isBatch) return request.method === 'PUT' || request.method === 'DELETE';
      return /"method":"PUT","path":"[^"]*\/records\/h-/.test(await request.clone().text());
    },
  };
}
