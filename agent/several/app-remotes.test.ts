// What a server says to a collection that is made at run time is nothing to the others.

import { expect, test } from 'vitest';
import { appOf } from '../../test/support/apps.ts';
import { sameUser } from '../../test/support/same-user.ts';
import { apps, settings } from '../index.ts';

const OTHER = 'https://other.example';

test('a Kinto gets a collection with the first pass, and no other request makes one', async () => {
  const user = sameUser('kinto', { collections: [settings], apps });
  const device = await user.signedIn();
  await user.sync(device);
  const made = (): string[] => {
    const [bucket] = user.kinto?.store.buckets.values() ?? [];
    return [...(bucket?.collections.keys() ?? [])];
  };
  expect(made()).toEqual(['settings']);
  await appOf(device).create('notes');
  await appOf(device).put('notes', { id: '1' });
  expect(made()).toEqual(['settings']);
  await user.sync(device);
  expect(made()).toHaveLength(2);
  await user.sync(device);
  user.asked.length = 0;
  await user.sync(device);
  expect(user.asked).toEqual(['POST /v1/batch']);
});

test('one that was deleted there, or that somebody else has made, stops no other', async () => {
  const user = sameUser('kinto', { collections: [settings], apps });
  const [a, b] = [await user.signedIn(), await user.signedIn()];
  for (const address of ['https://notes.example', OTHER]) {
    for (const device of [a, b]) await appOf(device, address).create('notes');
    await appOf(a, address).put('notes', { id: '1', of: address });
  }
  await a.agent.put('settings', { name: 'ui', value: 1 });
  await user.sync(a, b);
  const [[id, bucket] = []] = user.kinto?.store.buckets ?? [];
  const names = [...(bucket?.collections.keys() ?? [])].filter((name) => name !== 'settings');
  const url = `https://kinto.test/v1/buckets/${id}/collections/${names[0]}`;
  const headers = { Authorization: 'Bearer token' };
  const gone = await user.kinto?.fetch(new Request(url, { method: 'DELETE', headers }));
  expect(gone?.status).toBe(200);
  if (bucket) user.kinto?.store.makeCollection(bucket, 'unknown').put('x', { payload: 'x' });
  await a.agent.put('settings', { name: 'ui', value: 2 });
  await user.sync(a, b, a, b);
  for (const address of ['https://notes.example', OTHER]) {
    expect(await appOf(b, address).get('notes', '1')).toMatchObject({ of: address });
  }
  const { records } = await b.agent.list('settings', { limit: 5 });
  expect(records).toMatchObject([{ name: 'ui', value: 2 }]);
  expect(bucket?.collections.size).toBe(4);
});
