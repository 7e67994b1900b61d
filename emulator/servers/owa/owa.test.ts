// What the contract of OWA servers leaves to be said of one among other servers.

import { expect, test } from 'vitest';
import { StorageError } from '../../../platform/storage-rules.ts';
import { startOwa } from '../../../test/support/owa-server.ts';
import { memoryBsos } from '../memory-bsos.ts';
import { memoryPlaces } from '../place-storage.ts';
import { memoryStorage } from '../storage/local-storage.ts';
import type { ServerStorage } from '../storage/server-storage.ts';
import { emptyAccount, startWorld } from '../testing.ts';
import { signIn } from './testing.ts';

test('a storage in trouble is an overload, which says how long to stay away', async () => {
  let isBroken = false;
  const memory = memoryStorage();
  const unlessBroken = <T>(work: () => Promise<T>): Promise<T> =>
    isBroken ? Promise.reject(new StorageError('full', 'no room')) : work();
  const owa: ServerStorage = {
    transaction: (lock, work) => unlessBroken(() => memory.transaction(lock, work)),
    read: (lock, work) => unlessBroken(() => memory.read(lock, work)),
    close: () => memory.close(),
  };
  const account = emptyAccount();
  const { store } = account;
  const storage = { bsos: memoryBsos(store), places: memoryPlaces(store), owa };
  const user = await signIn(startWorld({ account, storage }));
  isBroken = true;
  for (const [method, body] of [['GET'], ['POST', '{"a":1}']] as const) {
    const { status, json, headers } = await user.ask(method, body);
    expect([status, json]).toEqual([503, { error: 'overloaded' }]);
    expect([headers.get('x-backoff'), headers.get('retry-after')]).toEqual(['60', '60']);
  }
  isBroken = false;
  expect(await user.document()).toEqual({});
});

test('another client of the user is there for tests of remotes', async () => {
  const { world, verifyUrl, audience, other } = startOwa();
  expect([verifyUrl, audience]).toEqual([`${world.urls.owa}/verify`, 'https://owa.test']);
  const client = await other();
  await client.post({ a: { last_modified: 1 } });
  expect(await (await other()).document()).toEqual({ a: { last_modified: 1 } });
});
