// A user of a Kinto with one collection that is not encrypted, for the contract of remotes: the
// other client is any that speaks the server's API.

import { generic, kinto } from '../../agent/index.ts';
import type { KintoDump } from '../../emulator/servers/kinto/store.ts';
import { KINTO, kintoServed, recordsIn } from './kinto-service.ts';
import { userWith } from './made-up/services.ts';
import type { Body, Service, Traits } from './service.ts';

const NAME = 'things';
const PLACE = 'shared';
const SPOILT_CHARS = 500_000;

interface PlainService extends Service {
  readonly readOnly: { is: boolean };
  /** The tombstones of the collection go. */
  purge(): void;
  /** All that the server has, and that it has it again. */
  backup(): KintoDump;
  restore(backup: KintoDump): void;
}

export const KINTO_PLAIN: Traits = {
  ...{ ...KINTO, isSealed: false },
  compact: (service) => (service as PlainService).purge(),
};

export function kintoPlainService(): PlainService {
  const { clock, readOnly, health, proof, server } = kintoServed();
  const { records, written } = recordsIn(server, PLACE);
  const put = (id: string, body: Body): void => void records().put(id, body);
  return {
    ...{ clock, readOnly, collection: NAME, timeHeaders: ['date'] },
    purge: () => records().purge(),
    backup: () => server.store.dump(),
    restore: (backup) => server.store.restore(backup),
    fetch: (request) => {
      records();
      return server.fetch(request);
    },
    contents: { drivers: [kinto], collections: [generic(NAME, { plain: { place: PLACE } })] },
    identity: userWith({ kB: '44'.repeat(32) }, () => proof.token),
    config: {
      remote: { protocol: 'kinto', serverUrl: 'https://kinto.test', audience: '', auth: 'bearer' },
    },
    id: (n) => `record-${n}`,
    live() {
      const all = records()
        .live()
        .filter(({ text }) => String(text).length < SPOILT_CHARS);
      return new Map(all.map(({ id, last_modified, ...body }) => [id, body] as [string, Body]));
    },
    put,
    delete: (id) => void records().delete(id),
    // No device can hold that much.
    spoil: (id) => put(id, { id, text: 'x'.repeat(SPOILT_CHARS) }),
    raw: (id) => JSON.stringify(records().get(id)),
    writes: (id) => written.get(id) ?? 0,
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
      return /"method":"(PUT|DELETE)","path":"[^"]*\/records\//.test(await request.clone().text());
    },
  };
}
