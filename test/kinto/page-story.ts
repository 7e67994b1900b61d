// What a reader of docs/kinto-encryption.md gets: kinto.js with the page's program and the agent in
// one collection, both ways. For any Kinto.

import { expect } from 'vitest';
import { pageClient } from '../support/kinto-page.ts';
import { type Device, deviceOf, heldBy, type KintoUser, keyOf, NAME, settled } from './devices.ts';

const ID = (n: number): string => `https://app.example/${n}?é`;

async function agentHolds(device: Device): Promise<Map<string, unknown>> {
  await settled([device]);
  return new Map([...(await heldBy(device))].map(([id, text]) => [id, JSON.parse(text)]));
}

/** `ask`: the user's own request to the server, below the bucket; resolves to the data. */
export async function meetWithKintoJs(
  user: KintoUser,
  ask: (method: string, path: string) => Promise<unknown>,
): Promise<void> {
  const device = await deviceOf(user);
  const client = await pageClient(user, keyOf(user), NAME);
  const { records, wireId, damages } = client;
  const { sync, bodies, change } = stepsOf(client);

  // The agent writes, kinto.js reads.
  expect(await device.agent.enable()).toMatchObject({ ok: true });
  for (let n = 0; n < 4; n++) await device.agent.put(NAME, { id: ID(n), text: `agent ${n}` });
  await settled([device]);
  await sync();
  const agents = (n: number): [string, object] => [ID(n), { text: `agent ${n}` }];
  expect(await bodies()).toEqual(new Map([0, 1, 2, 3].map(agents)));
  await device.agent.delete(NAME, ID(0));
  await settled([device]);
  await sync();
  expect(await bodies()).toEqual(new Map([1, 2, 3].map(agents)));

  // kinto.js writes, edits and deletes, the agent has it.
  const body = { id: ID(9), text: 'of kinto.js' };
  await records.create({ id: await wireId(ID(9)), body }, { useRecordId: true });
  await change(1, 'edited');
  await records.delete(await wireId(ID(2)));
  await sync();
  const all = new Map<string, object>([
    [ID(1), { text: 'edited' }],
    agents(3),
    [ID(9), { text: 'of kinto.js' }],
  ]);
  expect(await agentHolds(device)).toEqual(all);
  expect(await bodies()).toEqual(all);
  await records.delete(await wireId(ID(9)));
  await sync();
  all.delete(ID(9));
  expect(await agentHolds(device)).toEqual(all);

  // The server alone says that a record is deleted: kinto.js keeps it, and puts it up again.
  expect(damages).toEqual([]);
  const lost = await wireId(ID(3));
  const path = `/buckets/${client.bucket}/collections/${NAME}/records`;
  await ask('DELETE', `${path}/${lost}`);
  await sync();
  expect(damages).toEqual([[lost, 'a deletion that nobody sealed']]);
  expect(await bodies()).toEqual(all);
  expect(await ask('GET', `${path}/${lost}`)).toMatchObject({ id: lost });
  expect(await agentHolds(device)).toEqual(all);

  // The bucket was deleted with what the agent has never seen.
  const last = { id: ID(10), text: 'the last one' };
  await records.create({ id: await wireId(ID(10)), body: last }, { useRecordId: true });
  await sync();
  await ask('DELETE', `/buckets/${client.bucket}`);
  expect(await agentHolds(device)).toEqual(all);
  await records.resetSyncStatus();
  await sync();
  all.set(ID(10), { text: 'the last one' });
  expect(await bodies()).toEqual(all);
  expect(await agentHolds(device)).toEqual(all);
}

/** The same where small records lie in packs: both sides write one pack at once. */
export async function meetInPacksWithKintoJs(user: KintoUser): Promise<void> {
  const device = await deviceOf(user, { packed: true });
  const client = await pageClient(user, keyOf(user), NAME);
  const { records, putPacked, syncPacked, bodiesInPacks } = client;
  const put = (n: number, body: object | null) => putPacked(records, ID(n), body, Date.now());
  const sync = async (): Promise<void> => {
    const { errors, conflicts } = await syncPacked(records);
    expect({ errors, conflicts }).toEqual({ errors: [], conflicts: [] });
  };
  const agreed = async (expected: Map<string, object>): Promise<void> => {
    expect(await agentHolds(device)).toEqual(expected);
    await sync();
    const bodies = (await bodiesInPacks(records)).map(
      ({ id, ...body }) => [`${id}`, body] as const,
    );
    expect(new Map(bodies)).toEqual(expected);
  };
  const long = { text: 'long '.repeat(400) };
  const all = new Map<string, object>();
  for (let n = 0; n < 20; n++) all.set(ID(n), { text: `agent ${n} ${'x'.repeat(200)}` });
  all.set(ID(20), long);
  expect(await device.agent.enable()).toMatchObject({ ok: true });
  for (const [id, body] of all) await device.agent.put(NAME, { id, ...body });
  await agreed(all);

  // One pack, several writers: each has changed other records of it.
  for (const n of [0, 3, 6, 9]) {
    await put(n, { text: `kinto.js ${n}` });
    all.set(ID(n), { text: `kinto.js ${n}` });
  }
  for (const n of [1, 4, 7]) {
    await device.agent.put(NAME, { id: ID(n), text: `again ${n}` });
    all.set(ID(n), { text: `again ${n}` });
  }
  await put(2, null);
  await device.agent.delete(NAME, ID(5));
  all.delete(ID(2));
  all.delete(ID(5));
  for (let n = 30; n < 50; n++) {
    await put(n, { text: `new ${n} ${'y'.repeat(150)}` });
    all.set(ID(n), { text: `new ${n} ${'y'.repeat(150)}` });
  }
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  await sync();
  await agreed(all);

  // What is too long lies alone, and what becomes too long leaves its pack.
  await put(50, long);
  await put(30, { ...long, is: 'longer' });
  await put(20, { text: 'short' });
  all
    .set(ID(50), long)
    .set(ID(30), { ...long, is: 'longer' })
    .set(ID(20), { text: 'short' });
  await sync();
  await agreed(all);
  await put(50, null);
  await device.agent.delete(NAME, ID(30));
  all.delete(ID(50));
  all.delete(ID(30));
  await sync();
  await agreed(all);
  expect(client.damages).toEqual([]);
}

function stepsOf({ records, wireId }: Awaited<ReturnType<typeof pageClient>>) {
  const sync = async (): Promise<void> => {
    const result = await records.sync({ strategy: 'manual' });
    expect({ errors: result.errors, conflicts: result.conflicts }).toEqual({
      errors: [],
      conflicts: [],
    });
  };
  const bodies = async (): Promise<Map<unknown, unknown>> => {
    const { data } = await records.list();
    return new Map(data.map(({ body: { id, ...body } = {} }) => [id, body]));
  };
  const change = async (n: number, text: string): Promise<void> => {
    const { data } = await records.get(await wireId(ID(n)));
    await records.update({ ...data, body: { ...data.body, text } });
  };
  return { sync, bodies, change };
}
