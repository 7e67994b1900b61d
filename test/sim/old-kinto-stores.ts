// How a folder of a user of a Kinto goes on from an earlier layout, and what is wrong afterwards:
// what the server has already is not sent again, everything else once.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createKinto, type KintoServer } from '../../emulator/servers/kinto/kinto.ts';
import { otherClient } from '../../emulator/servers/kinto/other-client.ts';
import { main } from '../../platform/node/cli/main.ts';
import { testTerminal } from '../support/commands.ts';
import { temporaryFolder } from '../support/folders.ts';
import {
  type HeldRecord,
  type OldKintoStore,
  type OldStatus,
  writeFolder,
} from '../support/old-stores.ts';
import { killedAt } from './killable-disk.ts';
import type { Revive } from './old-stores.ts';

interface Ended {
  readonly server: KintoServer;
  /** How often each record was written, by `collection/name on the wire`. */
  readonly writes: ReadonlyMap<string, number>;
  readonly status: OldStatus;
  readonly held: OldKintoStore['held'];
}

/** The server as it was, a minute later. */
function serverOf({ nowMs, origin: url, credentials, server: kept }: OldKintoStore): KintoServer {
  const { name, password } = credentials;
  const proof = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
  const userOf = (given: string) => (given === proof ? `account:${name}` : null);
  const server = createKinto({ url, userOf, nowMs: () => nowMs + 60_000 });
  server.store.restore(kept);
  return server;
}

function* placesOf({ store }: KintoServer) {
  for (const { collections } of store.buckets.values()) yield* collections;
}

function watched(server: KintoServer): Ended['writes'] {
  const writes = new Map<string, number>();
  for (const [name, place] of placesOf(server)) {
    const { put, delete: remove } = place;
    const count = (id: string) =>
      writes.set(`${name}/${id}`, (writes.get(`${name}/${id}`) ?? 0) + 1);
    place.put = (id, members) => count(id) && put.call(place, id, members);
    place.delete = (id) => count(id) && remove.call(place, id);
  }
  return writes;
}

type Json = Readonly<Record<string, unknown>>;

/** What the server has that can be read, by `collection/name on the wire`; no tombstones. */
function bodiesOf(server: KintoServer, kB: string): Map<string, Json> {
  const all = new Map<string, Json>();
  for (const [name, place] of placesOf(server)) {
    const client = otherClient(kB, name);
    for (const { id, payload } of place.live()) {
      const text = id === client.epochId ? null : client.inside(id, client.open(`${payload}`));
      const body: Json = JSON.parse(text ?? '{"deleted":true}');
      if (body.deleted !== true) all.set(`${name}/${id}`, body);
    }
  }
  return all;
}

/** What the records of each collection belong to, under the id of then or of now. */
function epochsOf(server: KintoServer, kB: string): Map<string, unknown> {
  const all = new Map<string, unknown>();
  for (const [name, place] of placesOf(server)) {
    const client = otherClient(kB, name);
    const found = place.get(client.epochId) ?? place.get('epoch');
    all.set(name, JSON.parse(client.open(`${found?.payload ?? ''}`) ?? '{}').epoch);
  }
  return all;
}

export const kintoOnDisk: Revive<OldKintoStore, Ended> = async (store, cutAt) => {
  const server = serverOf(store);
  const writes = watched(server);
  const folder = temporaryFolder();
  const [data, credentials] = [join(folder, 'data'), join(folder, 'kinto.json')];
  writeFolder(store, data);
  writeFileSync(credentials, JSON.stringify(store.credentials), { mode: 0o600 });
  const kitsync = async (...args: string[]) => {
    const terminal = testTerminal({ machine: { fetch: async (asked) => server.fetch(asked) } });
    const code = await main([...args, '--data', data], terminal);
    return { code, out: terminal.out, complaints: terminal.complaints };
  };
  const said = async (...args: string[]) => {
    const { out, complaints } = await kitsync(...args);
    if (complaints !== '') throw new Error(complaints);
    return JSON.parse(out);
  };
  const who = ['--protocol', 'kinto', '--credentials', credentials];
  const goingOn = killedAt(cutAt, {
    look: () => kitsync('status'),
    sync: () => kitsync('sync', '--once', ...who, '--collections', store.collections.join()),
  });
  return Object.assign(goingOn, {
    async ended(): Promise<Ended> {
      const status: OldStatus = await said('status', '--json');
      const held: Ended['held'] = await said('export');
      return { server, writes, status, held };
    },
  });
};

/** In words; empty when all is well. */
export function kintoWrongs(
  store: OldKintoStore,
  { server, writes, status, held }: Ended,
): string[] {
  const { kB } = store.credentials;
  const wrong: string[] = [];
  const expect = (is: boolean, what: string): void => void (is || wrong.push(what));
  const bodies = bodiesOf(server, kB);
  const before = bodiesOf(serverOf(store), kB);
  const keyOf = ({ collection, op, record }: OldKintoStore['edits'][number]): string => {
    if (op === 'delete')
      return `${collection}/${otherClient(kB, collection).wireId(`${record.id}`)}`;
    const found = [...bodies].filter(
      ([key, body]) => key.startsWith(`${collection}/`) && hasAll(body, record),
    );
    expect(found.length === 1, `${found.length} of ${JSON.stringify(record)}`);
    return found[0]?.[0] ?? '';
  };
  const unsent = store.edits.map(keyOf);
  for (const key of unsent) expect(writes.get(key) === 1, `${key}: ${writes.get(key)} times`);
  const sent = store.sent.map(keyOf);
  for (const [key, count] of writes) {
    const isEpoch = key.includes('/epoch-') && count === 1;
    expect(isEpoch || unsent.includes(key), `${key} was written`);
  }
  const epochs = epochsOf(serverOf(store), kB);
  expect(isDeepStrictEqual(epochsOf(server, kB), epochs), 'an epoch is another one');
  expect(![...epochs.values()].includes(undefined), 'an epoch is missing');
  for (const edit of [...store.edits, ...store.sent]) {
    expect(edit.op === 'put' || !bodies.has(keyOf(edit)), `${edit.record.id} is there`);
  }
  const ours = new Set([...unsent, ...sent]);
  for (const [key, body] of before) {
    expect(ours.has(key) || isDeepStrictEqual(bodies.get(key), body), `${key} differs`);
  }
  for (const [name, { pending, quarantined }] of Object.entries(status.collections)) {
    expect(pending === 0 && quarantined === 0, `${name}: ${pending}, ${quarantined}`);
  }
  const here = Object.entries(held).flatMap(([name, records]) =>
    records.map((record) => [name, record] as const),
  );
  expect(here.length === bodies.size, `${here.length} here, ${bodies.size} there`);
  for (const [name, { guid, ...record }] of here) {
    const id = `${guid ?? record.id}`;
    const there = bodies.get(`${name}/${otherClient(kB, name).wireId(id)}`) ?? {};
    expect(hasAll(there, record as HeldRecord), `${name}/${id} differs`);
  }
  return wrong;
}

function hasAll(body: Json, members: Json): boolean {
  return Object.entries(members).every(([name, value]) => isDeepStrictEqual(body[name], value));
}
