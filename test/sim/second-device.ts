// Another device of the same user, as the test's own eyes and hands: it reads and writes the
// server's store with node:crypto alone, so that nothing of the code under test can hide its own
// mistakes.

import { createHash } from 'node:crypto';
import type { User } from '../../emulator/servers/store.ts';
import {
  accountKeys,
  defaultKeys,
  type KeyPair,
  openPayload,
  sealPayload,
} from '../../emulator/servers/sync-keys.ts';
import type { TestServers } from '../support/device.ts';

export type Json = { readonly [member: string]: unknown };

export interface SecondDevice {
  /** Records that are not deleted, by id. Throws for one that does not open. */
  live(collection: string): Map<string, Json>;
  /** Records that open under their own id, deleted or not: all others are passed over. */
  readable(collection: string): Map<string, Json>;
  /** Ids of tombstones. */
  deleted(collection: string): string[];
  /** Every id that the server has, whatever it is. */
  ids(collection: string): string[];
  get(collection: string, id: string): Json;
  put(collection: string, body: Json & { readonly id: string }): void;
  delete(collection: string, id: string): void;
  /** Writes every record of a collection again as it is: each has news. */
  touch(collection: string): void;
}

export function secondDevice(servers: TestServers): SecondDevice {
  const { kB } = servers.world.account;
  let bulk: { readonly sealed: string; readonly pair: KeyPair } | null = null;
  const user = (): User => {
    const [first] = servers.world.store.users.values();
    if (first === undefined) throw new Error('the account has no store');
    return first;
  };
  const bsos = (collection: string) => [
    ...(user().collections.get(collection)?.inArrivalOrder(servers.nowMs) ?? []),
  ];
  const keys = (): KeyPair => {
    const [sealed] = bsos('crypto');
    if (sealed === undefined) throw new Error('crypto/keys is missing');
    if (bulk?.sealed !== sealed.payload)
      bulk = { sealed: sealed.payload, pair: defaultKeys(kB, sealed.payload) };
    return bulk.pair;
  };
  const opened = (collection: string): [string, Json][] => {
    const pair = collection === 'crypto' ? accountKeys(kB) : keys();
    return bsos(collection).map(({ id, payload }) => [id, JSON.parse(remembered(pair, payload))]);
  };
  const write = (collection: string, body: Json & { readonly id: string }): void => {
    const text = JSON.stringify(body);
    const iv = createHash('sha256').update(`${servers.nowMs} ${text}`).digest().subarray(0, 16);
    user().write(
      collection,
      [{ id: body.id, payload: sealPayload(keys(), text, iv) }],
      servers.nowMs,
    );
  };
  return {
    readable(collection) {
      const pair = keys();
      const records = new Map<string, Json>();
      for (const { id, payload } of bsos(collection)) {
        try {
          const body = JSON.parse(remembered(pair, payload));
          if (body.id === id) records.set(id, body);
        } catch {
          // One of those that do not open.
        }
      }
      return records;
    },
    live: (collection) => new Map(opened(collection).filter(([, { deleted }]) => !deleted)),
    deleted: (collection) =>
      opened(collection).flatMap(([id, { deleted }]) => (deleted === true ? [id] : [])),
    ids: (collection) => bsos(collection).map(({ id }) => id),
    get(collection, id) {
      const body = new Map(opened(collection)).get(id);
      if (body === undefined) throw new Error(`${collection} has no ${id}`);
      return body;
    },
    put: write,
    delete: (collection, id) => write(collection, { id, deleted: true }),
    touch(collection) {
      const same = bsos(collection).map(({ id, payload }) => ({ id, payload }));
      user().write(collection, same, servers.nowMs);
    },
  };
}

const known = new Map<string, string>();

/**
 * The cleartext of a payload, remembered: simulations read the same records thousands of times.
 * Throws when its MAC is wrong.
 */
function remembered(keys: KeyPair, payload: string): string {
  const text = known.get(payload) ?? openPayload(keys, payload);
  known.set(payload, text);
  return text;
}
