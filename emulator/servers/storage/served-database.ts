// What is behind `kitsync serve --database`, a folder or a PostgreSQL database: who may have it,
// which account is in it, and what is said when it cannot be used. Of a new one everything is there
// at once, the account with all its records, or nothing.

import { generateKeyPair, type JsonWebKey, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { checkPrivateFolder } from '../../../platform/node/cli/private-files.ts';
import { StorageError } from '../../../platform/storage-rules.ts';
import { UsageError } from '../../usage.ts';
import { isObject, parseObject } from '../http.ts';
import { Store } from '../store.ts';
import type { SeedAccount } from '../store-file.ts';
import type { WorldStorage } from '../world.ts';
import { keptAccounts } from './kept-accounts.ts';
import { addUsers, KeptBsos } from './kept-bsos.ts';
import { addPlaces, keptPlaces } from './kept-places.ts';
import { openSqliteStorage } from './local-storage.ts';
import { openPostgresStorage } from './postgres-storage.ts';
import type { ServerStorage } from './server-storage.ts';

interface Wanted {
  /** What a new database begins with; null: nobody. */
  readonly account: { readonly seed: SeedAccount } | null;
  readonly accountIsNamed: boolean;
  /** Whether a new one may begin with nobody: accounts come by themselves. */
  readonly mayBeEmpty: boolean;
  readonly database: string | null;
}

interface Kept {
  /** Null: there is none but those that were made since. */
  readonly account: SeedAccount | null;
  /** The private key of the accounts server. Undefined: there is none but the test key. */
  readonly key?: JsonWebKey;
  /** Undefined: nothing is kept. */
  readonly storage?: WorldStorage;
  close(): Promise<void>;
}

/** The key that says of a database what is in it, and how it is laid out. */
const ACCOUNT = 'account';
const LAYOUT = 4;
/** Which this version takes over: accounts were one text; all payloads of PiCL were apart. */
const LAYOUTS_BEFORE: readonly unknown[] = [2, 3];

/** Opens one that a server has made, for whatever is to be done to it. Errors: UsageError. */
export async function openMade(database: string): Promise<ServerStorage> {
  const refused = refuser(database);
  if (!isPostgres(database) && !existsSync(database)) refused(new Error('there is no such folder'));
  const storage = await open(database).catch(refused);
  const isMade = await storage
    .read(ACCOUNT, async (reader) => (await reader.get([ACCOUNT]))[0] !== null)
    .catch(refused);
  if (isMade) return complaining(storage, nameOf(database));
  await storage.close();
  return refused(new Error('`kitsync serve` has not made it'));
}

/** Without a database nothing is kept. Errors: UsageError. */
export async function openDatabase(wanted: Wanted): Promise<Kept> {
  const { database, account, accountIsNamed, mayBeEmpty } = wanted;
  if (database === null) return { account: account?.seed ?? null, close: async () => undefined };
  const refused = refuser(database);
  const opened = await open(database).catch(refused);
  const storage = complaining(opened, nameOf(database));
  try {
    const { kB, secret, key, isNew } = await accountIn(opened, account?.seed ?? null, mayBeEmpty);
    if (!isNew && accountIsNamed)
      throw new Error('it has an account already, which excludes --account');
    const bsos = new KeptBsos(storage);
    bsos.sweep();
    return {
      account: kB === null ? null : { kB, store: new Store() },
      key,
      storage: {
        bsos,
        places: keptPlaces(storage),
        picl: storage,
        owa: storage,
        secret,
        keepAccounts: (...accounts) => keptAccounts(storage, ...accounts),
      },
      async close() {
        await bsos.close();
        await storage.close();
      },
    };
  } catch (error) {
    await storage.close();
    if (error instanceof UsageError) throw error;
    return refused(error);
  }
}

function refuser(database: string): (error: unknown) => never {
  return (error) => {
    throw new UsageError(`--database ${nameOf(database)}: ${(error as Error).message}`);
  };
}

function open(database: string): Promise<ServerStorage> {
  return isPostgres(database) ? openPostgresStorage(database) : openFolder(database);
}

function nameOf(database: string): string {
  return isPostgres(database) ? withoutPassword(database) : database;
}

async function openFolder(folder: string): Promise<ServerStorage> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  checkPrivateFolder(folder);
  return openSqliteStorage(folder);
}

interface InDatabase {
  readonly kB: string | null;
  readonly secret: Uint8Array;
  readonly key: JsonWebKey;
}

/**
 * What is there; where nothing is, `seed` and new secrets, which are there from now on. Errors:
 * UsageError where that would be for nobody.
 */
async function accountIn(
  storage: ServerStorage,
  seed: SeedAccount | null,
  mayBeEmpty: boolean,
): Promise<InDatabase & { isNew: boolean }> {
  return storage.transaction(ACCOUNT, async (tx) => {
    const [text = null] = await tx.get([ACCOUNT]);
    const kept = text === null ? null : inDatabase(parseObject(text));
    if (kept === null && seed === null && !mayBeEmpty) {
      throw new UsageError(
        'nobody has an account: --account FILE, --sign-up, --issuer URL, or --test-accounts to try',
      );
    }
    // What an older version made may have no key yet, and is not to be opened by it again.
    const key = kept?.key ?? (await newKey());
    const { kB, secret } = kept ?? { kB: seed?.kB ?? null, secret: randomBytes(32) };
    if (kept?.key === undefined || kept.layout !== LAYOUT) {
      const found = { layout: LAYOUT, kB, secret: Buffer.from(secret).toString('hex'), key };
      tx.put(ACCOUNT, JSON.stringify(found));
    }
    if (kept === null && seed !== null) {
      await addUsers(tx, seed.store, Date.now());
      addPlaces(tx, seed.store);
    }
    return { kB, secret, key, isNew: kept === null };
  });
}

function inDatabase(
  kept: Record<string, unknown> | null,
): Omit<InDatabase, 'key'> & Partial<InDatabase> & { layout: unknown } {
  const { layout, kB, secret, key } = kept ?? {};
  const isKnown = layout === LAYOUT || LAYOUTS_BEFORE.includes(layout);
  if (!isKnown || (typeof kB !== 'string' && kB !== null) || typeof secret !== 'string')
    throw new Error('another version of Kitsync has written it');
  return { layout, kB, secret: Buffer.from(secret, 'hex'), ...(isObject(key) ? { key } : {}) };
}

async function newKey(): Promise<JsonWebKey> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  return privateKey.export({ format: 'jwk' });
}

/** Whoever runs the servers is told why they answer 503. */
function complaining(storage: ServerStorage, name: string): ServerStorage {
  const complain = (error: unknown): never => {
    if (error instanceof StorageError)
      process.stderr.write(`kitsync: cannot use ${name}: ${error.message}\n`);
    throw error;
  };
  return {
    transaction: (lock, work) => storage.transaction(lock, work).catch(complain),
    read: (lock, work) => storage.read(lock, work).catch(complain),
    close: () => storage.close(),
  };
}

function isPostgres(database: string): boolean {
  return /^postgres(ql)?:\/\//.test(database);
}

function withoutPassword(url: string): string {
  return url.replace(/^([^/]*\/\/[^/:@]*):[^/@]*@/, '$1@').replace(/\?.*$/, '');
}
