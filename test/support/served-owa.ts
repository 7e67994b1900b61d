// An OWA server on a loopback port, over a storage that others use too, and its user over the
// network. Each has a part of the storage of its own.

import { afterAll } from 'vitest';
import { accountClient } from '../../emulator/servers/account-client.ts';
import { memoryBsos } from '../../emulator/servers/memory-bsos.ts';
import { memoryPlaces } from '../../emulator/servers/place-storage.ts';
import { type Serving, serveOnLoopback } from '../../emulator/servers/serve.ts';
import type { ServerStorage } from '../../emulator/servers/storage/server-storage.ts';
import { emptyAccount, TEST_NOW_MS } from '../../emulator/servers/testing.ts';
import type { StartOwa } from '../contract/owa-asking.ts';
import { prefixed } from '../servers/worlds.ts';

export function servedOwa(whole: ServerStorage): StartOwa {
  let parts = 0;
  const servings: Serving[] = [];
  afterAll(() => Promise.all(servings.map((serving) => serving.close())));
  return async (owa) => {
    const storage = prefixed(whole, `s${++parts}/`);
    const account = emptyAccount();
    const { store } = account;
    const clock = { nowMs: TEST_NOW_MS };
    const nowMs = () => clock.nowMs;
    const kept = { bsos: memoryBsos(store), places: memoryPlaces(store), owa: storage };
    const serving = await serveOnLoopback({ port: 0, account, storage: kept, owa, nowMs });
    servings.push(serving);
    const { urls, account: credentials } = serving.world;
    const send = (request: Request) => fetch(request);
    const device = accountClient({ fetch: send, baseUrl: urls.accounts, credentials, nowMs });
    return { fetch: send, urls, device, clock };
  };
}
