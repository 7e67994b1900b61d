// A Sync account with one collection of an app's own records, behind Syncto or as Sync 1.5, for the
// contract of remotes.

import { clients, generic, sync15, syncto } from '../../agent/index.ts';
import type { BsoChange } from '../../emulator/servers/store.ts';
import { sealPayload } from '../../emulator/servers/sync-keys.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { DEFAULT_ENABLED } from '../../emulator/servers/world.ts';
import { secondDevice } from '../sim/second-device.ts';
import { testServers, userOf } from './device.ts';
import type { Service, Traits } from './service.ts';
import { storedUser } from './sync15.ts';

const COLLECTION = 'things';
const FOREIGN_KEYS = { encKey: Buffer.alloc(32, 0xe1), macKey: Buffer.alloc(32, 0xe2) };

interface SyncService extends Service {
  /** The writes that Syncto lets through. */
  readonly enabled: Set<string>;
}

/** The service that is reached by this protocol. */
export function syncService(protocol: 'syncto' | 'sync15'): SyncService {
  const enabled = new Set([...DEFAULT_ENABLED, WRITES]);
  const health = { waitSeconds: 0, isDown: false };
  const servers = testServers(syntheticAccount({ records: 0, passwords: 0, seed: 1 }), {
    syncto: { enabled: { includes: (name: string) => enabled.has(name) } as string[] },
    sync15: {
      health: () => ({
        ...(health.waitSeconds > 0 && { backoffSeconds: health.waitSeconds }),
        ...(health.isDown && { refuse: 503 }),
      }),
    },
  });
  const { urls, fetch } = servers.world;
  const user = storedUser(servers);
  const other = secondDevice(servers);
  const written = new Map<string, number>();
  const { write } = user;
  user.write = (name, changes, nowMs) => {
    const all = [...changes];
    if (name === COLLECTION) for (const { id } of all) count(written, id);
    return write.call(user, name, all, nowMs);
  };
  let born = 0;
  const renew = (): void => {
    user.deleteCollection(COLLECTION, servers.nowMs);
    const meta = JSON.parse(bsoOf('meta', 'global'));
    meta.engines[COLLECTION] = { version: 1, syncID: `things-${++born}` };
    user.write('meta', [{ id: 'global', payload: JSON.stringify(meta) }], servers.nowMs);
  };
  const bsoOf = (name: string, id: string): string =>
    user.collections.get(name)?.get(id, servers.nowMs)?.payload ?? '';
  renew();
  const audience = `${urls.token}/`;
  const remote =
    protocol === 'syncto'
      ? { protocol, serverUrl: urls.syncto, audience, auth: 'browserid' as const }
      : { protocol, serverUrl: urls.token, audience, auth: 'bearer' as const };
  return {
    ...{ fetch, clock: servers, collection: COLLECTION, enabled, renew },
    contents: { drivers: [syncto, sync15], collections: [generic(COLLECTION)], devices: clients },
    identity: userOf(servers),
    config: { remote },
    timeHeaders: ['date', 'x-weave-timestamp'],
    id: (n) => `record-${n}`,
    live() {
      const records = [...other.readable(COLLECTION)];
      const live = records.filter(([, { deleted }]) => deleted !== true);
      return new Map(live.map(([id, { id: _, ...body }]) => [id, body]));
    },
    put: (id, body) => other.put(COLLECTION, { ...body, id }),
    delete: (id) => other.delete(COLLECTION, id),
    spoil(id) {
      const payload = sealPayload(FOREIGN_KEYS, JSON.stringify({ id }), Buffer.alloc(16, 9));
      user.write(COLLECTION, [{ id, payload }] satisfies BsoChange[], servers.nowMs);
    },
    raw: (id) => bsoOf(COLLECTION, id),
    writes: (id) => written.get(id) ?? 0,
    wait: (seconds) => void Object.assign(health, { waitSeconds: seconds }),
    down: (isDown) => void Object.assign(health, { isDown }),
    expire: () => servers.world.reassignNode(),
    isPage: ({ url }) => /[?&](_limit|limit)=/.test(url),
    async isWrite(request) {
      if (request.method === 'GET') return false;
      const isBatch = request.url.endsWith('/v1/batch');
      return !isBatch || (await request.clone().text()).includes('"PUT"');
    },
  };
}

export const SYNCTO: Traits = {
  isSealed: true,
  isGuarded: true,
  times: 'server',
  pageRecords: 1_000,
  readOnly(service, isReadOnly) {
    const { enabled } = service as SyncService;
    enabled[isReadOnly ? 'delete' : 'add'](WRITES);
  },
};

export const SYNC15: Traits = {
  isSealed: true,
  isGuarded: true,
  times: 'server',
  pageRecords: 1_000,
};

const WRITES = `record_${COLLECTION}_put_enabled`;

function count(written: Map<string, number>, id: string): void {
  written.set(id, (written.get(id) ?? 0) + 1);
}
