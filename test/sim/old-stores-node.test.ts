// Folders that earlier versions of `kitsync` wrote, opened by the present one: it goes on where
// they stopped, and a kill at any write of the step and of the first pass loses and repeats
// nothing.

import type * as Fs from 'node:fs';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { accountClient } from '../../emulator/servers/account-client.ts';
import { createServers, INSIDE_URLS, type World } from '../../emulator/servers/world.ts';
import { main } from '../../platform/node/cli/main.ts';
import { testTerminal } from '../support/commands.ts';
import { temporaryFolder } from '../support/folders.ts';
import { type OldStore, oldStores, writeFolder } from '../support/old-stores.ts';
import { type Revive, type Revived, sweep, watchedAccount, wrongs } from './old-stores.ts';
import { every } from './share.ts';

/**
 * Writes to files: the process is killed before the one that brings it to 0, and writes nothing any
 * more.
 */
const disk = vi.hoisted(() => ({ writes: 0, left: Number.POSITIVE_INFINITY }));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof Fs>();
  const counted = <A extends unknown[], T>(write: (...args: A) => T) => {
    return (...args: A): T => {
      if (--disk.left <= 0)
        throw Object.assign(new Error('killed'), { code: 'EIO', syscall: 'write', path: 'disk' });
      disk.writes++;
      return write(...args);
    };
  };
  return {
    ...fs,
    writeSync: counted(fs.writeSync as (...args: unknown[]) => number),
    ftruncateSync: counted(fs.ftruncateSync),
    unlinkSync: counted(fs.unlinkSync),
    // The lock of the folder has names of its own.
    renameSync: (from: string, to: string) =>
      (from.includes('/lock') ? fs.renameSync : counted(fs.renameSync))(from, to),
  };
});

const STORES = oldStores('node-');

async function signIn(store: OldStore, { fetch }: World, nowMs: () => number, path: string) {
  const user = accountClient({
    ...{ fetch, baseUrl: INSIDE_URLS.accounts, nowMs },
    credentials: { email: store.email, kB: store.account.kB },
  });
  // The server of that day is gone, and its refresh token with it.
  const { refreshToken, clientId, oauthUrl, ...kept } = store.credentials ?? {};
  const { token: accessToken } = await user.accessToken(false);
  writeFileSync(path, JSON.stringify({ ...kept, accessToken }), { mode: 0o600 });
}

interface WriteBudget {
  /** Done so far. */
  writes: number;
  /** Until the process is killed; infinite once it was. */
  left: number;
}

/** Works with the writes that are left, and counts them. */
async function untilKilled<T>(budget: WriteBudget, work: () => Promise<T>): Promise<T> {
  Object.assign(disk, { writes: 0, left: budget.left });
  try {
    return await work();
  } finally {
    budget.writes += disk.writes;
    budget.left = disk.left <= 0 ? Number.POSITIVE_INFINITY : disk.left;
    disk.left = Number.POSITIVE_INFINITY;
  }
}

const onDisk: Revive = async (store, cutAt): Promise<Revived> => {
  const { account, writes } = watchedAccount(store);
  const nowMs = () => store.nowMs + 60_000;
  let serial = 0;
  const random = (count: number) => new Uint8Array(count).fill(++serial);
  const world = createServers({ account, nowMs, random });
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
  const budget: WriteBudget = { writes: 0, left: cutAt ?? Number.POSITIVE_INFINITY };
  let bootWrites = 0;
  let wasKilled = false;
  return {
    get writes() {
      return budget.writes;
    },
    get bootWrites() {
      return bootWrites;
    },
    async goOn() {
      const isFirst = budget.writes === 0 && !wasKilled;
      const before = budget.left;
      // A look at the folder is the step; a sync is the first pass.
      if (isFirst) {
        await untilKilled(budget, () => kitsync('status'));
        bootWrites = budget.writes;
      }
      const isOver = () =>
        before !== Number.POSITIVE_INFINITY && budget.left === Number.POSITIVE_INFINITY;
      if (!isOver()) {
        const { code, complaints } = await untilKilled(budget, () =>
          kitsync(
            ...['sync', '--once', '--token-server', server, '--protocol', store.protocol],
            ...['--credentials', credentials, '--device-name', 'a computer'],
          ),
        );
        if (!isOver() && code !== 0) throw new Error(complaints);
      }
      wasKilled = isOver();
      return !wasKilled;
    },
    async ended() {
      const status = JSON.parse((await kitsync('status', '--json')).out);
      const { history, logins } = JSON.parse((await kitsync('export')).out);
      const named = (records: { guid: string }[]) =>
        records.map((one) => ({ ...one, id: one.guid }));
      return {
        ...{ world, nowMs: nowMs(), writes },
        quarantined: status.collections.history.quarantined,
        pending: status.collections.history.pending + status.collections.passwords.pending,
        held: { history: named(history), passwords: named(logins) },
      };
    },
  };
};

test.each(STORES)('$name goes on where it was, and its outbox arrives once', async (store) => {
  const device = await onDisk(store, null, 'kept');
  const { held } = store;
  if (held !== null) {
    const before = await device.ended();
    for (const [name, records] of Object.entries(held)) {
      expect(before.held[name]).toEqual(records.map((one) => expect.objectContaining(one)));
    }
  }
  expect(await device.goOn()).toBe(true);
  expect(wrongs(store, await device.ended())).toEqual([]);
});

test.each(STORES)('$name goes on, wherever it is killed', { timeout: 600_000 }, async (store) => {
  const { writes, bootWrites, cuts, complaints } = await sweep(store, onDisk, {
    stride: every(25, 7),
    faults: ['kept'],
  });
  console.log(`${store.name}: ${writes} writes, ${bootWrites} of the step; ${cuts} kills`);
  expect(complaints).toEqual([]);
});
