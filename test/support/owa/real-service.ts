// The real server of Open Web Apps as a service for the contract of remotes: its storage can be
// emptied, it can be in trouble, and another client of the user posts to it.

import type { Collection } from '../../../agent/collections/collection.ts';
import { atomic, installedApps, owa } from '../../../agent/index.ts';
import { isObject } from '../../../emulator/servers/http.ts';
import { memoryBsos } from '../../../emulator/servers/memory-bsos.ts';
import { type OwaUser, signIn } from '../../../emulator/servers/owa/testing.ts';
import { memoryPlaces } from '../../../emulator/servers/place-storage.ts';
import { memoryStorage } from '../../../emulator/servers/storage/local-storage.ts';
import type { ServerStorage } from '../../../emulator/servers/storage/server-storage.ts';
import { emptyAccount, startWorld } from '../../../emulator/servers/testing.ts';
import type { Body, Service, Traits } from '../service.ts';
import { entries } from './entries.ts';

const APPS = 'apps';
/** By which the server knows that an entry is of an app. */
const IS_APP = { manifest_url: 'https://store.test/manifest.webapp' };

/** It merges, so nobody can leave an app out; it lets everybody write. */
export const REAL_OWA: Traits = {
  ...{ isSealed: false, isGuarded: true, pageRecords: null, times: 'own' },
};
/** Of two versions of an app one counts, and what is none is carried. */
export const REAL_APPS: Traits = { ...REAL_OWA, isWhole: true, isCarried: true };

/** What lies in an entry, by the collection that a device has for it. */
interface Kind {
  readonly collection: Collection;
  entryOf(body: Body): Body;
  bodyOf(entry: Body): Body;
}

/** Bodies of any kind. */
const TOYS: Kind = {
  collection: entries(APPS, IS_APP),
  entryOf: (body) => ({ ...IS_APP, ...body }),
  bodyOf: ({ last_modified: _, manifest_url: __, ...body }) => body,
};

/** Web apps, whose manifests are the bodies. */
const REAL: Kind = {
  collection: {
    ...installedApps,
    prepare({ id, guid, ...body }, existing, ...more) {
      const before = isObject(existing?.entry) ? existing.entry.manifest : null;
      const manifest = { ...(isObject(before) ? before : {}), ...body };
      return installedApps.prepare({ id, guid, manifest }, existing, ...more);
    },
    view: (id, { entry }) => ({ ...manifestIn(entry), id, guid: id }),
  },
  entryOf: (body) => ({ manifest: body }),
  bodyOf: manifestIn,
};

function manifestIn(entry: unknown): Body {
  return isObject(entry) && isObject(entry.manifest) ? entry.manifest : {};
}

/** `open`: a storage with nothing in it, each time. */
export function realOwaService(open: () => ServerStorage = memoryStorage): Service {
  return serviceOf(TOYS, open);
}

/** The same, of a collection that has the rules of web apps. */
export function realAppsService(open: () => ServerStorage = memoryStorage): Service {
  return serviceOf(REAL, open);
}

function serviceOf({ collection, entryOf, bodyOf }: Kind, open: () => ServerStorage): Service {
  const { world, health, renew } = started(open);
  const { clock, urls, device } = world;
  const { post, document, counting, writes } = otherClient(world, health);
  /** Words that the server has given, and takes no more. */
  const given = new Set<string>();
  const ended = new Set<string>();
  const isDocument = ({ url }: Request) => url.startsWith(`${urls.owa}/apps/`);
  const isWrite = (request: Request) => request.method !== 'GET' && isDocument(request);
  let lastMs = 0;
  /** Behind what a device has made at the same moment, and behind its own last one. */
  const stampNow = (): number => {
    lastMs = Math.max(lastMs, clock.nowMs) + 1;
    return lastMs / 1_000;
  };
  const audience = new URL(urls.owa).origin;
  return {
    ...{ clock, identity: device, collection: APPS, timeHeaders: ['date', 'x-timestamp'], writes },
    contents: { drivers: [owa], collections: [atomic(collection)] },
    config: {
      remote: { protocol: 'owa', serverUrl: `${urls.owa}/verify`, audience, auth: 'browserid' },
    },
    async fetch(request) {
      const word = request.headers.get('authorization') ?? '';
      if (ended.has(word)) request.headers.set('authorization', 'OWA over');
      else if (isDocument(request)) given.add(word);
      const isTaken = isWrite(request) && health.refuse === undefined;
      return isTaken ? counting(() => world.fetch(request)) : world.fetch(request);
    },
    id: (n) => `https://app${n}.test`,
    async live() {
      const live = Object.entries(await document()).flatMap(([id, entry]): [string, Body][] => {
        if (!isObject(entry) || typeof entry.last_modified !== 'number') return [];
        return entry.deleted === true ? [] : [[id, bodyOf(entry)]];
      });
      return new Map(live);
    },
    put: (id, body) => post(id, { last_modified: stampNow(), ...entryOf(body) }),
    delete: (id) => post(id, { last_modified: stampNow(), deleted: true }),
    // The server takes it: no number is what the collection of the tests does not take.
    spoil: (id) => post(id, { last_modified: `${stampNow()}`, ...IS_APP }),
    raw: async (id) => JSON.stringify((await document())[id]),
    wait: (seconds) => void Object.assign(health, { backoffSeconds: seconds || undefined }),
    down: (isDown) => void Object.assign(health, { refuse: isDown ? 503 : undefined }),
    expire() {
      for (const word of given) ended.add(word);
    },
    renew,
    isPage: (request) => request.method === 'GET' && isDocument(request),
    isWrite: async (request) => isWrite(request),
  };
}

/** A server whose storage is another one after `renew`. */
function started(open: () => ServerStorage) {
  let kept = open();
  const storage: ServerStorage = {
    transaction: (lock, work) => kept.transaction(lock, work),
    read: (lock, work) => kept.read(lock, work),
    close: () => kept.close(),
  };
  const health: Health = {};
  const account = emptyAccount();
  const { store } = account;
  const places = memoryPlaces(store);
  const all = { bsos: memoryBsos(store), places, owa: storage };
  const world = startWorld({ account, storage: all, owa: { health: () => health } });
  const renew = (): void => {
    kept = open();
  };
  return { world, health, renew };
}

interface Health {
  backoffSeconds?: number;
  refuse?: 503;
}

/** Of the user: it is let in whatever becomes of the device, and in no trouble. */
function otherClient(world: ReturnType<typeof startWorld>, health: Health) {
  const written = new Map<string, number>();
  const calm = async <T>(work: (user: OwaUser) => Promise<T>): Promise<T> => {
    const { refuse } = health;
    delete health.refuse;
    const result = await work(await signIn(world));
    if (refuse !== undefined) health.refuse = refuse;
    return result;
  };
  const document = () => calm((user) => user.document());
  /** Notes which entries are others after the work. */
  const counting = async <T>(work: () => Promise<T>): Promise<T> => {
    const before = await document();
    const result = await work();
    for (const [name, entry] of Object.entries(await document())) {
      if (JSON.stringify(entry) !== JSON.stringify(before[name]))
        written.set(name, (written.get(name) ?? 0) + 1);
    }
    return result;
  };
  return {
    ...{ document, counting },
    writes: (id: string) => written.get(id) ?? 0,
    post: (id: string, entry: object): Promise<void> =>
      counting(() => calm((user) => user.post({ [id]: entry }))),
  };
}
