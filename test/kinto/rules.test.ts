// What a real Kinto's settings make of a device: who it is, what it may do, when it has to wait.
// Servers with other settings stand beside the first one, on its database.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { deviceOf, heldBy, NAME } from './devices.ts';
import {
  alike,
  BACKENDS,
  bucketOf,
  fleetOf,
  passOf,
  recordsOf,
  sharedWorld,
  type World,
} from './world.ts';

const DAY_MS = 24 * 3_600_000;

describe.runIf(BACKENDS.includes('PostgreSQL'))('a real Kinto', () => {
  let world: World;
  let issuer: Server;
  /** Access tokens that the issuer knows, and whose they are. */
  const subjects = new Map<string, string>();
  beforeAll(async () => {
    world = sharedWorld(inject('kintos'), 'PostgreSQL');
    issuer = await openIssuer(subjects);
  }, 120_000);
  afterAll(async () => {
    await world?.stop();
    issuer?.close();
  });
  const issuerUrl = (): string => `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
  const day = (fromNow: number): string =>
    new Date(Date.now() + fromNow * DAY_MS).toISOString().slice(0, 10);

  test('knows a user by a name and a password of the policy basicauth', async () => {
    const { url } = await world.beside([
      'multiauth.policies = basicauth',
      'kinto.includes = kinto.plugins.default_bucket',
    ]);
    const user = { url, name: 'basic', password: 'any' };
    const [one, two] = await fleetOf(user, 2);
    await one.agent.put(NAME, { id: 'a', text: 'x' });
    await passOf(one, two);
    expect((await alike([one, two])).size).toBe(1);
    // Another password is another user there, who finds nobody's bucket.
    const other = await deviceOf({ ...user, password: 'another' });
    expect(await other.agent.enable()).toMatchObject({ error: { code: 'readOnly' } });
  });

  test('knows a user by an access token of an OpenID provider, and by a fresh one', async () => {
    const { url } = await world.beside([
      'kinto.includes = kinto.plugins.default_bucket kinto.plugins.openid',
      'multiauth.policies = idp',
      'multiauth.policy.idp.use = kinto.plugins.openid.OpenIDConnectPolicy',
      `multiauth.policy.idp.issuer = ${issuerUrl()}`,
      'multiauth.policy.idp.client_id = kitsync',
      'multiauth.policy.idp.verification_ttl_seconds = 1',
    ]);
    let token = 'first';
    let asked = 0;
    subjects.set('first', 'bob').set('second', 'bob');
    const accessToken = (fresh: boolean): string => {
      if (fresh) asked++;
      return token;
    };
    const [one] = await fleetOf({ url, name: 'bob', password: '' }, 1, { accessToken });
    await one.agent.put(NAME, { id: 'a', text: 'x' });
    await passOf(one);
    subjects.delete('first');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await one.agent.put(NAME, { id: 'b', text: 'x' });
    one.platform.time.set(Date.now());
    expect(await one.agent.sync()).toMatchObject({ error: { code: 'unauthorized' } });
    token = 'second';
    await passOf(one);
    expect(asked).toBeGreaterThan(0);
    const late = await fleetOf({ url, name: 'bob', password: '' }, 1, { accessToken });
    expect((await alike([one, ...late])).size).toBe(2);
  });

  test('that is read-only is read, and what waits here goes up when it is not', async () => {
    const user = await world.newUser();
    const [one] = await fleetOf(user, 1);
    await one.agent.put(NAME, { id: 'a', text: 'x' });
    await passOf(one);
    const { url } = await world.beside(['kinto.readonly = true']);
    const reader = await deviceOf({ ...user, url });
    expect(await reader.agent.enable()).toMatchObject({ ok: true });
    expect((await heldBy(reader)).size).toBe(1);
    const late = await deviceOf({ ...user, url }, { storage: one.storage.fork() });
    await late.agent.put(NAME, { id: 'b', text: 'y' });
    late.platform.time.set(Date.now());
    await late.agent.sync();
    expect(late.agent.status().collections[NAME]).toMatchObject({ readOnly: true, pending: 1 });
    const back = await deviceOf(user, { storage: late.storage.fork() });
    back.platform.time.set(Date.now() + 2 * DAY_MS);
    expect(await back.agent.sync()).toMatchObject({ ok: true });
    expect(back.agent.status().collections[NAME]).toMatchObject({ pending: 0 });
  });

  test('that forbids writing (403) is read, and asks for no other sign-in', async () => {
    const [user, friend] = [await world.newUser(), await world.newAccount()];
    const [one] = await fleetOf(user, 1);
    await one.agent.put(NAME, { id: 'a', text: 'x' });
    await passOf(one);
    const permissions = { read: [`account:${friend.name}`] };
    const answer = await world.asked(user, 'PATCH', bucketOf(user), { permissions });
    expect(answer.status).toBe(200);
    // The same key, and another user who may read.
    const [kB] = [await import('./devices.ts').then(({ keyOf }) => keyOf(user))];
    const reader = await deviceOf(friend, { kB });
    expect(await reader.agent.enable()).toMatchObject({ ok: true });
    expect((await heldBy(reader)).size).toBe(1);
    await reader.agent.put(NAME, { id: 'b', text: 'y' });
    reader.platform.time.set(Date.now());
    await reader.agent.sync();
    const status = reader.agent.status();
    expect(status.collections[NAME]).toMatchObject({ readOnly: true, pending: 1 });
    expect(status.error).not.toMatchObject({ code: 'unauthorized' });
  });

  test('that asks its clients to stay away is not asked until then', async () => {
    const user = await world.newUser();
    const { url } = await world.beside(['kinto.backoff = 600']);
    const device = await deviceOf({ ...user, url });
    await device.agent.enable();
    expect(await device.agent.sync()).toMatchObject({ error: { code: 'backoff' } });
    const { notBeforeMs } = device.agent.status();
    expect(Number(notBeforeMs) - device.platform.time.nowMs()).toBeGreaterThan(500_000);
    // Every answer of this server asks for the same pause: a pass gets one piece of work done.
    await device.agent.put(NAME, { id: 'a', text: 'x' });
    for (let n = 1; n < 4; n++) {
      device.platform.time.set(Date.now() + n * 1_000_000);
      await device.agent.sync();
    }
    expect(device.agent.status().collections[NAME]).toMatchObject({ pending: 0 });
    expect((await world.asked(user, 'GET', recordsOf(user))).json?.data).toHaveLength(2);
  });

  test('that will end says so, and one that has ended is not asked again', async () => {
    const user = await world.newUser();
    const told = ['kinto.eos_message = this one ends', 'kinto.eos_url = http://127.0.0.1/'];
    const soft = await world.beside([`kinto.eos = ${day(30)}`, ...told]);
    const device = await deviceOf({ ...user, url: soft.url });
    expect(await device.agent.enable()).toMatchObject({ ok: true });
    expect(JSON.stringify(device.agent.status().alert)).toContain('this one ends');
    await device.agent.put(NAME, { id: 'a', text: 'kept' });
    const hard = await world.beside([`kinto.eos = ${day(-1)}`, ...told]);
    const late = await deviceOf({ ...user, url: hard.url }, { storage: device.storage.fork() });
    late.platform.time.set(Date.now());
    expect(await late.agent.sync()).toMatchObject({ error: { code: 'serviceGone' } });
    expect((await heldBy(late)).size).toBe(1);
    expect(late.agent.status().collections[NAME]).toMatchObject({ pending: 1 });
  });

  test('whose database fails for a moment is asked again after its Retry-After', async () => {
    const user = await world.newUser();
    const [one] = await fleetOf(user, 1);
    await one.agent.put(NAME, { id: 'a', text: 'x' });
    await world.sql('ALTER TABLE objects RENAME TO away');
    one.platform.time.set(Date.now());
    expect(await one.agent.sync()).toMatchObject({ error: { code: 'unavailable' } });
    expect(one.agent.status().notBeforeMs).toBeGreaterThan(one.platform.time.nowMs());
    await world.sql('ALTER TABLE away RENAME TO objects');
    one.platform.time.set(Date.now() + 60_000);
    expect(await one.agent.sync()).toMatchObject({ ok: true });
    const { json } = await world.asked(user, 'GET', recordsOf(user));
    expect(json?.data).toHaveLength(2);
  });
});

/** As much of an OpenID provider as Kinto asks: who a token is of. */
async function openIssuer(subjects: ReadonlyMap<string, string>): Promise<Server> {
  const server = createServer((request, response) => {
    const { host, authorization = '' } = request.headers;
    const url = `http://${host}`;
    const sub = subjects.get(authorization.replace('Bearer ', ''));
    const isConfig = request.url === '/.well-known/openid-configuration';
    const config = {
      ...{ issuer: url, userinfo_endpoint: `${url}/userinfo`, jwks_uri: `${url}/keys` },
      ...{ authorization_endpoint: `${url}/authorize`, token_endpoint: `${url}/token` },
    };
    response.writeHead(isConfig || sub ? 200 : 401, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(isConfig ? config : { sub }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
