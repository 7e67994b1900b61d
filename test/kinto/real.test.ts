// The agent on a real Kinto, first on its memory, then on a PostgreSQL with two processes: both
// ways, with conflicts, deletions, a flush, a bucket that was made anew, writers who race, and a
// process that is killed meanwhile.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kintoKeys } from '../../agent/remotes/kinto/keys.ts';
import { parseObject } from '../../emulator/servers/http.ts';
import { type RealKinto, startKinto } from '../support/kinto.ts';
import { findPostgres, type Postgres, startPostgres } from '../support/postgres.ts';
import { type Device, deviceOf, heldBy, type KintoUser, keyOf, NAME, settled } from './devices.ts';
import { meetWithKintoJs } from './page-story.ts';

/** Acknowledged writes of four agents: 10,000 with `KITSYNC_KINTO=whole`. */
const WRITES = process.env.KITSYNC_KINTO === 'whole' ? 10_000 : 1_200;
const WRITERS = 4;

const postgres = findPostgres();
const BACKENDS = ['memory', ...(postgres === null ? [] : ['PostgreSQL'])];

describe.each(BACKENDS)('a real Kinto on %s', (backend) => {
  let cluster: Postgres | null = null;
  let server: RealKinto;
  let users = 0;

  beforeAll(async () => {
    if (backend !== 'memory' && postgres !== null) cluster = await startPostgres(postgres);
    const database = (await cluster?.newUrl())?.replace('postgres:', 'postgresql:') ?? null;
    server = await startKinto({ database, workers: 2 });
  }, 120_000);
  afterAll(async () => {
    await server?.stop();
    await cluster?.stop();
  });

  const newUser = async (): Promise<KintoUser> => {
    const { url } = server;
    return { url, ...(await server.newUser(`user${users++}`)) };
  };
  const asked = async (user: KintoUser, method: string, path: string, body?: object) => {
    const basic = Buffer.from(`${user.name}:${user.password}`).toString('base64');
    const response = await fetch(`${server.url}/v1${path}`, {
      method,
      headers: { Authorization: `Basic ${basic}`, 'Content-Type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, json: parseObject(await response.text()) };
  };
  const bucketOf = (user: KintoUser): string => `/buckets/${kintoKeys({ kB: keyOf(user) }).bucket}`;
  const pair = async (user: KintoUser): Promise<[Device, Device]> => {
    const [one, two] = [await deviceOf(user), await deviceOf(user)];
    for (const { agent } of [one, two]) expect(await agent.enable()).toMatchObject({ ok: true });
    return [one, two];
  };
  const alike = async (devices: readonly Device[]): Promise<Map<string, string>> => {
    const [first = new Map<string, string>(), ...others] = await Promise.all(devices.map(heldBy));
    for (const held of others) expect(held).toEqual(first);
    return first;
  };

  test('brings records of any id both ways, with conflicts and deletions', async () => {
    const [one, two] = await pair(await newUser());
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
    const [one] = await pair(await newUser());
    await one.agent.put(NAME, { text: 'one' });
    await settled([one]);
    expect(await one.agent.sync()).toMatchObject({ ok: true, requests: 1 });
  });

  test('a bucket that was deleted gets everything again, and nothing is doubled', async () => {
    const user = await newUser();
    const [one, two] = await pair(user);
    for (let n = 0; n < 30; n++) await one.agent.put(NAME, { id: `r${n}`, text: `${n}` });
    await settled([one, two]);
    expect(await asked(user, 'DELETE', bucketOf(user))).toMatchObject({ status: 200 });
    await settled([one, two]);
    expect((await alike([one, two])).size).toBe(30);
    const { json } = await asked(user, 'GET', `${bucketOf(user)}/collections/${NAME}/records`);
    // With the epoch.
    expect(json?.data).toHaveLength(31);
  });

  test('deletions that another program makes on the server delete nothing here', async () => {
    const user = await newUser();
    const [one, two] = await pair(user);
    for (let n = 0; n < 10; n++) await one.agent.put(NAME, { id: `r${n}`, text: `${n}` });
    await settled([one, two]);
    const path = `${bucketOf(user)}/collections/${NAME}/records`;
    expect(await asked(user, 'DELETE', path)).toMatchObject({ status: 200 });
    await settled([one, two]);
    expect((await alike([one, two])).size).toBe(10);
    expect((await asked(user, 'GET', path)).json?.data).toHaveLength(11);
  });

  test('a new device has everything, with the user key and the password alone', async () => {
    const user = await newUser();
    const [one] = await pair(user);
    for (let n = 0; n < 25; n++) await one.agent.put(NAME, { id: `r${n}`, text: `${n}` });
    await settled([one]);
    const late = await deviceOf(user);
    expect(await late.agent.enable()).toMatchObject({ ok: true });
    expect((await alike([one, late])).size).toBe(25);
  });

  test('kinto.js with the program of docs/kinto-encryption.md is one of them', async () => {
    const user = await newUser();
    const ask = async (method: string, path: string) =>
      (await asked(user, method, path)).json?.data;
    await meetWithKintoJs(user, ask);
  });

  test('a wrong password is a sign-in that is refused, and loses nothing', async () => {
    const user = await newUser();
    const device = await deviceOf({ ...user, password: 'wrong' });
    const report = await device.agent.enable();
    expect(report).toMatchObject({ ok: false, error: { code: 'unauthorized' } });
  });

  test(`keeps all of ${WRITES} acknowledged writes of ${WRITERS} agents at once`, async () => {
    const user = await newUser();
    const devices = [...(await pair(user)), ...(await pair(user))];
    const share = WRITES / WRITERS;
    let left = WRITERS;
    const killing = setInterval(() => void (backend === 'memory' || server.killWorker()), 20_000);
    await Promise.all(
      devices.map(async ({ agent, platform }, who) => {
        for (let n = 0; n < share; n++) {
          await agent.put(NAME, { id: `${who}-${n}`, text: `${n}` });
          if (n % 50 < 49) continue;
          platform.time.set(Date.now());
          await agent.sync();
        }
        if (--left === WRITERS - 1) server.killWorker();
      }),
    );
    clearInterval(killing);
    await settled(devices);
    expect((await alike(devices)).size).toBe(WRITES);
    const { json } = await asked(user, 'GET', `${bucketOf(user)}/collections/${NAME}/records`);
    expect(json?.data).toHaveLength(WRITES + 1);
    console.log(
      `${backend}: ${WRITES} of ${WRITES} writes are on the server and on ${WRITERS} agents`,
    );
  }, 900_000);
});
