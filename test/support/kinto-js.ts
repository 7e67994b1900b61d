// kinto.js as a client of a Sync account behind the Syncto API. What a Sync client has to add is
// here: records are sealed with the user's keys by node:crypto, a deletion is a record that says
// so, and ids are any that Sync has. Nothing of the agent is in it.

import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { type Collection, KintoBase, KintoClient } from 'kinto';
import { type KeyPair, openPayload, sealPayload } from '../../emulator/servers/sync-keys.ts';

export interface KintoRecord {
  readonly id: string;
  readonly last_modified?: number;
  readonly _status?: 'created' | 'updated' | 'deleted' | 'synced';
  /** The cleartext; a deleted record has none. */
  readonly body?: { readonly [member: string]: unknown };
  readonly deleted?: true;
}

export type KintoCollection = Collection<KintoRecord>;

interface KintoUser {
  /** The Syncto API, with its version. */
  readonly remote: string;
  /** The client state, by which Syncto calls a user's bucket. */
  readonly bucket: string;
  /** The keys of the collections, as they are now. */
  keys(): KeyPair;
}

type MemoryAdapter = typeof import('kinto/lib/adapters/memory.js');
const { default: Memory } = createRequire(import.meta.url)(
  'kinto/lib/cjs/adapters/memory',
) as MemoryAdapter;

/** kinto.js that keeps what it gets in its memory. */
export class KintoInMemory<Stored extends { readonly id: string }> extends KintoBase<Stored> {
  constructor(options: Omit<ConstructorParameters<typeof KintoBase<Stored>>[0], 'adapter'>) {
    super({ ...options, retry: 0, adapter: () => new Memory() });
  }

  override get ApiClass(): typeof KintoClient {
    return KintoClient;
  }
}

/** A client that has nothing yet. */
export function kintoClient({ remote, bucket, keys }: KintoUser) {
  const kinto = new KintoInMemory<KintoRecord>({ remote, bucket });
  return {
    api: kinto.api,
    collection(name: string): KintoCollection {
      const collection = kinto.collection(name, {
        idSchema: { generate: newId, validate: () => true },
        remoteTransformers: [transformer(keys)],
      });
      // Syncto has records, and no collections: it is 404.
      collection.pullMetadata = async () => null;
      return collection;
    },
  };
}

/** As Firefox makes them for pages. */
export function newId(): string {
  return randomBytes(9).toString('base64url');
}

interface Wire {
  readonly id: string;
  readonly last_modified?: number;
  readonly payload: string;
}

function transformer(keys: () => KeyPair) {
  return {
    /** Deleted for good is what nobody else would hear of: a deletion is a version like others. */
    encode({ id, last_modified, _status, body }: KintoRecord) {
      const isDeleted = _status === 'deleted';
      const cleartext = isDeleted ? { id, deleted: true } : { ...body, id };
      return {
        id,
        ...(last_modified === undefined ? {} : { last_modified }),
        // One that never went up needs no deletion there.
        _status: isDeleted && last_modified !== undefined ? 'updated' : _status,
        payload: sealPayload(keys(), JSON.stringify(cleartext), randomBytes(16)),
      };
    },
    decode({ id, last_modified, payload }: Wire) {
      const body = JSON.parse(openPayload(keys(), payload));
      if (body.id !== id) throw new Error('the payload of another record');
      return body.deleted === true
        ? { id, last_modified, deleted: true }
        : { id, last_modified, body };
    },
  };
}
