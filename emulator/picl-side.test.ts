// The PiCL storage of the emulator with its user: what an account has is there as the user's
// devices would have put it, and what is there is read back as such an account, whoever wrote it.

import { describe, expect, test } from 'vitest';
import { piclSide } from './picl-side.ts';
import { changedBetween, serverBodies } from './server-records.ts';
import { otherClient } from './servers/picl/other-client.ts';
import { syntheticAccount } from './servers/synthetic.ts';
import { startWorld } from './servers/testing.ts';

const own = new Map([['contacts', 120]]);
const account = syntheticAccount({ records: 3, passwords: 0, seed: 1, own });

function side() {
  const world = startWorld({ account, picl: { collections: ['contacts', 'history'] } });
  const made = piclSide({
    ...{ url: world.urls.picl, collections: ['contacts', 'history'], account, isNew: true },
    fetch: world.fetch,
    accessToken: async () => (await world.device.accessToken(false)).token,
    nowMs: () => world.clock.nowMs,
  });
  return { made, world };
}

describe('a PiCL storage and its user', () => {
  test('what the account has is there, once, before anybody else is answered', async () => {
    const { made, world } = side();
    for (let n = 0; n < 2; n++) {
      expect(await made.fetch(new Request(world.urls.picl))).toMatchObject({ status: 405 });
    }
    const view = await made.view();
    for (const name of ['contacts', 'history']) {
      const byId = (of: typeof account) =>
        serverBodies(of, name, world.clock.nowMs).sort((one, other) =>
          `${one.id}` < `${other.id}` ? -1 : 1,
        );
      expect(byId(view)).toEqual(byId(account));
      expect(byId(view).length).toBeGreaterThan(2);
    }
  });

  test('a record that nobody has changed is the same whenever it is looked at', async () => {
    const { made, world } = side();
    await made.fetch(new Request(world.urls.picl));
    const before = await made.view();
    world.clock.nowMs += 60_000;
    const names = ['contacts', 'history'];
    expect(changedBetween(before, await made.view(), names, world.clock.nowMs).ids.size).toBe(0);
  });

  test('a device calls a record that it sets aside by its key', () => {
    const key = otherClient(account.kB, 'contacts').wireId('x');
    expect(side().made.wireId('contacts', 'x')).toBe(key);
  });

  test('a storage that refuses its user is told as that', async () => {
    const { made } = side();
    const { url } = made;
    const refused = piclSide({
      ...{ url, collections: ['contacts'], account, isNew: true },
      fetch: async () => new Response('{}', { status: 503 }),
      accessToken: async () => 'x',
      nowMs: () => 0,
    });
    await expect(refused.fetch(new Request(url))).rejects.toThrow('the storage answered 503');
  });
});
