// What the fleet's user does beside its sides, with a client that speaks Sync 1.5 to the storage:
// it looks at what the server holds, begins the account anew under other keys, as a browser does
// whose user asks for it, and moves to another place, as an operator does who takes a node away.

import { createHash, randomBytes } from 'node:crypto';
import { userKey } from '../../emulator/servers/storage/bso-keys.ts';
import { addUser } from '../../emulator/servers/storage/kept-bsos.ts';
import { openPostgresStorage } from '../../emulator/servers/storage/postgres-storage.ts';
import {
  accountKeys,
  defaultKeys,
  openPayload,
  sealPayload,
} from '../../emulator/servers/sync-keys.ts';
import type { Thing } from './model.ts';
import { type Kind, thingInBody } from './side.ts';
import type { User } from './user.ts';

const ENGINES = { clients: 1, history: 1, passwords: 1 };

/** What the server holds of a kind, opened with the account's key: live records, doubles too. */
export async function onServer({ storage, kB }: User, kind: Kind): Promise<Thing[]> {
  const { json: sealed } = await storage('GET', 'storage/crypto/keys');
  const keys = defaultKeys(kB, sealed.payload);
  const { json } = await storage('GET', `storage/${kind}?full=1`);
  const bodies = json.map(({ payload }: { payload: string }) =>
    JSON.parse(openPayload(keys, payload)),
  );
  return bodies
    .filter(({ deleted }: { deleted?: boolean }) => deleted !== true)
    .map((body: Record<string, unknown>) => thingInBody(kind, body));
}

/** All that the server has goes, and `crypto/keys` and `meta/global` are others. */
export async function beginAnew({ storage, kB }: User): Promise<void> {
  await told(storage('DELETE', 'storage'));
  const newKey = () => randomBytes(32).toString('base64');
  const keys = { id: 'keys', collection: 'crypto', default: [newKey(), newKey()], collections: {} };
  const sealed = sealPayload(accountKeys(kB), JSON.stringify(keys), randomBytes(16));
  await told(storage('PUT', 'storage/crypto/keys', { body: { payload: sealed } }));
  const newId = () => randomBytes(9).toString('base64url');
  const engines = Object.entries(ENGINES).map(([name, version]) => [
    name,
    { version, syncID: newId() },
  ]);
  const meta = { syncID: newId(), storageVersion: 5, engines: Object.fromEntries(engines) };
  const payload = JSON.stringify({ ...meta, declined: [] });
  await told(storage('PUT', 'storage/meta/global', { body: { payload } }));
}

async function told(answer: Promise<{ readonly status: number }>): Promise<void> {
  const { status } = await answer;
  if (status !== 200) throw new Error(`the storage answered ${status}`);
}

/**
 * The user's next pass is for a new and empty place; the one that they had knows them no more. In
 * the database, as an operator does it: no server is asked.
 */
export async function moveUser(database: string, uid: string): Promise<void> {
  const storage = await openPostgresStorage(database);
  const account = `a/${createHash('sha256').update(uid).digest('hex')}`;
  const before = await storage.transaction('places', async (tx) => {
    const [seen = null, last = null] = await tx.get([account, 'uids']);
    if (seen === null) throw new Error('the token server does not know the user');
    const known = JSON.parse(seen) as { uid: number };
    const next = Number(last) + 1;
    tx.put(account, JSON.stringify({ ...known, uid: next }));
    tx.put('uids', `${next}`);
    addUser(tx, next);
    return known.uid;
  });
  await storage.transaction(`user/${before}`, async (tx) => tx.remove(userKey(before)));
  await storage.close();
}
