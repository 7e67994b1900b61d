// The first data of an account that has none: `meta/global` and `crypto/keys`, as Sync global
// storage format 5 has them. Only when somebody asks for it in so many words; it writes where
// nothing is and never over anything. Keys of the user's that an interrupted call has left are
// kept, and the rest is written. Every standard engine is listed, also those that this agent does
// not know: other clients switch off what is not.

import { encodeBase64 } from '../../../crypto/bytes.ts';
import { type KeyBundle, syncKeyBundle } from '../../../crypto/keys.ts';
import { shortId } from '../../collections/members.ts';
import { SyncError } from '../../errors.ts';
import type { RemoteOptions } from '../remote.ts';
import { type Account, payloadOf, STORAGE_VERSION } from './documents.ts';
import { engineVersion } from './engines.ts';
import type { SyncStorage } from './storage.ts';

const KEY_BYTES = 32;

const ENGINES = [
  'clients',
  'passwords',
  'history',
  'bookmarks',
  'tabs',
  'forms',
  'addons',
  'addresses',
  'creditcards',
  'prefs',
  'extension-storage',
];

/** A new account's `meta/global`. */
interface Initialized {
  readonly syncId: string;
  readonly engines: readonly {
    readonly name: string;
    readonly version: number;
    readonly syncId: string;
  }[];
}

/**
 * Writes what is missing of both documents. Errors: `keyMismatch` where nobody is signed in,
 * `conflict` if the account has a `meta/global`, or keys that are not this user's, or gets one of
 * them meanwhile; `readOnly`; those of the remote.
 */
export async function initializeAccount(
  options: RemoteOptions<Account>,
  storage: SyncStorage,
): Promise<Initialized> {
  const { account, owner, platform } = options;
  if (owner === null) throw new SyncError('keyMismatch', 'nobody is signed in');
  const syncBundle = syncKeyBundle(owner.key);
  if ((await storage.fetch('meta', 'global')).kind !== 'missing') throw taken(META);
  // In this order nobody ever finds an account that is there but has no keys.
  const found = await storage.fetch('crypto', 'keys');
  if (found.kind !== 'found') await create(storage, KEYS, await sealedKeys(options, syncBundle));
  else {
    const payload = payloadOf(found.envelope);
    const [opened] = await account.crypto.open(syncBundle, [{ id: 'keys', payload }]);
    if (opened?.ok !== true) throw taken(KEYS);
  }
  const newId = (): string => shortId(platform.entropy.random(12));
  const engines = ENGINES.map((name) => ({ name, version: engineVersion(name), syncId: newId() }));
  const syncId = newId();
  const meta = {
    syncID: syncId,
    storageVersion: STORAGE_VERSION,
    engines: Object.fromEntries(
      engines.map(({ name, version, syncId: syncID }) => [name, { version, syncID }]),
    ),
    declined: [],
  };
  await create(storage, META, JSON.stringify(meta));
  return { syncId, engines };
}

const META = 'meta/global';
const KEYS = 'crypto/keys';

async function sealedKeys(
  { account, platform }: RemoteOptions<Account>,
  syncBundle: KeyBundle,
): Promise<string> {
  const newKey = (): string => encodeBase64(platform.entropy.random(KEY_BYTES));
  const keys = { id: 'keys', collection: 'crypto', default: [newKey(), newKey()], collections: {} };
  const [sealed = ''] = await account.crypto.seal(syncBundle, [JSON.stringify(keys)]);
  return sealed;
}

async function create(storage: SyncStorage, name: string, payload: string): Promise<void> {
  const [collection = '', id = ''] = name.split('/');
  const { kind } = await storage.write(collection, { id, payload, base: null, beside: {} });
  if (kind === 'conflict') throw taken(name);
  if (kind === 'readOnly') throw new SyncError('readOnly', `${name}: the server takes no writes`);
  if (kind !== 'stored') throw new SyncError('unavailable', `${name}: it could not be stored`);
}

function taken(name: string): SyncError {
  return new SyncError('conflict', `${name}: this account has Sync data already`);
}
