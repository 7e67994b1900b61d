// A user of a PiCL storage with one collection of an app's own records, for the contract of
// remotes.

import { generic, picl } from '../../agent/index.ts';
import { type LogChange, otherClient } from '../../emulator/servers/picl/other-client.ts';
import { NOW_MS } from './device.ts';
import { userWith } from './made-up/services.ts';
import { PiclTestServer } from './picl/server.ts';
import type { Body, Service, Traits } from './service.ts';

export const KB = 'a095c51c1c6e384e8d5777d97e3c487a4fc2128a00ab395a73d57fedf41631f0';
export const NAME = 'things';

export interface PiclService extends Service {
  readonly server: PiclTestServer;
  wireId(n: number): string;
  /** Another client's change of the record with this key; null: a deletion. */
  write(key: string, text: string | null): LogChange;
  compact(keep?: number): void;
}

export const PICL: Traits = {
  ...{ isSealed: true, isGuarded: true, times: null, pageRecords: 5 },
  readOnly(service, isReadOnly) {
    const { trouble } = (service as PiclService).server;
    trouble.readOnly[isReadOnly ? 'add' : 'delete'](NAME);
  },
  compact: (service) => (service as PiclService).compact(),
  planned: (body) => JSON.parse(body).changes.map(({ changeid }: LogChange) => changeid),
};

export function piclService(names: readonly string[] = [NAME]): PiclService {
  const clock = { nowMs: NOW_MS };
  const server = new PiclTestServer(names);
  const keys = otherClient(KB, NAME);
  const append = server.append.bind(server);
  let epoch = 0;
  const write = (key: string, text: string | null): LogChange => {
    const { head } = server.log(NAME);
    const change = keys.change(head, key, text);
    append(NAME, change);
    return change;
  };
  const texts = () =>
    [...server.log(NAME).records.values()].map(
      (change) => [change.key, keys.open(change)] as const,
    );
  return {
    ...{ clock, server, write, collection: NAME, timeHeaders: ['date'], fetch: server.fetch },
    contents: { drivers: [picl], collections: [generic(NAME)] },
    identity: userWith({ kB: KB }, () => server.proof),
    config: {
      remote: { protocol: 'picl', serverUrl: server.url, audience: '', auth: 'bearer' as const },
    },
    id: (n) => `record-${n}`,
    wireId: (n) => keys.wireId(`record-${n}`),
    live() {
      const bodies = texts().flatMap(([key, text]): [string, Body][] => {
        const { id = '', ...body } = JSON.parse(text ?? '{}');
        return key === keys.wireId(id) ? [[id, body]] : [];
      });
      return new Map(bodies);
    },
    put: (id, body) => void write(keys.wireId(id), JSON.stringify({ id, ...body })),
    delete: (id) => void write(keys.wireId(id), null),
    spoil(id) {
      const key = keys.wireId(id);
      write(key, JSON.stringify({ id: 'another' }));
    },
    raw: (id) => JSON.stringify(server.log(NAME).records.get(keys.wireId(id))),
    writes(id) {
      const key = keys.wireId(id);
      return server.log(NAME).changes.filter((change) => change.key === key).length;
    },
    wait(seconds) {
      server.trouble.waitSeconds = seconds;
    },
    down(isDown) {
      server.trouble.isDown = isDown;
    },
    expire: () => {
      server.proof = `${server.proof}-2`;
    },
    renew() {
      server.reset(NAME);
      // Whoever begins a log anew says so.
      write('__epoch', JSON.stringify({ epoch: ++epoch, reason: 'new', fromSeq: 0 }));
    },
    compact: (keep = 0) => server.compact(NAME, keep),
    isPage: ({ url }) => /\/(records|changes)(\?|$)/.test(url),
    isWrite: async ({ method, url }) => method === 'POST' && url.endsWith('/records'),
  };
}
