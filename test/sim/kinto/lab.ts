// What the simulations of Kinto share: servers that can be frozen and copied, another client of the
// user as the test's own eyes and hands (node:crypto alone), devices before both, and what it means
// that they agree. Everything is deterministic.

import { type Agent, createAgent, generic, kinto } from '../../../agent/index.ts';
import { createRandom } from '../../../emulator/device/random.ts';
import { createKinto, type KintoServer } from '../../../emulator/servers/kinto/kinto.ts';
import { otherClient } from '../../../emulator/servers/kinto/other-client.ts';
import type { Place } from '../../../emulator/servers/kinto/place.ts';
import type { KintoDump } from '../../../emulator/servers/kinto/store.ts';
import { type MemoryPlatform, memoryPlatform } from '../../../platform/memory/platform.ts';
import { MemoryStorage } from '../../../platform/memory/storage.ts';
import { nodeDeviceCrypto } from '../../../platform/node/crypto.ts';
import type { Platform, Storage } from '../../../platform/ports.ts';
import { NOW_MS } from '../../support/device.ts';
import { otherPacks, recordsInPacks } from '../../support/kinto-packs.ts';
import { userWith } from '../../support/made-up/services.ts';
import { type Answer, networkOf } from '../lab.ts';

const URL_BASE = 'https://kinto.test';
export const KB = 'a095c51c1c6e384e8d5777d97e3c487a4fc2128a00ab395a73d57fedf41631f0';
export const NAMES = ['contacts', 'notes'] as const;
const OWNER = 'account:bob';
const TOKEN = 'token';
/** So many records are several pages, and several batches. */
const LIMITS = { pageRecords: 30, batchRequests: 10 };

export type Body = { readonly [member: string]: unknown };
export type Name = (typeof NAMES)[number];

/**
 * How records lie: each sealed, small ones sealed together, or as they are, in a bucket of its own:
 * then the server's deletions are deletions, and nothing proves itself.
 */
export type Form = 'alone' | 'packed' | 'plain';
const PLAIN_PLACE = 'shared';

/** The server of one user, at a time. */
export interface Servers {
  readonly server: KintoServer;
  nowMs: number;
  /** A backup that somebody has made. */
  backup: KintoDump;
  readonly form: Form;
}

/** All of it, as text that can be thawed any number of times. */
export type Frozen = string;

/** Left out: a server that has nothing, and a collection of this form. */
export function thaw(frozen?: Frozen, form: Form = 'alone'): Servers {
  const kept = frozen === undefined ? null : JSON.parse(frozen);
  const nowMs = (): number => servers.nowMs;
  const server = createKinto({
    ...{ url: URL_BASE, nowMs, limits: LIMITS },
    userOf: (given) => (given === `Bearer ${TOKEN}` ? OWNER : null),
  });
  if (kept !== null) server.store.restore(kept.dump);
  const servers: Servers = {
    server,
    nowMs: kept?.nowMs ?? NOW_MS,
    backup: kept?.backup ?? server.store.dump(),
    form: kept?.form ?? form,
  };
  return servers;
}

export function freeze({ server, nowMs, backup, form }: Servers): Frozen {
  return JSON.stringify({ nowMs, dump: server.store.dump(), backup, form });
}

const CLIENTS = new Map(NAMES.map((name) => [name, otherClient(KB, name)]));
const opened = new Map<string, Body | null>();

function clientOf(name: Name) {
  const client = CLIENTS.get(name);
  if (client === undefined) throw new Error(`there is no ${name}`);
  return client;
}

export const wireIdOf = (name: Name, id: string): string => clientOf(name).wireId(id);

/** A payload that was sealed for this place; a body of null is a tombstone. */
export function sealed(name: Name, id: string, body: Body | null): string {
  return clientOf(name).sealed(id, body && { id, ...body });
}

/** What a payload says in this place, its id with it; null: nothing that proves itself. */
function openedAt(name: Name, wireId: string, payload: unknown): Body | null {
  const key = `${name} ${wireId} ${payload}`;
  const known = opened.get(key);
  if (known !== undefined) return known;
  const { open, inside } = clientOf(name);
  const text = typeof payload === 'string' ? inside(wireId, open(payload)) : null;
  const body = text === null ? null : JSON.parse(text);
  const isHere = body !== null && (body.deleted === true || wireIdOf(name, body.id) === wireId);
  opened.set(key, isHere ? body : null);
  return isHere ? body : null;
}

/** Another client of the same user. */
export interface Other {
  /** The records of a collection, which is made where there is none. */
  records(name: Name): Place;
  /** What is not deleted and proves itself, by id; bodies without their ids. */
  live(name: Name): Map<string, Body>;
  /** Whether the server has its tombstone, a sealed one where records are sealed. */
  isDeleted(name: Name, id: string): boolean;
  /** Null: a tombstone. */
  put(name: Name, id: string, body: Body | null): void;
  delete(name: Name, id: string): void;
  /**
   * The server says that a record is gone, which nobody has deleted; in a pack it cannot, and where
   * it is believed nobody has said it.
   */
  lose(name: Name, id: string): void;
  /** Writes every record of a collection again as it is: each has news. */
  touch(name: Name): void;
}

const PACKS = new Map(NAMES.map((name) => [name, otherPacks(KB, name)]));
/** As many as the other client puts into one pack. */
const PACK_RECORDS = 8;

export function otherOf(servers: Servers): Other {
  const { form } = servers;
  const records = recordsOf(servers);
  const { bodies, put, isDeleted } =
    form === 'plain' ? openly(records) : sealedly(records, servers, form);
  return {
    records,
    live: (name) =>
      new Map(
        bodies(name).flatMap((body): [string, Body][] => {
          if (body === null || body.deleted === true) return [];
          const { id, ...members } = body;
          return [[`${id}`, members]];
        }),
      ),
    isDeleted,
    put,
    delete: (name, id) => put(name, id, null),
    lose(name, id) {
      if (form === 'alone') records(name).delete(wireIdOf(name, id));
    },
    touch(name) {
      const all = records(name);
      for (const { id, last_modified: _, ...members } of all.live()) all.put(id, members);
    },
  };
}

function recordsOf({ server: { store }, form }: Servers): Other['records'] {
  const bucketId = form === 'plain' ? PLAIN_PLACE : clientOf('contacts').bucket;
  return (name) => {
    const bucket = store.buckets.get(bucketId) ?? store.makeBucket(bucketId, OWNER);
    const known = bucket.collections.get(name);
    if (known !== undefined) return known;
    bucket.names.put(name, {});
    return store.makeCollection(bucket, name);
  };
}

interface Hands extends Pick<Other, 'put' | 'isDeleted'> {
  /** With their ids; null: nothing that proves itself. */
  bodies(name: Name): (Body | null)[];
}

/** Any client of the server. */
function openly(records: Other['records']): Hands {
  return {
    bodies: (name) =>
      records(name)
        .live()
        .map(({ last_modified: _, ...body }) => body),
    put(name, id, body) {
      if (body === null) records(name).delete(id);
      else records(name).put(id, body);
    },
    isDeleted: (name, id) =>
      records(name)
        .tombstones()
        .some((one) => one.id === id),
  };
}

/** One with the user's key. */
function sealedly(records: Other['records'], servers: Servers, form: Form): Hands {
  const isPacked = form === 'packed';
  const inPacks = (name: Name) => {
    const keys = PACKS.get(name);
    if (keys === undefined) throw new Error(`there is no ${name}`);
    return recordsInPacks(
      () => records(name),
      keys,
      () => servers.nowMs,
      PACK_RECORDS,
    );
  };
  return {
    bodies: (name) =>
      isPacked
        ? inPacks(name)
            .live()
            .map(({ text }) => JSON.parse(text))
        : records(name)
            .live()
            .map(({ id, payload }) => openedAt(name, id, payload)),
    put(name, id, body) {
      const wireId = wireIdOf(name, id);
      if (isPacked) inPacks(name).put(wireId, body && JSON.stringify({ id, ...body }));
      else records(name).put(wireId, { payload: sealed(name, id, body) });
    },
    isDeleted(name, id) {
      const wireId = wireIdOf(name, id);
      if (isPacked) return inPacks(name).entry(wireId)?.text === '';
      return openedAt(name, wireId, records(name).get(wireId)?.payload)?.deleted === true;
    },
  };
}

/** The device's way to a server that tells the truth. */
export function honest({ server }: Servers): Answer {
  return async ({ method, url, headers, body }) => {
    const response = await server.fetch(
      new Request(url, {
        method,
        headers: headers.map(([name, value]): [string, string] => [name, value]),
        ...(body === undefined ? {} : { body }),
      }),
    );
    return {
      status: response.status,
      headers: [...response.headers],
      body: new Uint8Array(await response.arrayBuffer()),
    };
  };
}

export interface Device {
  readonly agent: Agent;
  readonly platform: MemoryPlatform;
  readonly network: ReturnType<typeof networkOf>;
  /** Events of a kind, oldest first. */
  told(kind: string): { readonly collection: string; readonly id?: string }[];
}

interface DeviceOptions {
  readonly answer?: Answer;
  readonly seed?: number;
  readonly nowMs?: number;
  /** Instead of what a device in memory has. */
  readonly platform?: Partial<Platform>;
}

/** Boots a device on a storage; its clock is the server's if it has no other. */
export function deviceOn(
  servers: Servers,
  storage: Storage = new MemoryStorage(),
  { answer = honest(servers), seed = 2, nowMs = servers.nowMs, platform }: DeviceOptions = {},
): Device {
  const { form } = servers;
  const kind = {
    packed: form === 'packed',
    ...(form === 'plain' && { plain: { place: PLAIN_PLACE } }),
  };
  const network = networkOf(answer);
  const random = createRandom(seed);
  const own = memoryPlatform({
    ...{ storage, network, nowMs, crypto: nodeDeviceCrypto() },
    fetch: () => Promise.reject(new Error('there is a network')),
    identity: userWith({ kB: KB }, () => TOKEN),
    random: (count) => random.bytes(count),
  });
  const on = { enabled: true, readOnly: false };
  const config = {
    remote: { protocol: 'kinto', serverUrl: URL_BASE, audience: '', auth: 'bearer' as const },
    profile: 'test',
    collections: Object.fromEntries(NAMES.map((name) => [name, on])),
    intervalMs: 3_600_000,
    wifiOnly: false,
    historyRecordsMax: 1_000,
    recordCharsMax: 400_000,
  };
  const contents = {
    drivers: [kinto],
    collections: NAMES.map((name) => generic(name, kind)),
  };
  return {
    agent: createAgent({ ...own, ...platform }, config, contents),
    platform: own,
    network,
    told: (kind) =>
      own.events.map((text) => JSON.parse(text)).filter((event) => event.kind === kind),
  };
}

/** All that apps see of a collection, by id; bodies without their ids. */
export async function heldBy({ agent }: Pick<Device, 'agent'>, name: Name) {
  const held = new Map<string, Body>();
  let after: string | null = null;
  do {
    const page = await agent.list(name, { limit: 100, after });
    for (const { id, guid: _, ...body } of page.records) {
      if (held.has(`${id}`)) throw new Error(`${id} is listed twice`);
      held.set(`${id}`, body);
    }
    after = page.next;
  } while (after !== null);
  return held;
}

/** Everything in which device and server differ, and everyone who is there twice. */
export async function disagreements(device: Pick<Device, 'agent'>, other: Other) {
  const complaints: string[] = [];
  for (const name of NAMES) {
    const [held, live] = [await heldBy(device, name), other.live(name)];
    for (const id of new Set([...held.keys(), ...live.keys()])) {
      const [ours, theirs] = [textOf(held.get(id)), textOf(live.get(id))];
      if (ours !== theirs) complaints.push(`${name} ${id}: ${ours} here, ${theirs} on the server`);
    }
    const people = [...live.values()].map(({ who }) => `${who}`);
    const isTwice = people.filter((who, at) => people.indexOf(who) !== at);
    complaints.push(...isTwice.map((who) => `${name}: ${who} is there twice`));
    const { pending, quarantined } = device.agent.status().collections[name] ?? {};
    if (pending !== 0) complaints.push(`${name}: ${pending} changes are pending`);
    if (quarantined !== 0) complaints.push(`${name}: ${quarantined} records are in quarantine`);
  }
  return complaints;
}

function textOf(body: Body | undefined): string {
  if (body === undefined) return 'nothing';
  return JSON.stringify(Object.entries(body).sort(([a], [b]) => (a < b ? -1 : 1)));
}
