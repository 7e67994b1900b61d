// A server's storage in a PostgreSQL database, which any number of processes may have open at once.
// One table of keys in the order of their bytes; a lock is PostgreSQL's own, and is free again when
// its process is gone. Who waits for a lock or has one and says nothing for long is ended.

import type { Pool, PoolClient } from 'pg';
import { checkKeys, StorageError } from '../../../platform/storage-rules.ts';
import { UsageError } from '../../usage.ts';
import { Locks } from './locks.ts';
import { Overlay } from './overlay.ts';
import type { Entry, KeyRange, Reader, ServerStorage } from './server-storage.ts';

/** Connections of one process. Transactions wait for one. */
const CONNECTIONS_MAX = 10;
const CONNECT_MS_MAX = 10_000;
const IDLE_MS_MAX = 30_000;
const LOCK_WAIT_MS_MAX = 30_000;
const SILENCE_MS_MAX = 30_000;
/** Of one statement that writes: what is converted for the wire at a time. */
const ROWS_MAX = 1_000;
const CHARS_MAX = 4 * 1024 * 1024;

const TIMES = `SET LOCAL lock_timeout = ${LOCK_WAIT_MS_MAX};
SET LOCAL idle_in_transaction_session_timeout = ${SILENCE_MS_MAX}`;
const BEGIN_READING = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${TIMES}`;
/** What begins a transaction that has a lock, in one round trip. */
function beginWriting(lock: string): string {
  const hex = Buffer.from(lock).toString('hex');
  const name = `convert_from(decode('${hex}', 'hex'), 'UTF8')`;
  const take = `SELECT pg_advisory_xact_lock(hashtextextended(${name}, 0))`;
  return `BEGIN ISOLATION LEVEL READ COMMITTED; ${TIMES}; ${take}`;
}

const MAKE_TABLE = `BEGIN; SELECT pg_advisory_xact_lock(7271309);
CREATE TABLE IF NOT EXISTS kitsync (key text COLLATE "C" PRIMARY KEY, value text NOT NULL);
COMMIT`;

/**
 * Opens the database that a `postgres://` URL names, and makes the table where it is missing.
 * Errors: UsageError where the package is missing, StorageError where the database does not answer
 * or is no place for this.
 */
export async function openPostgresStorage(url: string): Promise<ServerStorage> {
  const { default: pg } = await import('pg').catch(() => {
    throw new UsageError('a PostgreSQL database needs a package: npm install pg');
  });
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    idleTimeoutMillis: IDLE_MS_MAX,
    application_name: 'kitsync',
  });
  // A connection that breaks while nobody uses it is replaced by the next one.
  pool.on('error', () => undefined);
  try {
    await use(pool, prepare);
  } catch (error) {
    await pool.end();
    throw error;
  }
  const locks = new Locks();
  return {
    // A connection is taken when this process has the lock, so that who waits takes none.
    transaction: (lock, work) => locks.run(lock, () => use(pool, (to) => write(to, lock, work))),
    read: (_lock, work) =>
      use(pool, (from) => inTransaction(from, BEGIN_READING, () => work(readerOf(from)))),
    async close() {
      await locks.idle();
      await pool.end();
    },
  };
}

async function prepare(client: PoolClient): Promise<void> {
  const { rows } = await client.query({
    text: "SELECT current_setting('server_encoding'), current_setting('server_version_num')",
    rowMode: 'array',
  });
  const [encoding, version] = rows[0] ?? [];
  if (encoding !== 'UTF8')
    throw new StorageError('failed', `its encoding is ${encoding}, not UTF8`);
  if (Number(version) < 110_000)
    throw new StorageError('failed', 'PostgreSQL 11 or newer is needed');
  await client.query(MAKE_TABLE);
}

/**
 * Lends a connection. One on which nothing can be begun had broken while nobody used it: another
 * one is taken, at last a new one.
 */
async function use<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await lend(pool, work);
    } catch (error) {
      if (!(error instanceof Unbegun)) throw error;
      if (tries >= CONNECTIONS_MAX) throw error.cause;
    }
  }
}

/** One whose transaction cannot be ended is given up. */
async function lend<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch(fail);
  let isBroken = false;
  const onError = (): void => {
    isBroken = true;
  };
  client.on('error', onError);
  try {
    return await work(client);
  } catch (error) {
    if (error instanceof Broken || error instanceof Unbegun) isBroken = true;
    throw error instanceof Broken ? error.cause : error;
  } finally {
    client.removeListener('error', onError);
    client.release(isBroken);
  }
}

/** Nobody knows in which state the connection is. */
class Broken extends Error {}

/** The connection was lost before anything was done on it. */
class Unbegun extends Error {}

/** 57P01 to 57P03 and 08: the server ended it, or it is gone; without a code, the socket is. */
function isLost({ code }: { readonly code?: string }): boolean {
  return code === undefined || /^(57P0[1-3]|08...|ECONN.*|EPIPE)$/.test(code);
}

async function inTransaction<T>(
  client: PoolClient,
  begin: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    await client.query(begin).catch((error) => {
      if (isLost(error)) throw new Unbegun('', { cause: failure(error) });
      fail(error);
    });
    const result = await work();
    await client.query('COMMIT').catch(fail);
    return result;
  } catch (error) {
    if (error instanceof Unbegun) throw error;
    await client.query('ROLLBACK').catch(() => {
      throw new Broken('', { cause: error });
    });
    throw error;
  }
}

function write<T>(
  client: PoolClient,
  lock: string,
  work: (transaction: Overlay) => Promise<T>,
): Promise<T> {
  return inTransaction(client, beginWriting(lock), async () => {
    const overlay = new Overlay(readerOf(client));
    const result = await work(overlay);
    await writeAll(client, overlay.changes);
    return result;
  });
}

async function writeAll(
  client: PoolClient,
  changes: ReadonlyMap<string, string | null>,
): Promise<void> {
  checkKeys([...changes.keys()]);
  let keys: string[] = [];
  let values: string[] = [];
  let gone: string[] = [];
  let chars = 0;
  const flush = async (): Promise<void> => {
    if (keys.length > 0) await ask(client, 'put', PUT, [keys, values]);
    if (gone.length > 0) await ask(client, 'remove', REMOVE, [gone]);
    keys = [];
    values = [];
    gone = [];
    chars = 0;
  };
  for (const [key, value] of changes) {
    if (value === null) gone.push(key);
    else {
      keys.push(key);
      values.push(toStored(value));
      chars += value.length;
    }
    if (keys.length + gone.length >= ROWS_MAX || chars >= CHARS_MAX) await flush();
  }
  await flush();
}

const PUT = `INSERT INTO kitsync SELECT * FROM unnest($1::text[], $2::text[])
ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value`;
const REMOVE = 'DELETE FROM kitsync WHERE key = ANY($1::text[])';

function readerOf(client: PoolClient): Reader {
  const inRange = async (what: 'key' | 'key, value', range: KeyRange) => {
    const order = range.reverse === true ? 'DESC' : 'ASC';
    return ask(
      client,
      `${what} ${order}`,
      `SELECT ${what} FROM kitsync WHERE key >= $1 AND key < $2 ORDER BY key ${order} LIMIT $3`,
      [range.from, range.to, range.limit],
    );
  };
  return {
    async get(keys) {
      checkKeys(keys);
      const text = 'SELECT key, value FROM kitsync WHERE key = ANY($1::text[])';
      const values = new Map(entriesOf(await ask(client, 'get', text, [keys])));
      return keys.map((key) => values.get(key) ?? null);
    },
    keys: async (range) => (await inRange('key', range)).map(([key]) => String(key)),
    scan: async (range) => entriesOf(await inRange('key, value', range)),
  };
}

async function ask(client: PoolClient, name: string, text: string, values: readonly unknown[]) {
  const answer = await client.query({ name, text, values, rowMode: 'array' }).catch(fail);
  return answer.rows;
}

function entriesOf(rows: readonly (readonly unknown[])[]): Entry[] {
  return rows.map(([key, value]) => [String(key), fromStored(String(value))]);
}

/** A text of PostgreSQL has no character 0: it is `\u0001z`, and `\u0001` is `\u0001o`. */
function toStored(value: string): string {
  return value.replaceAll('\u0001', '\u0001o').replaceAll('\0', '\u0001z');
}

function fromStored(value: string): string {
  return value.replaceAll('\u0001z', '\0').replaceAll('\u0001o', '\u0001');
}

/** 53: PostgreSQL has no disk or no memory left for it. */
function failure(error: Error & { readonly code?: string }): StorageError {
  const isFull = error.code?.startsWith('53') ?? false;
  return new StorageError(isFull ? 'full' : 'failed', error.message, error);
}

function fail(error: Error): never {
  throw failure(error);
}
