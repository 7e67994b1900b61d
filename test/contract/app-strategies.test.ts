// What a device may say of conflicts of web apps, on every protocol that has them: nothing but what
// all devices do. Of two versions the later one counts, by its own time, and a strategy by which
// one device would do otherwise is refused by name, before anything is asked.

import { describe, expect, it } from 'vitest';
import { owa, type Strategy, strategies } from '../../agent/index.ts';
import { AppsUser, type Serving } from '../support/installed-apps.ts';
import { kintoService } from '../support/kinto-service.ts';
import { startOwa } from '../support/owa-server.ts';
import { piclService } from '../support/picl-service.ts';
import { syncService } from '../support/sync-service.ts';

const A = 'https://a.example';
const MINUTE_MS = 60_000;

function owaServing(): Serving {
  const { world, verifyUrl, audience } = startOwa();
  const { clock, device: identity, fetch } = world;
  const remote = { protocol: 'owa', serverUrl: verifyUrl, audience, auth: 'browserid' as const };
  const contents = { drivers: [owa], collections: [] };
  return { clock, identity, fetch, collection: 'apps', config: { remote }, contents };
}

function userWith(service: Serving, strategy: Strategy) {
  const { collection } = service;
  const config = { ...service.config, strategies: { [collection]: strategy } };
  return new AppsUser({ ...service, config, contents: { ...service.contents, strategies } });
}

describe.each<[string, () => Serving]>([
  ['Open Web Apps', owaServing],
  ['Sync 1.5', () => syncService('sync15')],
  ['Syncto', () => syncService('syncto')],
  ['Kinto', kintoService],
  ['PiCL', () => piclService()],
])('strategies for web apps: %s', (_, start) => {
  it.each(['remoteWins', 'localWins', 'manual'] as const)('%s is refused by name', async (word) => {
    const service = start();
    let asked = 0;
    const fetch: Serving['fetch'] = (request) => {
      asked++;
      return service.fetch(request);
    };
    const user = userWith({ ...service, fetch }, word);
    await expect(user.device()).rejects.toThrow(`${service.collection}: never ${word}`);
    expect(asked).toBe(0);
  });

  it.each([true, false])('merge is what all do: ours is the later one: %s', async (isOurs) => {
    const user = userWith(start(), 'merge');
    const [ours, theirs] = [await user.device(), await user.device()];
    await user.put(ours, A, { manifest: { name: 'first' } });
    await user.sync(ours, theirs);
    const edits = [
      () => user.put(ours, A, { manifest: { name: 'ours' } }),
      () => user.put(theirs, A, { manifest: { name: 'theirs' } }),
    ];
    for (const edit of isOurs ? edits.reverse() : edits) {
      await edit();
      user.pass(MINUTE_MS);
    }
    await user.sync(theirs, ours, theirs);
    const name = isOurs ? 'ours' : 'theirs';
    for (const device of [ours, theirs]) {
      expect(await user.get(device, A)).toMatchObject({ manifest: { name } });
      expect(await device.agent.conflicts?.(user.service.collection, { limit: 9 })).toEqual({
        conflicts: [],
        next: null,
      });
    }
  });
});
