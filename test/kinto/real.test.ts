// The agent on a real Kinto, first on its memory, then on a PostgreSQL with two processes: both
// ways, with conflicts, deletions, a flush, a bucket that was made anew, writers who race, and a
// process that is killed meanwhile.

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { deviceOf, NAME, settled } from './devices.ts';
import { meetWithKintoJs } from './page-story.ts';
import { alike, BACKENDS, bucketOf, fleetOf, recordsOf, sharedWorld, type World } from './world.ts';

/** Acknowledged writes of four agents: 10,000 with `KITSYNC_KINTO=whole`. */
const WRITES = process.env.KITSYNC_KINTO === 'whole' ? 10_000 : 1_200;
const WRITERS = 4;

describe.each(BACKENDS)('a real Kinto on %s', (backend) => {
  let world: World;
  beforeAll(() => {
    world = sharedWorld(inject('kintos'), backend);
  });
  afterAll(() => world?.stop());

  test('brings records of any id both ways, with conflicts and deletions', async () => {
    const [one, two] = await fleetOf(await world.newUser(), 2);
    const id = (n: number) => `https://app.example/${n}?é`;
    for (let n = 0; n < 60; n++) await one.agent.put(NAME, { id: id(n), text: `one ${n}` });
    await settled([one, two]);
    expect((await alike([one, two])).size).toBe(60);
    await one.agent.put(NAME, { id: id(1), text: 'changed by one' });
    await two.agent.put(NAME, { id: id(1), more: 'of two' });
    await two.agent.delete(NAME, id(2));
    await settled([one, two]);
    const held = await alike([one, two]);
    expect(held.size).toBe(59);
    expect(held.has(id(2))).toBe(false);
    expect(JSON.parse(held.get(id(1)) ?? '')).toHaveProperty('text', 'changed by one');
  });

  test('an idle pass is one request', async () => {
    const [one] = await fleetOf(await world.newUser(), 2);
    await one.agent.put(NAME, { text: 'one' });
    await settled([one]);
    expect(await one.agent.sync()).toMatchObject({ ok: true, requests: 1 });
  });

  test('a bucket that was deleted gets everything again, and nothing is doubled', async () => {
    const user = await world.newUser();
    const [one, two] = await fleetOf(user, 2);
    for (let n = 0; n < 30; n++) await one.agent.put(NAME, { id: `r${n}`, text: `${n}` });
    await settled([one, two]);
    expect(await world.asked(user, 'DELETE', bucketOf(user))).toMatchObject({ status: 200 });
    await settled([one, two]);
    expect((await alike([one, two])).size).toBe(30);
    const { json } = await world.asked(user, 'GET', recordsOf(user));
    // With the epoch.
    expect(json?.data).toHaveLength(31);
  });

  test('deletions that another program makes on the server delete nothing here', async () => {
    const user = await world.newUser();
    const [one, two] = await fleetOf(user, 2);
    for (let n = 0; n < 10; n++) await one.agent.put(NAME, { id: `r${n}`, text: `${n}` });
    await settled([one, two]);
    const path = recordsOf(user);
    expect(await world.asked(user, 'DELETE', path)).toMatchObject({ status: 200 });
    await settled([one, two]);
    expect((await alike([one, two])).size).toBe(10);
    expect((await world.asked(user, 'GET', path)).json?.data).toHaveLength(11);
  });

  test('a new device has everything, with the user key and the password alone', async () => {
    const user = await world.newUser();
    const [one] = await fleetOf(user, 2);
    for (let n = 0; n < 25; n++) await one.agent.put(NAME, { id: `r${n}`, text: `${n}` });
    await settled([one]);
    const late = await deviceOf(user);
    expect(await late.agent.enable()).toMatchObject({ ok: true });
    expect((await alike([one, late])).size).toBe(25);
  });

  test('kinto.js with the program of docs/kinto-encryption.md is one of them', async () => {
    const user = await world.newUser();
    const ask = async (method: string, path: string) =>
      (await world.asked(user, method, path)).json?.data;
    await meetWithKintoJs(user, ask);
  });

  test('a wrong password is a sign-in that is refused, and loses nothing', async () => {
    const user = await world.newUser();
    const device = await deviceOf({ ...user, password: 'wrong' });
    const report = await device.agent.enable();
    expect(report).toMatchObject({ ok: false, error: { code: 'unauthorized' } });
  });

  test(`keeps all of ${WRITES} acknowledged writes of ${WRITERS} agents at once`, async () => {
    const user = await world.newUser();
    let races = 0;
    const send = async (request: Request): Promise<Response> => {
      const response = await fetch(request);
      const text = await response.clone().text();
      races += text.match(/"status": ?409,/g)?.length ?? 0;
      return response;
    };
    const devices = await fleetOf(user, WRITERS, { send });
    // But for the epoch. A listing has at most 10,000 records in its one page.
    const stored = async (): Promise<number> => {
      const { headers } = await world.asked(user, 'HEAD', recordsOf(user));
      return Number(headers.get('total-objects')) - 1;
    };
    const share = WRITES / WRITERS;
    let left = WRITERS;
    const killing = setInterval(() => world.server.killWorker(), 20_000);
    await Promise.all(
      devices.map(async ({ agent, platform }, who) => {
        for (let n = 0; n < share; n++) {
          await agent.put(NAME, { id: `${who}-${n}`, text: `${n}` });
          if (n % 50 < 49) continue;
          platform.time.set(Date.now());
          await agent.sync();
        }
        if (--left === WRITERS - 1) world.server.killWorker();
      }),
    );
    clearInterval(killing);
    // What an agent does not call pending was acknowledged: it is there before anybody mends it.
    const pending = devices.map(({ agent }) => agent.status().collections[NAME]?.pending ?? 0);
    const unsent = pending.reduce((sum, one) => sum + one, 0);
    expect(await stored()).toBeGreaterThanOrEqual(WRITES - unsent);
    await settled(devices);
    expect((await alike(devices)).size).toBe(WRITES);
    expect(await stored()).toBe(WRITES);
    console.log(
      `${backend}: ${WRITES} of ${WRITES} writes are on the server and on ${WRITERS} agents, ` +
        `${unsent} of them later than the others; ${races} writes met another (409)`,
    );
  }, 900_000);
});
