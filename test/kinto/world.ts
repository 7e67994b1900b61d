// A real Kinto for a file of tests, on its memory or on a PostgreSQL with two processes: its users,
// what an administrator does to it, and trouble that comes when a test wants it. The trouble is
// PostgreSQL's own (a write that is slow, that meets another one's stamp, that fails): Kinto does
// with it what it always does.

import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { expect } from 'vitest';
import { kintoKeys } from '../../agent/remotes/kinto/keys.ts';
import { parseObject } from '../../emulator/servers/http.ts';
import { type KintoPlace, kintoAt, type RealKinto, startKinto } from '../support/kinto.ts';
import { findPostgres, type Postgres, startPostgres } from '../support/postgres.ts';
import type { KintoUser } from './devices.ts';
import { type Device, type DeviceOptions, deviceOf, heldBy, keyOf, NAME } from './devices.ts';

interface Asked {
  readonly status: number;
  readonly headers: Headers;
  /** Null: the answer has no body that is an object. */
  readonly json: { readonly [member: string]: unknown } | null;
}

export interface World {
  readonly server: Omit<RealKinto, 'stop'>;
  /** One with a key of their own, in the account of all: a new one takes half a second. */
  newUser(): Promise<KintoUser>;
  /** Somebody else to the server, too. */
  newAccount(): Promise<KintoUser>;
  /** The user's own request, below the version. */
  asked(
    user: KintoUser,
    method: string,
    path: string,
    body?: object,
    headers?: { readonly [name: string]: string },
  ): Promise<Asked>;
  /** Another server on the same database, with these settings. */
  beside(settings: readonly string[]): Promise<RealKinto>;
  /** Runs SQL in its database; the rows of an answer. */
  sql(text: string): Promise<readonly unknown[]>;
  stop(): Promise<void>;
}

const postgres = findPostgres();
/** What there is to run it on. */
export const BACKENDS = ['memory', ...(postgres === null ? [] : ['PostgreSQL'])];

/** One that nobody else has. */
export async function openWorld(backend: string): Promise<World> {
  let cluster: Postgres | null = null;
  if (backend !== 'memory' && postgres !== null)
    cluster = await startPostgres(postgres, ['fsync=off']);
  const database = (await cluster?.newUrl()) ?? null;
  const server = await startKinto({ database, workers: 2 });
  return worldOf(server, database, async () => {
    await server.stop();
    await cluster?.stop();
  });
}

/** What files of tests have together: see shared.ts. */
export type Shared = { readonly [backend: string]: SharedKinto };

interface SharedKinto {
  readonly place: KintoPlace;
  /** Null: its memory. */
  readonly database: string | null;
}

/** One that other files of tests have had. */
export function sharedWorld(shared: Shared, backend: string): World {
  const found = shared[backend];
  if (found === undefined) throw new Error(`no Kinto on ${backend} was started`);
  return worldOf(kintoAt(found.place), found.database, async () => undefined);
}

function worldOf(server: World['server'], url: string | null, end: () => Promise<void>): World {
  const users = { prefix: `user-${randomBytes(4).toString('hex')}`, count: 0 };
  const nextName = (): string => `${users.prefix}-${users.count++}`;
  const newAccount = async (): Promise<KintoUser> => ({
    ...{ url: server.url, ...(await server.newUser(nextName())) },
  });
  let account: Promise<KintoUser> | null = null;
  let pool: Pool | null = null;
  const others: RealKinto[] = [];
  return {
    server,
    async newUser() {
      account ??= newAccount();
      return { ...(await account), person: nextName() };
    },
    newAccount,
    async asked({ name, password, url: at }, method, path, body, headers) {
      const basic = Buffer.from(`${name}:${password}`).toString('base64');
      const response = await fetch(`${at}/v1${path}`, {
        method,
        headers: {
          Authorization: `Basic ${basic}`,
          ...(body && { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body && { body: JSON.stringify(body) }),
      });
      const { status } = response;
      return { status, headers: response.headers, json: parseObject(await response.text()) };
    },
    async beside(more) {
      const other = await startKinto({
        ...{ database: url, workers: 1, settings: more, isShared: true },
      });
      others.push(other);
      return other;
    },
    async sql(text) {
      const { default: pg } = await import('pg');
      pool ??= new pg.Pool({ connectionString: url ?? '', max: 1 });
      const client = await pool.connect();
      try {
        return (await client.query({ text, rowMode: 'array' })).rows;
      } finally {
        client.release();
      }
    },
    async stop() {
      await pool?.end();
      for (const other of others) await other.stop();
      await end();
    },
  };
}

/** Where the user's sealed collections are. */
export const bucketOf = (user: KintoUser): string =>
  `/buckets/${kintoKeys({ kB: keyOf(user) }).bucket}`;
export const recordsOf = (user: KintoUser): string =>
  `${bucketOf(user)}/collections/${NAME}/records`;

/** Devices of this user that are signed in and have done their first pass. */
export async function fleetOf<N extends 1 | 2 | 3 | 4>(
  user: KintoUser,
  count: N,
  options: Partial<DeviceOptions> = {},
): Promise<Fleet[N]> {
  const devices: Device[] = [];
  for (let n = 0; n < count; n++) {
    const device = await deviceOf(user, options);
    expect(await device.agent.enable()).toMatchObject({ ok: true, error: null });
    devices.push(device);
  }
  return devices as Fleet[N];
}

interface Fleet {
  readonly 1: [Device];
  readonly 2: [Device, Device];
  readonly 3: [Device, Device, Device];
  readonly 4: [Device, Device, Device, Device];
}

/** What all of them hold, which is the same. */
export async function alike(devices: readonly Device[]): Promise<Map<string, string>> {
  const [first = new Map<string, string>(), ...others] = await Promise.all(devices.map(heldBy));
  for (const held of others) expect(held).toEqual(first);
  return first;
}

/** A pass of each now, one after the other. */
export async function passOf(...devices: readonly Device[]): Promise<void> {
  for (const { agent, platform } of devices) {
    platform.time.set(Date.now());
    expect(await agent.sync()).toMatchObject({ ok: true, error: null });
  }
}

/** What happens to a record's next write. */
type Trouble = 'slow' | 'race' | 'fails';

/**
 * Makes a database one that can be told to give a record trouble. `slow`: it has its stamp, and is
 * committed 2 seconds later. `race`: once, somebody else has its stamp already. `fails`: always.
 */
export async function troubled({ sql }: World) {
  await sql(TROUBLE);
  return {
    async give(id: string, trouble: Trouble): Promise<void> {
      await sql(`INSERT INTO trouble VALUES ('${id}', '${trouble}')`);
      await sql("SELECT setval('races', 1, false)");
    },
    /** Whether a write is slow just now. */
    isSlow: async (): Promise<boolean> => (await sql(SLEEPING)).length > 0,
    end: () => sql('DELETE FROM trouble'),
  };
}

const SLEEPING = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'";

/** Kinto's own trigger, which gives the stamps, is before it by its name. */
const TROUBLE = `
CREATE TABLE IF NOT EXISTS trouble (id TEXT PRIMARY KEY, what TEXT NOT NULL);
CREATE SEQUENCE IF NOT EXISTS races;
CREATE OR REPLACE FUNCTION make_trouble() RETURNS trigger AS $$
DECLARE
  what TEXT := (SELECT t.what FROM trouble t WHERE t.id = NEW.id);
BEGIN
  IF what = 'slow' THEN
    PERFORM pg_sleep(2);
  ELSIF what = 'fails' THEN
    RAISE EXCEPTION 'this one is not taken';
  ELSIF what = 'race' THEN
    IF nextval('races') = 1 THEN
      NEW.last_modified := (SELECT max(last_modified) FROM objects
        WHERE parent_id = NEW.parent_id AND resource_name = NEW.resource_name);
    END IF;
  END IF;
  RETURN NEW;
END;
$$ LANGUAGE plpgsql;
DROP TRIGGER IF EXISTS tgs_trouble ON objects;
CREATE TRIGGER tgs_trouble BEFORE INSERT OR UPDATE OF data ON objects
FOR EACH ROW EXECUTE PROCEDURE make_trouble();
`;

/** Resolves when it holds, which is looked at again and again. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it never came');
}
