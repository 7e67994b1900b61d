// Folders that earlier versions of `kitsync` wrote, opened by the present one: it goes on where
// they stopped, and a kill at any write of the step and of the first pass loses and repeats
// nothing.

import type * as Fs from 'node:fs';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { accountClient } from '../../emulator/servers/account-client.ts';
import {
  createServers,
  DEFAULT_ENABLED,
  INSIDE_URLS,
  type ServerUrls,
  urlsBelow,
  type World,
} from '../../emulator/servers/world.ts';
import { main } from '../../platform/node/cli/main.ts';
import { testTerminal } from '../support/commands.ts';
import { temporaryFolder } from '../support/folders.ts';
import { type OldStore, oldKintoStores, oldStores, writeFolder } from '../support/old-stores.ts';
import { complaintsOfKills, killedAt } from './killable-disk.ts';
import { kintoOnDisk, kintoWrongs } from './old-kinto-stores.ts';
import { collectionsOf, type Revived, watchedAccount, wrongs } from './old-stores.ts';
import { isWhole } from './share.ts';

vi.mock('node:fs', async (original) => {
  const { killable } = await import('./killable-disk.ts');
  return killable(await original<typeof Fs>());
});

const STORES = oldStores('node-');
const KINTO_STORES = oldKintoStores();

/** A storage that moves is read anew: the servers are where they were. */
function urlsOf({ origin }: OldStore): ServerUrls {
  return origin === undefined ? INSIDE_URLS : urlsBelow(origin);
}

async function signIn(store: OldStore, world: World, nowMs: () => number, path: string) {
  const user = accountClient({
    ...{ fetch: world.fetch, baseUrl: world.urls.accounts, nowMs },
    credentials: { email: store.email, kB: store.account.kB },
  });
  // The server of that day is gone, and its refresh token with it.
  const { refreshToken, clientId, oauthUrl, ...kept } = store.credentials ?? {};
  const { token: accessToken } = await user.accessToken(false);
  writeFileSync(path, JSON.stringify({ ...kept, accessToken }), { mode: 0o600 });
}

/** The folder, and the servers as they were, a minute later. */
async function computerOf(store: OldStore) {
  const { account, writes } = watchedAccount(store);
  const nowMs = () => store.nowMs + 60_000;
  let serial = 0;
  const asked: string[] = [];
  const enabled = collectionsOf(store).map((name) => `record_${name}_put_enabled`);
  const world = createServers({
    ...{ account, nowMs, urls: urlsOf(store) },
    random: (count) => new Uint8Array(count).fill(++serial),
    syncto: { enabled: [...DEFAULT_ENABLED, ...enabled] },
    intercept(_, { method, url }) {
      asked.push(`${method} ${url}`);
      return null;
    },
  });
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  const credentials = join(folder, 'credentials.json');
  writeFolder(store, data);
  await signIn(store, world, nowMs, credentials);
  const server = store.protocol === 'syncto' ? world.urls.syncto : world.urls.token;
  const kitsync = async (...args: string[]) => {
    const terminal = testTerminal({ machine: { fetch: (request) => world.fetch(request) } });
    const code = await main([...args, '--data', data], terminal);
    return { code, out: terminal.out, complaints: terminal.complaints };
  };
  const sync = () =>
    kitsync(
      ...['sync', '--once', '--token-server', server, '--protocol', store.protocol],
      ...['--credentials', credentials, '--device-name', 'a computer'],
      ...['--collections', collectionsOf(store).join()],
    );
  return { world, nowMs: nowMs(), asked, writes, kitsync, sync };
}

interface Computer extends Revived {
  /** Method and URL of all requests. */
  readonly asked: readonly string[];
}

const onDisk = async (store: OldStore, cutAt: number | null): Promise<Computer> => {
  const { world, nowMs, asked, writes, kitsync, sync } = await computerOf(store);
  const goingOn = killedAt(cutAt, { sync, look: () => kitsync('status') });
  return Object.assign(goingOn, {
    asked,
    async ended() {
      const status = JSON.parse((await kitsync('status', '--json')).out);
      const { logins, ...others } = JSON.parse((await kitsync('export')).out);
      const held = Object.entries<{ guid: string }[]>({ ...others, passwords: logins });
      return {
        ...{ world, nowMs, writes },
        quarantined: status.collections.history.quarantined,
        pending: collectionsOf(store).reduce(
          (sum, name) => sum + status.collections[name].pending,
          0,
        ),
        held: Object.fromEntries(
          held.map(([name, records]) => [name, records.map((one) => ({ ...one, id: one.guid }))]),
        ),
      };
    },
  });
};

/** A listing of history, of which all of these hold a part. */
function isFromTheStart(asked: string): boolean {
  return (
    /^GET .*\/(history\?full=1|history\/records\?)/.test(asked) &&
    !/[?&](newer|_since)=/.test(asked)
  );
}

test.each(STORES)('$name goes on where it was, and its outbox arrives once', async (store) => {
  const device = await onDisk(store, null);
  const { held } = store;
  if (held !== null) {
    const before = await device.ended();
    for (const [name, records] of Object.entries(held)) {
      expect(before.held[name]).toEqual(records.map((one) => expect.objectContaining(one)));
    }
  }
  expect(await device.goOn()).toBe(true);
  // Before forms were counted nobody knew what was set aside for one: it is read anew, once.
  if (store.origin !== undefined) expect(device.asked.filter(isFromTheStart)).toEqual([]);
  expect(wrongs(store, await device.ended())).toEqual([]);
});

test.each(KINTO_STORES)(
  '$name goes on where it was, and its outbox arrives once',
  async (store) => {
    const device = await kintoOnDisk(store, null, 'kept');
    const { status, held } = await device.ended();
    for (const [name, was] of Object.entries(store.status.collections)) {
      expect(status.collections[name]).toMatchObject(was);
    }
    expect(held).toMatchObject(store.held);
    expect(await device.goOn()).toBe(true);
    expect(kintoWrongs(store, await device.ended())).toEqual([]);
  },
);

describe.runIf(isWhole)('wherever it is killed', { timeout: 600_000 }, () => {
  test.each(STORES)('$name goes on', async (store) => {
    expect(await complaintsOfKills(store, onDisk, wrongs)).toEqual([]);
  });

  test.each(KINTO_STORES)('$name goes on', async (store) => {
    expect(await complaintsOfKills(store, kintoOnDisk, kintoWrongs)).toEqual([]);
  });
});
