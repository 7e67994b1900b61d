// A collection that the server reads, on a real Kinto with PostgreSQL and two processes: kinto.js
// and kinto-http read and write what our agents do, and what Kinto was seen to lose is not lost.
// Also what kinto-http sees of a sealed one.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { otherClient } from '../../emulator/servers/kinto/other-client.ts';
import { KintoInMemory } from '../support/kinto-js.ts';
import { pythonWith } from '../support/python.ts';
import { type Device, eventsOf, heldBy, type KintoUser, keyOf, NAME, settled } from './devices.ts';
import { alike, BACKENDS, bucketOf, fleetOf, passOf, sharedWorld, type World } from './world.ts';

const KINTO_HTTP = ['kinto-http==11.11.0'];
const SCRIPT = new URL('http_client.py', import.meta.url).pathname;
const READER = new URL('http_reader.py', import.meta.url).pathname;

/** What a program of kinto-http prints of the collection in a bucket. */
async function byKintoHttp(
  script: string,
  { url, name, password }: KintoUser,
  bucket: string,
): Promise<string> {
  const python = join(await pythonWith(KINTO_HTTP), 'python');
  const args = ['-B', script, `${url}/v1`, name, password, bucket, NAME];
  return (await promisify(execFile)(python, args)).stdout;
}

interface Plain {
  readonly id: string;
  readonly text: string;
}

describe.runIf(BACKENDS.includes('PostgreSQL'))('a real Kinto on PostgreSQL', () => {
  let world: World;
  let places = 0;
  beforeAll(() => {
    world = sharedWorld(inject('kintos'), 'PostgreSQL');
  });
  afterAll(() => world?.stop());

  const newPlace = (): string => `shared${places++}`;
  const recordsIn = (place: string): string => `/buckets/${place}/collections/${NAME}/records`;
  const put = async (device: Device, ...ids: readonly string[]): Promise<void> => {
    for (const id of ids) await device.agent.put(NAME, { id, text: `ours ${id}` });
  };
  const idsOf = async (device: Device): Promise<string> =>
    [...(await heldBy(device)).keys()].join();
  const kintoJs = ({ url, name, password }: KintoUser, bucket: string) => {
    const basic = Buffer.from(`${name}:${password}`).toString('base64');
    const headers = { Authorization: `Basic ${basic}` };
    const kinto = new KintoInMemory<Plain>({ remote: `${url}/v1`, bucket, headers });
    const ids = { generate: () => crypto.randomUUID(), validate: () => true };
    return kinto.collection(NAME, { idSchema: ids });
  };

  test('kinto.js reads and writes it, as it is', async () => {
    const user = await world.newUser();
    const place = newPlace();
    const [device] = await fleetOf(user, 1, { place });
    await put(device, 'a', 'b');
    const id = await device.agent.put(NAME, { text: 'its id is made here' });
    await passOf(device);
    const client = kintoJs(user, place);
    const sync = async () => expect(await client.sync()).toMatchObject({ ok: true });
    await sync();
    const { data } = await client.list();
    expect(data.map((one) => one.id).sort()).toEqual(['a', 'b', id].sort());
    expect((await client.get('a')).data).toMatchObject({ text: 'ours a' });
    await client.create({ id: 'c', text: 'theirs' }, { useRecordId: true });
    await client.update({ ...(await client.get('a')).data, text: 'changed there' });
    await client.delete('b');
    await sync();
    await passOf(device);
    const held = await heldBy(device);
    expect([...held.keys()]).toEqual(['a', 'c', id].sort());
    expect(held.get('a')).toContain('changed there');
    await device.agent.delete(NAME, 'c');
    await passOf(device);
    await sync();
    expect((await client.list()).data.map((one) => one.id)).not.toContain('c');
  });

  test('kinto-http reads and writes it, as it is', async () => {
    const user = await world.newUser();
    const place = newPlace();
    const [device] = await fleetOf(user, 1, { place });
    await put(device, 'a', 'b', 'c');
    await passOf(device);
    const stdout = await byKintoHttp(SCRIPT, user, place);
    // What it found, before it changed a, deleted b and made d.
    expect(JSON.parse(stdout)).toEqual({ a: 'ours a', b: 'ours b', c: 'ours c' });
    await passOf(device);
    expect(await idsOf(device)).toBe('a,c,d');
    expect((await heldBy(device)).get('a')).toContain('of kinto-http');
  });

  test('of a sealed one kinto-http sees how many there are, and none of their names', async () => {
    const user = await world.newUser();
    const [device] = await fleetOf(user, 1);
    await put(device, 'a', 'b', 'c');
    await passOf(device);
    await device.agent.delete(NAME, 'b');
    await passOf(device);
    const found: { id: string; payload: string }[] = JSON.parse(
      await byKintoHttp(READER, user, bucketOf(user).replace('/buckets/', '')),
    );
    const { wireId, open, inside } = otherClient(keyOf(user), NAME);
    const isEpoch = ({ id }: { id: string }): boolean => id.startsWith('epoch-');
    expect(found.filter(isEpoch)).toHaveLength(1);
    const records = found.filter((one) => !isEpoch(one));
    const ids = ['a', 'b', 'c'];
    expect(records.map(({ id }) => id).sort()).toEqual(ids.map(wireId).sort());
    for (const record of records) {
      const { id, payload } = record;
      expect(Object.keys(record).sort()).toEqual(['id', 'last_modified', 'payload']);
      expect(id).toMatch(/^h-[A-Za-z0-9_-]{16,}$/);
      expect(Object.keys(JSON.parse(payload)).sort()).toEqual(['IV', 'ciphertext', 'hmac']);
      // A deletion is one of them, and looks like the others.
      const text = inside(id, open(payload)) ?? '';
      expect(text).toContain(id === wireId('b') ? '"deleted":true' : '"text":"ours ');
      expect(JSON.stringify(record)).not.toContain('ours');
    }
  });

  test('two devices agree, with conflicts and deletions on both sides', async () => {
    const user = await world.newUser();
    const [one, two] = await fleetOf(user, 2, { place: newPlace() });
    await put(one, 'a', 'b', 'c', 'd');
    await passOf(one, two);
    await one.agent.put(NAME, { id: 'a', text: 'changed by one' });
    await two.agent.put(NAME, { id: 'a', more: 'of two' });
    await two.agent.delete(NAME, 'b');
    await one.agent.delete(NAME, 'b');
    await two.agent.delete(NAME, 'c');
    await settled([one, two]);
    const held = await alike([one, two]);
    expect([...held.keys()]).toEqual(['a', 'd']);
    expect(held.get('a')).toContain('changed by one');
    expect(await one.agent.sync()).toMatchObject({ ok: true, requests: 1 });
  });

  test('3: a deletion whose tombstone was purged is one', async () => {
    const user = await world.newUser();
    const place = newPlace();
    const [one, two] = await fleetOf(user, 2, { place });
    // Kinto purges every record of a tombstone's id, whatever collection it is in, alive or not.
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id) => `purged-${id}`) as [
      ...[string, string, string, string],
    ];
    await put(one, a, b, c);
    await passOf(one, two);
    await one.agent.delete(NAME, b);
    await passOf(one);
    await put(one, d);
    await passOf(one);
    await world.server.command('purge-deleted', 'record', '0');
    await passOf(two, two);
    expect(await idsOf(two)).toBe([a, c, d].join());
    await passOf(one);
    expect((await alike([one, two])).size).toBe(3);
  });

  test('5: a text that PostgreSQL does not take is refused by name', async () => {
    const user = await world.newUser();
    const place = newPlace();
    const [one] = await fleetOf(user, 1, { place });
    const poison = one.agent.put(NAME, { id: 'x', text: 'a\u0000' });
    await expect(poison).rejects.toThrow('text: U+0000');
    await put(one, 'a', 'b');
    await passOf(one);
    const raw = { data: { text: 'a\u0000' } };
    const answer = await world.asked(user, 'PUT', `${recordsIn(place)}/x`, raw);
    expect(answer.status).toBe(503);
  });

  test('6: who may read one record only learns that it is gone', async () => {
    const [user, friend] = [await world.newUser(), await world.newAccount()];
    const place = newPlace();
    const [owner] = await fleetOf(user, 1, { place });
    await put(owner, 'a', 'b', 'c');
    await passOf(owner);
    const permissions = { read: [`account:${friend.name}`] };
    for (const id of ['a', 'b']) {
      const path = `${recordsIn(place)}/${id}`;
      expect(await world.asked(user, 'PATCH', path, { permissions })).toMatchObject({
        status: 200,
      });
    }
    const [reader] = await fleetOf(friend, 1, { place, readOnly: true });
    expect(await idsOf(reader)).toBe('a,b');
    await owner.agent.put(NAME, { id: 'a', text: 'changed' });
    await owner.agent.delete(NAME, 'b');
    await passOf(owner);
    const tombstones = await world.asked(friend, 'GET', `${recordsIn(place)}?_since=1`);
    expect(JSON.stringify(tombstones.json)).not.toContain('deleted');
    await passOf(reader);
    expect(await idsOf(reader)).toBe('a');
    expect((await heldBy(reader)).get('a')).toContain('changed');
    expect(await reader.agent.sync()).toMatchObject({ ok: true, requests: 1 });
  });

  test('7: a live record that says it is deleted is taken for a deletion', async () => {
    const user = await world.newUser();
    const place = newPlace();
    const [one] = await fleetOf(user, 1, { place });
    await put(one, 'a', 'b');
    await passOf(one);
    const raw = { data: { deleted: true } };
    expect(await world.asked(user, 'PUT', `${recordsIn(place)}/a`, raw)).toMatchObject({
      status: 200,
    });
    await passOf(one);
    expect(await idsOf(one)).toBe('b');
    // A server says what time it is by the second.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    one.platform.time.set(Date.now());
    await put(one, 'a');
    await passOf(one);
    const back = await world.asked(user, 'GET', `${recordsIn(place)}/a`);
    expect(back.json?.data).toMatchObject({ text: 'ours a' });
  });

  test('a collection that was deleted and made anew gets back what it has lost', async () => {
    const user = await world.newUser();
    const place = newPlace();
    const [one, two] = await fleetOf(user, 2, { place });
    await put(one, 'a', 'b', 'c');
    await passOf(one, two);
    expect(await world.asked(user, 'DELETE', `/buckets/${place}`)).toMatchObject({ status: 200 });
    await settled([one, two]);
    expect((await alike([one, two])).size).toBe(3);
    expect([one, two].map((device) => eventsOf(device, 'beganAnew').length)).toEqual([1, 1]);
    const { json } = await world.asked(user, 'GET', recordsIn(place));
    expect(json?.data).toHaveLength(3);
  });
});
