// For tests: a database in which accounts were one text, as an older version wrote it, and what the
// clients of its users hold.

import { chmodSync, cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { openDatabase } from '../../emulator/servers/storage/served-database.ts';
import { Store } from '../../emulator/servers/store.ts';
import { countingRandom } from '../../emulator/servers/testing.ts';
import { createServers } from '../../emulator/servers/world.ts';
import { type Ask, bearer, signIn, startAccounts } from './accounts.ts';
import { temporaryFolder } from './folders.ts';

const FIXTURE = fileURLToPath(new URL('../fixtures/database-layout-2/', import.meta.url));
/** A day after it was written. */
const OLD_MS = Date.UTC(2026, 10, 30);

interface OldUser {
  readonly email: string;
  readonly password: string;
  readonly uid: string;
  readonly session: string;
  readonly first: string;
  readonly refreshToken: string;
  readonly device: string;
}

export const OLD_USERS = JSON.parse(
  readFileSync(join(FIXTURE, 'users.json'), 'utf8'),
) as readonly OldUser[];

/** A copy of it, in a folder that goes. */
export function oldFolder(): string {
  const folder = join(temporaryFolder(), 'database');
  mkdirSync(folder, { mode: 0o700 });
  cpSync(join(FIXTURE, 'store'), join(folder, 'store'));
  chmodSync(folder, 0o700);
  return folder;
}

/** Who asks the accounts server that `serve --database` starts there. */
export async function servedAt(database: string): Promise<{ ask: Ask; close(): Promise<void> }> {
  const kept = await openDatabase({
    ...{ account: null, accountIsNamed: false, mayBeEmpty: true },
    database,
  });
  const { fetch } = createServers({
    account: { kB: '0'.repeat(64), store: new Store() },
    ...{ isEmpty: true, nowMs: () => OLD_MS, random: countingRandom() },
    accounts: { signUp: true, ...(kept.key === undefined ? {} : { key: kept.key }) },
    ...(kept.storage === undefined ? {} : { storage: kept.storage }),
  });
  return { ask: startAccounts({}, () => fetch).ask, close: () => kept.close() };
}

/** Its users sign in, and are signed in with all that they held. */
export async function checkOldUsers(ask: Ask): Promise<void> {
  for (const { email, password, uid, session, first, refreshToken, device } of OLD_USERS) {
    expect(await signIn(ask, password, email)).toMatchObject({ status: 200, json: { uid } });
    expect((await signIn(ask, 'wrong', email)).json.errno).toBe(103);
    for (const token of [session, first]) {
      const { json } = await ask('recovery_email/status', undefined, bearer(token));
      expect(json.email).toBe(email);
    }
    const renewed = { grant_type: 'refresh_token', client_id: 'c', refresh_token: refreshToken };
    expect((await ask('oauth/token', renewed)).json.access_token).toMatch(/^ey/);
    const devices = await ask('account/devices', undefined, bearer(session));
    expect(devices.json).toMatchObject([{ id: device }]);
    expect((await ask('account/status', { email })).json.exists).toBe(true);
  }
}
