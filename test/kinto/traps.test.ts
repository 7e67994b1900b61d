// What a real Kinto was seen to lose on PostgreSQL, with several writers: none of it is lost by
// agents on sealed collections.

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { PassReport } from '../../agent/index.ts';
import { otherClient } from '../../emulator/servers/kinto/other-client.ts';
import {
  type Device,
  deviceOf,
  eventsOf,
  heldBy,
  type KintoUser,
  keyOf,
  NAME,
  settled,
} from './devices.ts';
import {
  alike,
  BACKENDS,
  fleetOf,
  passOf,
  recordsOf,
  sharedWorld,
  troubled,
  until,
  type World,
} from './world.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ROUNDS_MAX = 100;
const isThere = BACKENDS.includes('PostgreSQL');

describe.runIf(isThere)('a real Kinto on PostgreSQL', () => {
  let world: World;
  let trouble: Awaited<ReturnType<typeof troubled>>;
  beforeAll(async () => {
    world = sharedWorld(inject('kintos'), 'PostgreSQL');
    trouble = await troubled(world);
  }, 120_000);
  afterAll(() => world?.stop());

  const keysOf = (user: KintoUser) => otherClient(keyOf(user), NAME);
  const listed = async (user: KintoUser, query = ''): Promise<Map<string, number>> => {
    const { json } = await world.asked(user, 'GET', recordsOf(user) + query);
    const data = json?.data as { id: string; last_modified: number }[];
    return new Map(data.map(({ id, last_modified }) => [id, last_modified]));
  };
  const put = async (device: Device, from: number, to: number): Promise<void> => {
    for (let n = from; n < to; n++) await device.agent.put(NAME, { id: `r${n}`, text: `${n}` });
  };
  /** Another client's write, with members that Kinto knows. */
  const putRaw = (user: KintoUser, id: string, data: object) =>
    world.asked(user, 'PUT', `${recordsOf(user)}/${keysOf(user).wireId(id)}`, { data });
  const sealed = (user: KintoUser, id: string) => ({
    payload: keysOf(user).sealed(id, { id, text: 'theirs' }),
  });
  /** Records that the device has taken of others. */
  const pulledBy = (device: Device): number =>
    eventsOf(device, 'pass')
      .map((event) => (event as { report?: PassReport }).report?.collections[NAME]?.pulled ?? 0)
      .reduce((sum, count) => sum + count, 0);
  const tagOf = async (user: KintoUser): Promise<number> => {
    const { headers } = await world.asked(user, 'HEAD', recordsOf(user));
    return Number(headers.get('etag')?.replace(/"/g, ''));
  };

  test('of two writers at once under one stamp, both are told that they have written', async () => {
    const user = await world.newUser();
    const [device] = await fleetOf(user, 1, {});
    if (device !== undefined) await put(device, 0, 1);
    await device?.agent.sync();
    const path = `${recordsOf(user)}/${keysOf(user).wireId('r0')}`;
    let losses = 0;
    for (let round = 0; round < ROUNDS_MAX && losses === 0; round++) {
      const tag = (await world.asked(user, 'GET', path)).headers.get('etag') ?? '';
      const both = await Promise.all(
        [1, 2].map(() =>
          world.asked(user, 'PUT', path, { data: sealed(user, 'r0') }, { 'If-Match': tag }),
        ),
      );
      if (both.every(({ status }) => status === 200)) losses++;
    }
    // It is why who replaces a record waits for a turn: races.test.ts.
    expect(losses).toBe(1);
  });

  test('1: what a batch acknowledges before a race is gone, and goes up again', async () => {
    const user = await world.newUser();
    const answers: number[][] = [];
    const left: number[] = [];
    const send = async (request: Request): Promise<Response> => {
      const response = await fetch(request);
      const { responses = [] } = JSON.parse((await response.clone().text()) || '{}');
      const statuses = responses.map(({ status }: { status: number }) => status);
      if (statuses.includes(409)) {
        answers.push(statuses);
        left.push((await listed(user)).size);
      }
      return response;
    };
    const [one, two] = await fleetOf(user, 2, { send });
    await put(two, 100, 101);
    await passOf(two);
    await put(one, 0, 20);
    // Records go up by their ids on the server, which are others for each user: the first has none
    // before it.
    const ids = Array.from({ length: 20 }, (_, n) => keysOf(user).wireId(`r${n}`)).sort();
    await trouble.give(ids[10] ?? '', 'race');
    await passOf(one);
    const [statuses = []] = answers;
    const at = statuses.indexOf(409);
    expect(statuses.filter((status) => status === 201)).toHaveLength(19);
    expect(at).toBeGreaterThan(0);
    // The epoch, the other's, and what came behind the race.
    expect(left[0]).toBe(2 + 19 - at);
    expect((await listed(user)).size).toBe(22);
    await passOf(two);
    expect((await alike([one, two])).size).toBe(21);
  });

  test('2: what is committed behind a stamp that was passed is found', async () => {
    const user = await world.newUser();
    const [slow, fast, reader] = await fleetOf(user, 3);
    await put(slow, 0, 3);
    await passOf(slow, fast, reader);
    await trouble.give(keysOf(user).wireId('r3'), 'slow');
    await put(slow, 3, 4);
    const going = passOf(slow);
    await until(trouble.isSlow);
    await put(fast, 4, 5);
    await passOf(fast);
    await passOf(reader);
    expect([...(await heldBy(reader)).keys()]).toEqual(['r0', 'r1', 'r2', 'r4']);
    await going;
    const stamps = await listed(user);
    const [late = 0, passed = 0] = ['r3', 'r4'].map((id) => stamps.get(keysOf(user).wireId(id)));
    expect(late).toBeLessThan(passed);
    await passOf(reader, fast);
    expect((await alike([slow, fast, reader])).size).toBe(5);
    // Each is taken once, though listings show it again and again.
    await passOf(reader, reader);
    expect(pulledBy(reader)).toBe(5);
  });

  test('2: an older version that a listing shows takes no younger one’s place', async () => {
    const user = await world.newUser();
    const [one, two] = await fleetOf(user, 2);
    await put(one, 0, 3);
    await passOf(one, two);
    const path = `${recordsOf(user)}/${keysOf(user).wireId('r0')}`;
    const old = (await world.asked(user, 'GET', path)).json?.data as { last_modified: number };
    await one.agent.put(NAME, { id: 'r0', text: 'younger' });
    await passOf(one, two);
    // A backup has it as it was, and others have written since.
    await world.asked(user, 'DELETE', path);
    await world.server.command('purge-deleted', 'record', '0');
    expect(await world.asked(user, 'PUT', path, { data: old })).toMatchObject({ status: 201 });
    expect((await listed(user)).get(keysOf(user).wireId('r0'))).toBe(old.last_modified);
    await putRaw(user, 'r9', sealed(user, 'r9'));
    await passOf(one, two, one);
    const held = await alike([one, two]);
    expect(held.get('r0')).toBe('{"text":"younger"}');
    expect(held.size).toBe(4);
    expect(eventsOf(one, 'beganAnew')).toHaveLength(1);
    const [late] = await fleetOf(user, 1);
    expect(await heldBy(late)).toEqual(held);
  });

  test('3: purged tombstones take the time back, and no record', async () => {
    const user = await world.newUser();
    const [writer] = await fleetOf(user, 1);
    const [reader] = await fleetOf(user, 1, { readOnly: true });
    await put(writer, 0, 5);
    await passOf(writer, reader);
    const path = `${recordsOf(user)}/${keysOf(user).wireId('r4')}`;
    expect(await world.asked(user, 'DELETE', path)).toMatchObject({ status: 200 });
    await passOf(reader);
    const before = await tagOf(user);
    await world.server.command('purge-deleted', 'record', '0');
    expect(await tagOf(user)).toBeLessThan(before);
    await passOf(reader);
    expect((await heldBy(reader)).size).toBe(5);
    expect(eventsOf(reader, 'unprovenDeletion')).toHaveLength(1);
    expect(await reader.agent.sync()).toMatchObject({ ok: true, requests: 1 });
    // The writer has never heard of that deletion: it finds that there are fewer than before.
    await passOf(writer, writer, reader);
    expect((await alike([writer, reader])).size).toBe(5);
    expect((await listed(user)).size).toBe(6);
  });

  test('3: what somebody else has deleted takes no epoch along', async () => {
    const [user, other] = [await world.newUser(), await world.newUser()];
    const [device] = await fleetOf(user, 1);
    const [others] = await fleetOf(other, 1);
    await put(device, 0, 5);
    await put(others, 0, 5);
    await passOf(device, others);
    // All of the other's records are tombstones now, its epoch's among them.
    expect(await world.asked(other, 'DELETE', recordsOf(other))).toMatchObject({ status: 200 });
    await world.server.command('purge-deleted', 'record', '0');
    expect((await listed(user)).size).toBe(6);
    await passOf(device);
    expect(eventsOf(device, 'beganAnew')).toEqual([]);
    expect(await device.agent.sync()).toMatchObject({ ok: true, requests: 1 });
  });

  test('4: a stamp in the future stops nobody', async () => {
    const user = await world.newUser();
    const [one, two] = await fleetOf(user, 2);
    await put(one, 0, 3);
    await passOf(one, two);
    const last_modified = Date.now() + 30 * DAY_MS;
    await putRaw(user, 'r3', { ...sealed(user, 'r3'), last_modified });
    expect(await tagOf(user)).toBe(last_modified);
    const own = await world.asked(user, 'GET', `${recordsOf(user)}?_since=${last_modified}`);
    expect(own.status).toBe(400);
    await passOf(one, two);
    await put(one, 4, 6);
    await two.agent.delete(NAME, 'r0');
    await passOf(one, two, one);
    expect([...(await alike([one, two])).keys()]).toEqual(['r1', 'r2', 'r3', 'r4', 'r5']);
    await passOf(one, two);
    for (const { agent } of [one, two]) {
      expect(await agent.sync()).toMatchObject({ ok: true, requests: 1 });
    }
    const [late] = await fleetOf(user, 1);
    expect((await alike([one, late])).size).toBe(5);
  });

  test('4: a stamp in the past hides no record', async () => {
    const user = await world.newUser();
    const [one, two] = await fleetOf(user, 2);
    await put(one, 0, 3);
    await passOf(one, two);
    const before = await tagOf(user);
    const last_modified = Date.now() - 900 * DAY_MS;
    await putRaw(user, 'r3', { ...sealed(user, 'r3'), last_modified });
    expect(await tagOf(user)).toBe(before);
    expect([...(await listed(user, `?_since=${last_modified}`)).keys()]).toHaveLength(4);
    await passOf(one, two);
    expect((await alike([one, two])).has('r3')).toBe(true);
    expect(await one.agent.sync()).toMatchObject({ ok: true, requests: 1 });
  });

  test('5: a record that looks like an outage is set aside, others are stored', async () => {
    const user = await world.newUser();
    const [one, two] = await fleetOf(user, 2);
    await trouble.give(keysOf(user).wireId('r12'), 'fails');
    await put(one, 0, 20);
    expect(await one.agent.sync()).toMatchObject({ error: { code: 'unavailable' } });
    expect((await listed(user)).size).toBe(20);
    for (let n = 20; eventsOf(one, 'quarantine').length === 0; n++) {
      expect(n).toBeLessThan(25);
      await put(one, n, n + 1);
      one.platform.time.set(Date.now() + n * HOUR_MS);
      await one.agent.sync();
    }
    const [told] = eventsOf(one, 'quarantine');
    expect(told).toMatchObject({ id: keysOf(user).wireId('r12') });
    // Once it is set aside, passes are as others.
    one.platform.time.set(Date.now() + 30 * HOUR_MS);
    expect(await one.agent.sync()).toMatchObject({ ok: true, error: null });
    await passOf(two);
    const { size } = await heldBy(two);
    expect(size).toBe((await heldBy(one)).size - 1);
    await trouble.end();
    await settled([one, two]);
    expect((await alike([one, two])).size).toBe(size + 1);
  });

  test('5: no text is one that PostgreSQL does not take: it is sealed', async () => {
    const user = await world.newUser();
    const [one, two] = await fleetOf(user, 2);
    await one.agent.put(NAME, { id: 'r\u0000', text: 'a\u0000b', '\u0000': '\ud800' });
    await put(one, 0, 3);
    await passOf(one, two);
    const held = await alike([one, two]);
    expect(JSON.parse(held.get('r\u0000') ?? '')).toEqual({ text: 'a\u0000b', '\u0000': '\ud800' });
  });

  test('7: a live record that says it is deleted deletes nothing', async () => {
    const user = await world.newUser();
    const [one, two] = await fleetOf(user, 2);
    await put(one, 0, 3);
    await passOf(one, two);
    expect(await putRaw(user, 'r1', { deleted: true })).toMatchObject({ status: 200 });
    await settled([one, two]);
    expect((await alike([one, two])).size).toBe(3);
    const { json } = await world.asked(user, 'GET', recordsOf(user));
    expect(json?.data).toHaveLength(4);
    // It is what it was: its member that is not ours stays, and says nothing beside a payload.
    const whole = expect.objectContaining({ payload: expect.stringContaining('ciphertext') });
    expect(json?.data).toEqual(Array(4).fill(whole));
    const [late] = await fleetOf(user, 1);
    expect((await alike([one, late])).size).toBe(3);
  });

  test('8: a batch whose process is killed in its middle is looked at, and sent once', async () => {
    const user = await world.newUser();
    const [one, two] = await fleetOf(user, 2);
    await trouble.give(keysOf(user).wireId('r12'), 'slow');
    await put(one, 0, 20);
    const going = one.agent.sync();
    await until(trouble.isSlow);
    world.server.killWorker(true);
    expect(await going).toMatchObject({ ok: false });
    await trouble.end();
    await settled([one, two]);
    expect((await alike([one, two])).size).toBe(20);
    expect((await listed(user)).size).toBe(21);
  });

  test('8: an answer that does not come, of a batch that is stored, doubles nothing', async () => {
    const user = await world.newUser();
    let lost = 0;
    const send = async (request: Request): Promise<Response> => {
      const isWrite = (await request.clone().text()).includes('"PUT"');
      const response = await fetch(request);
      if (isWrite && lost++ < 2) throw new TypeError('the connection is gone');
      return response;
    };
    const one = await deviceOf(user, { send });
    await one.agent.enable();
    await put(one, 0, 20);
    await settled([one]);
    const [two] = await fleetOf(user, 1);
    expect((await alike([one, two])).size).toBe(20);
    expect((await listed(user)).size).toBe(21);
  });
});
