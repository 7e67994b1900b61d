// What a Kinto holds as plain JSON, and a backup that is restored.

import { expect, test } from 'vitest';
import { served } from './testing.ts';

test('a backup that is restored is all that there is, and time goes on behind it', async () => {
  const { server, ask, put, made, clock } = served();
  await made();
  await put('a', { n: 1 });
  await put('gone');
  await ask('DELETE', '/buckets/b/collections/c/records/gone');
  const backup = JSON.parse(JSON.stringify(server.store.dump()));
  clock.nowMs += 1_000;
  await put('a', { n: 2 });
  await put('b');
  await ask('PUT', '/buckets/later', {});
  server.store.restore(backup);
  expect(server.store.dump()).toEqual(backup);
  const { json, headers } = await ask('GET', '/buckets/b/collections/c/records?_since=0');
  expect(json.data.map(({ id, n, deleted }: Record<string, unknown>) => [id, n, deleted])).toEqual([
    ['gone', undefined, true],
    ['a', 1, undefined],
  ]);
  expect(headers.get('etag')).toBe(`"${json.data[0].last_modified}"`);
  expect(await ask('GET', '/buckets/later')).toMatchObject({ status: 403 });
  expect((await put('a', { n: 3 })).json.data.last_modified).toBe(clock.nowMs);
});
