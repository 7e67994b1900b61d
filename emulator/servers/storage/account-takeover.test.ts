// Databases in which accounts were one text: opened, and taken over into rows, whatever the power
// does meanwhile.

import { expect, test } from 'vitest';
import { every } from '../../../test/sim/share.ts';
import { bearer, signIn, startAccounts } from '../../../test/support/accounts.ts';
import {
  checkOldUsers,
  OLD_USERS,
  oldFolder,
  servedAt,
} from '../../../test/support/old-accounts.ts';
import { Flash, PowerCut } from '../../device/flash.ts';
import type { Fault } from '../../device/flash-image.ts';
import { FlashStorage } from '../../device/flash-storage.ts';
import { createRandom } from '../../device/random.ts';
import { loadProfile } from '../../profiles.ts';
import { TEST_NOW_MS } from '../testing.ts';
import { rowsOf } from './account-rows.ts';
import { takeOver } from './account-takeover.ts';
import { keptAccounts } from './kept-accounts.ts';
import { localStorage, memoryStorage, openSqliteStorage } from './local-storage.ts';
import type { ServerStorage } from './server-storage.ts';

const FAULTS: readonly Fault[] = ['lost', 'reordered', 'torn'];
const { flash: profile } = loadProfile('panasonic-cx700');

test('a folder of an older version opens, and its users sign in, now and later', async () => {
  const folder = oldFolder();
  for (const _time of [1, 2]) {
    const { ask, close } = await servedAt(folder);
    await checkOldUsers(ask);
    await close();
  }
  const storage = await openSqliteStorage(folder);
  const [text] = await storage.read('look', (reader) => reader.get(['sign-ins']));
  // The older version breaks off there, and does not begin anew.
  expect(() => JSON.parse(text ?? '{}')).toThrow(SyntaxError);
  const keys = await storage.read('look', (reader) =>
    reader.keys({ from: 'ac/', to: 'ac0', limit: 9 }),
  );
  expect(keys).toHaveLength(OLD_USERS.length);
  await storage.close();
});

/** Accounts with all that may be signed in, as the older version kept them. */
async function oldText(count = 3): Promise<{ text: string; sessions: string[] }> {
  const { ask, accounts } = startAccounts({ signUp: true });
  const sessions: string[] = [];
  for (let index = 0; index < count; index++) {
    const email = `U${index}@example.test`;
    await ask('account/create', { email, authPW: `${index}`.repeat(64) });
    for (let time = 0; time < 2; time++) {
      const login = await ask('account/login?keys=true', { email, authPW: `${index}`.repeat(64) });
      sessions.push(String(login.json.sessionToken));
    }
  }
  return { text: JSON.stringify({ version: 2, ...accounts.state() }), sessions };
}

async function open(flash: Flash, checkpointPages = 40): Promise<ServerStorage> {
  const random = createRandom(7);
  const storage = await FlashStorage.open({
    ...{ flash, random, quotaBytes: profile.quotaBytes, heapBytesMax: 0, nowMs: () => 0 },
    tuning: { tailBytesMax: 800, youngEntriesMax: 20, checkpointPages, cacheKiB: 32 },
  });
  return localStorage(storage, () => undefined);
}

test('a power cut at any write of it loses nobody, and the next one goes on', async () => {
  const { text } = await oldText();
  const { accounts } = startAccounts();
  const expected = await rowsAfter(memoryStorage(), text);
  expect(expected.size).toBeGreaterThan(30);
  let cuts = 0;
  const stride = every(6);
  for (let cutAfter = stride; ; cutAfter += stride) {
    const flash = new Flash({ profile, charge() {} });
    const before = await open(flash);
    await before.transaction('old', async (tx) => tx.put('sign-ins', text));
    flash.cutAt = flash.events + cutAfter;
    const isCut = await takeOver(before, accounts.state(), TEST_NOW_MS, 1).then(
      () => false,
      (error: unknown) => {
        if (!(error instanceof PowerCut)) throw error;
        return true;
      },
    );
    for (const fault of isCut ? FAULTS : []) {
      const image = flash.imageAfterCut(createRandom(cutAfter), fault);
      const storage = await open(new Flash({ profile, charge() {}, image }));
      expect([cutAfter, fault, await rowsAfter(storage)]).toEqual([cutAfter, fault, expected]);
      cuts++;
    }
    if (!isCut) break;
  }
  console.log(`${cuts} cuts of power`);
  expect(cuts).toBeGreaterThan(8);
});

test('a cut in the copy that ends a commit in the log loses nothing', async () => {
  const { text } = await oldText(5);
  const { accounts } = startAccounts();
  const expected = await rowsAfter(memoryStorage(), text);
  for (const cutAfter of [7, 8, 9, 10])
    for (const fault of FAULTS) {
      const flash = new Flash({ profile, charge() {} });
      // So few that the log has begun anew, over what was in it.
      const before = await open(flash, 6);
      await before.transaction('old', async (tx) => tx.put('sign-ins', text));
      flash.cutAt = flash.events + cutAfter;
      const cut = takeOver(before, accounts.state(), TEST_NOW_MS, 1);
      await expect(cut).rejects.toThrow(PowerCut);
      const image = flash.imageAfterCut(createRandom(cutAfter), fault);
      const storage = await open(new Flash({ profile, charge() {}, image }), 6);
      expect([cutAfter, fault, await rowsAfter(storage)]).toEqual([cutAfter, fault, expected]);
    }
});

/** What is there when it is taken over to the end. */
async function rowsAfter(storage: ServerStorage, text?: string): Promise<Map<string, string>> {
  if (text !== undefined) await storage.transaction('old', async (tx) => tx.put('sign-ins', text));
  const { accounts } = startAccounts();
  await takeOver(storage, accounts.state(), TEST_NOW_MS, 1);
  return new Map(
    await storage.read('look', (reader) => reader.scan({ from: '!', to: '~', limit: 1_000 })),
  );
}

test('two processes take over at once, and serve while the other one still does', async () => {
  const { text, sessions } = await oldText();
  const storage = memoryStorage();
  await storage.transaction('old', async (tx) => tx.put('sign-ins', text));
  const { accounts } = startAccounts();
  const start = () => startAccounts({}, (...server) => keptAccounts(storage, ...server));
  const [one, other] = [start(), start()];
  await Promise.all([1, 2, 3].map(() => takeOver(storage, accounts.state(), TEST_NOW_MS, 1)));
  for (const [index, session] of sessions.entries()) {
    const { ask } = index % 2 === 0 ? one : other;
    expect((await ask('session/status', undefined, bearer(session))).status).toBe(200);
  }
});

test('what had expired is not taken over, and an older text yet has no accounts', async () => {
  const storage = memoryStorage();
  const { text } = await oldText();
  await storage.transaction('old', async (tx) => tx.put('sign-ins', text));
  const { accounts, ask } = startAccounts({ signUp: true });
  await takeOver(storage, accounts.state(), TEST_NOW_MS + 3_600_000);
  const keys = () =>
    storage.read('look', (reader) => reader.keys({ from: 'at/', to: 'at0', limit: 100 }));
  // Without the key fetch tokens: a session each of those who were made, and two of who signed in.
  expect(await keys()).toHaveLength(9);
  const older = memoryStorage();
  await older.transaction('old', async (tx) => tx.put('sign-ins', '{"tokens":[]}'));
  await signIn(ask);
  await takeOver(older, accounts.state(), TEST_NOW_MS);
  const rows = await older.read('look', (reader) =>
    reader.keys({ from: 'ac/', to: 'au~', limit: 100 }),
  );
  expect(rows).toEqual(expect.arrayContaining([...rowsOf(accounts.state()).keys()]));
});

test('a text that is damaged is not begun anew', async () => {
  const storage = memoryStorage();
  await storage.transaction('old', async (tx) => tx.put('sign-ins', '{"version":2,'));
  const { ask } = startAccounts({}, (...server) => keptAccounts(storage, ...server));
  await expect(signIn(ask)).rejects.toThrow('sign-ins');
  const [text] = await storage.read('look', (reader) => reader.get(['sign-ins']));
  expect(text).toBe('{"version":2,');
});
