// The suites of every storage and of kept records, on PostgreSQL.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPostgresStorage } from '../../emulator/servers/storage/postgres-storage.ts';
import { bsoStorageContract } from '../contract/bso-storage.ts';
import { serverStorageContract } from '../contract/server-storage.ts';
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
