// Deletions that are a year old, on devices before a server that forgets them.

import { expect, test } from 'vitest';
import { AppsUser, type Serving } from '../../../test/support/installed-apps.ts';
import { startOwa } from '../../../test/support/owa-server.ts';
import { owa } from '../../index.ts';

const DAY_MS = 86_400_000;
const idOf = (n: number): string => `https://app${n}.test`;
const app = (n: number) => ({ manifest: { name: `app ${n}` } });

/** A user with two devices that have two apps, before a server that keeps no old deletion. */
async function begin() {
  const { world, verifyUrl, audience, other } = startOwa({ tombstonesMax: 0 });
  const remote = { protocol: 'owa', serverUrl: verifyUrl, audience, auth: 'bearer' as const };
  const user = new AppsUser<Serving>({
    ...{ clock: world.clock, identity: world.device, collection: 'apps' },
    config: { remote },
    contents: { drivers: [owa], collections: [] },
    fetch: (request) => world.fetch(request),
  });
  const one = await user.device();
  const away = await user.device();
  await user.put(one, idOf(1), app(1));
  await user.put(one, idOf(2), app(2));
  await user.sync(one, away);
  await user.delete(one, idOf(1));
  await user.sync(one);
  const names = async () => Object.keys(await (await other()).document()).sort();
  const year = async () => {
    user.pass(364 * DAY_MS);
    await user.sync(one);
    user.pass(2 * DAY_MS);
  };
  return { user, one, away, names, year };
}

test('O61: a deletion goes with the next change after its year, whoever sends it', async () => {
  const { user, one, names, year } = await begin();
  expect(await names()).toEqual([1, 2].map(idOf));
  await year();
  expect(await names()).toEqual([1, 2].map(idOf));
  for (const n of [3, 4]) {
    await user.put(one, idOf(n), app(n));
    await user.sync(one, one);
    expect(await names()).not.toContain(idOf(1));
  }
  expect(await user.get(one, idOf(1))).toBeNull();
});

test('who was away for longer keeps an app for itself, and brings it to nobody', async () => {
  const { user, one, away, names, year } = await begin();
  await year();
  await user.put(one, idOf(3), app(3));
  await user.sync(one);
  await user.put(away, idOf(4), app(4));
  await user.sync(away, one, away, one);
  expect(await names()).toEqual([2, 3, 4].map(idOf));
  expect(await user.get(one, idOf(1))).toBeNull();
  expect(await user.get(away, idOf(1))).toMatchObject(app(1));
});
