// The suites of every storage and of kept records, on PostgreSQL.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSqliteStorage } from '../../emulator/servers/storage/local-storage.ts';
import { openPostgresStorage } from '../../emulator/servers/storage/postgres-storage.ts';
import { accountsContract } from '../contract/accounts.ts';
import { bsoStorageContract } from '../contract/bso-storage.ts';
import { serverStorageContract } from '../contract/server-storage.ts';
import { checkOldUsers, oldFolder, servedAt } from '../support/old-accounts.ts';
import { findPostgres, type Postgres, startPostgres } from '../support/postgres.ts';

const bin = findPostgres();
let postgres: Postgres;
let url = '';

describe.skipIf(bin === null)('with PostgreSQL', () => {
  beforeAll(async () => {
    postgres = await startPostgres(bin ?? '', ['fsync=off']);
    url = await postgres.newUrl();
  });
  afterAll(() => postgres?.stop());

  serverStorageContract('PostgreSQL', () => openPostgresStorage(url));
  bsoStorageContract('records on PostgreSQL', async () =>
    openPostgresStorage(await postgres.newUrl()),
  );

  accountsContract('accounts on PostgreSQL', async () =>
    openPostgresStorage(await postgres.newUrl()),
  );

  test('a database of an older version opens, and its users sign in', async () => {
    const place = await postgres.newUrl();
    const [from, to] = [await openSqliteStorage(oldFolder()), await openPostgresStorage(place)];
    await to.transaction('copy', async (tx) => {
      const all = { from: '!', to: '~', limit: 1_000 };
      for (const [key, value] of await from.read('copy', (reader) => reader.scan(all)))
        tx.put(key, value);
    });
    await Promise.all([from.close(), to.close()]);
    const servers = await Promise.all([1, 2].map(() => servedAt(place)));
    for (const { ask } of servers) await checkOldUsers(ask);
    for (const { close } of servers) await close();
  });

  test('what its connections lose is not there, and the next one is answered', async () => {
    const place = await postgres.newUrl();
    const [storage, other] = [await openPostgresStorage(place), await openPostgresStorage(place)];
    const endAll = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'kitsync' AND datname = current_database()`;
    const broken = storage.transaction('a', async (tx) => {
      tx.put('lost', '1');
      await postgres.tell(place, endAll);
      await tx.get(['lost', 'other']);
    });
    await expect(broken).rejects.toMatchObject({ name: 'StorageError', code: 'failed' });
    for (const one of [storage, other]) {
      await one.transaction('a', async (tx) => tx.put('kept', '1'));
      expect(await one.read('a', (tx) => tx.get(['lost', 'kept']))).toEqual([null, '1']);
      await one.close();
    }
  });

  test('processes that open an empty database at once share it', async () => {
    const place = await postgres.newUrl();
    const open = await Promise.all([1, 2, 3].map(() => openPostgresStorage(place)));
    await Promise.all(
      open.flatMap((storage) =>
        Array.from({ length: 20 }, () =>
          storage.transaction('count', async (tx) => {
            const [count] = await tx.get(['n']);
            tx.put('n', `${Number(count ?? 0) + 1}`);
          }),
        ),
      ),
    );
    const counts = await Promise.all(open.map((one) => one.read('count', (tx) => tx.get(['n']))));
    expect(counts).toEqual([['60'], ['60'], ['60']]);
    await Promise.all(open.map((one) => one.close()));
  });
});
