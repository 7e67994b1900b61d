import { expect, test } from 'vitest';
import { owaSide } from './owa-side.ts';
import { changedBetween, recordsOf } from './server-records.ts';
import { signIn } from './servers/owa/testing.ts';
import { syntheticAccount } from './servers/synthetic.ts';
import { startWorld } from './servers/testing.ts';

const account = () =>
  syntheticAccount({ records: 0, passwords: 0, seed: 1, own: new Map([['apps', 3]]) });

function side() {
  const world = startWorld({ owa: {} });
  const one = owaSide({
    ...{ url: `${world.urls.owa}/verify`, account: account(), isInside: true },
    fetch: world.fetch,
    assertion: (audience) => world.device.assertion(audience, false),
    nowMs: () => world.clock.nowMs,
  });
  return { world, one };
}

test('what the account has is on the server before anybody asks', async () => {
  const { one } = side();
  expect([...(await one.document()).keys()].sort()).toEqual(
    [0, 1, 2].map((n) => `https://app${n}.example`),
  );
});

test('what is on the server already stays as it is', async () => {
  const { world, one } = side();
  const user = await signIn(world);
  await user.post({ 'https://a.example': { last_modified: 1, deleted: true } });
  expect([...(await one.document()).keys()]).toEqual(['https://a.example']);
});

test('live apps are seen as records, and what was deleted is not', async () => {
  const { world, one } = side();
  await one.document();
  const user = await signIn(world);
  await user.post({
    'https://app1.example': { last_modified: world.clock.nowMs / 1_000, deleted: true },
  });
  const seen = [...recordsOf(await one.view(), 'apps', world.clock.nowMs)];
  expect(seen.map(({ id }) => id).sort()).toEqual([0, 2].map((n) => `https://app${n}.example`));
  expect(seen[0]?.body).toMatchObject({ manifest: { name: expect.any(String) } });
});

test('an app that nobody has changed is the same whenever it is looked at', async () => {
  const { world, one } = side();
  const before = await one.view();
  world.clock.nowMs += 60_000;
  const changed = async () =>
    changedBetween(before, await one.view(), ['apps'], world.clock.nowMs).ids;
  expect([...(await changed())]).toEqual([]);
  const app = { last_modified: world.clock.nowMs / 1_000, manifest: { name: 'other' } };
  await (await signIn(world)).post({ 'https://app1.example': app });
  expect([...(await changed())]).toEqual(['https://app1.example']);
});
