// An account on a Kinto: what an account file holds, put there as the user's devices would have put
// it, and what is there now, in the form of such a file, as another client of the user reads it.
// Records that do not prove themselves stay what they are. Nothing of the agent is in it.

import { createHash } from 'node:crypto';
import { recordsOf } from './server-records.ts';
import { ViewError } from './servers/account-view.ts';
import { type Handler, isObject, parseObject } from './servers/http.ts';
import { otherClient } from './servers/kinto/other-client.ts';
import { isPackId, packedRecords } from './servers/kinto/other-packs.ts';
import type { Place } from './servers/kinto/place.ts';
import type { KintoStore } from './servers/kinto/store.ts';
import type { SeedAccount } from './servers/store-file.ts';
import { createView } from './view.ts';

/** Puts the records of these collections into a store that has none of the user's. */
export function seedKinto(
  store: KintoStore,
  owner: string,
  account: SeedAccount,
  names: readonly string[],
  nowMs: number,
): void {
  for (const name of names) {
    const client = otherClient(account.kB, name);
    const records = [...recordsOf(account, name, nowMs)];
    if (records.length === 0) continue;
    const place = placeFor(store, owner, client.bucket, name);
    const epoch = createHash('sha256').update(client.bucket).digest('base64url').slice(0, 16);
    place.put(client.epochId, { payload: client.sealedEpoch(epoch) });
    for (const { id, body } of records) {
      const isDeleted = body?.deleted === true;
      const payload = body === null ? '{}' : client.sealed(`${body.id}`, isDeleted ? null : body);
      place.put(client.wireId(id), { payload });
    }
  }
}

function placeFor(store: KintoStore, owner: string, bucketId: string, name: string): Place {
  const bucket = store.buckets.get(bucketId) ?? store.makeBucket(bucketId, owner);
  store.names.put(bucketId, {});
  bucket.names.put(name, {});
  return store.makeCollection(bucket, name);
}

interface KintoUser {
  /** The base URL, without the version. */
  readonly url: string;
  readonly kB: string;
  /** What proves who asks. */
  authorization(): Promise<string>;
}

/**
 * What a Kinto holds of these collections, sealed anew as an account on Firefox Sync is. A record
 * that proves itself has its own id, every other one the one that it has on the wire. Errors:
 * `ViewError`.
 */
export async function kintoView(
  fetch: Handler,
  { url, kB, authorization }: KintoUser,
  names: readonly string[],
): Promise<SeedAccount> {
  const view = createView(kB);
  for (const name of names) {
    const client = otherClient(kB, name);
    const path = `${url}/v1/buckets/${client.bucket}/collections/${encodeURIComponent(name)}`;
    const put = view.collection(name);
    for await (const { id, modifiedMs, payload } of recordsAt(
      fetch,
      `${path}/records`,
      authorization,
    )) {
      const packed = isPackId(id) ? packedRecords(client, id, payload) : null;
      if (packed !== null) {
        for (const { wireId, writtenMs, text } of packed) {
          put(wireId, writtenMs, text === null ? tombstone(wireId) : ownBody(client, wireId, text));
        }
      } else if (id !== client.epochId)
        put(id, modifiedMs, provenBody(client, id, payload), payload);
    }
  }
  return view.account;
}

/** What a device calls a record that is not to be shown: its name on the wire. */
export function kintoWireId(kB: string, collection: string, id: string): string {
  return otherClient(kB, collection).wireId(id);
}

type Body = Readonly<Record<string, unknown>>;

type OtherClient = ReturnType<typeof otherClient>;

/** Null: it is not what the user's devices have sealed as this record. */
function provenBody(client: OtherClient, id: string, payload: string): Body | null {
  const text = client.inside(id, opened(client.open, payload)) ?? '';
  return parseObject(text)?.deleted === true ? tombstone(id) : ownBody(client, id, text);
}

/** Null: it is the record of another id, or none. */
function ownBody({ wireId }: OtherClient, id: string, text: string): Body | null {
  const body = parseObject(text);
  return typeof body?.id === 'string' && wireId(body.id) === id ? body : null;
}

function tombstone(id: string): Body {
  return { id, deleted: true };
}

function opened(open: (payload: string) => string | null, payload: string): string | null {
  try {
    return open(payload);
  } catch {
    return null;
  }
}

interface Wire {
  readonly id: string;
  readonly modifiedMs: number;
  readonly payload: string;
}

/** Oldest first. Errors: `ViewError`. */
async function* recordsAt(
  fetch: Handler,
  url: string,
  authorization: () => Promise<string>,
): AsyncGenerator<Wire> {
  for (let next: string | null = `${url}?_sort=last_modified`; next !== null; ) {
    const headers = { authorization: await authorization() };
    const response = await fetch(new Request(next, { headers }));
    // What nobody has made has no records; a missing bucket is refused.
    if (response.status === 404 || response.status === 403) return;
    const data = parseObject(await response.text())?.data;
    if (response.status !== 200 || !Array.isArray(data)) {
      throw new ViewError(`the account cannot be read: the Kinto answered ${response.status}`);
    }
    for (const record of data) {
      const { id, last_modified, payload } = isObject(record) ? record : {};
      yield { id: `${id}`, modifiedMs: Number(last_modified), payload: `${payload}` };
    }
    next = response.headers.get('Next-Page');
  }
}
