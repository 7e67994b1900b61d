// Under which keys a user has data, by what a server answers.

import { expect, test } from 'vitest';
import { memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { keyOfCode, newCode, userData } from './user-data.ts';

const KEY = { kB: '0f'.repeat(32) };
const PLACES = { prefix: 'ours-', bucketOf: () => 'ours-1' };

function deviceThat(answer: (url: URL, authorization: string) => [number, unknown]) {
  return memoryPlatform({
    storage: new MemoryStorage(),
    fetch: async ({ url, headers }) => {
      const [status, json] = answer(new URL(url), headers.get('authorization') ?? '');
      return new Response(JSON.stringify(json), { status });
    },
    identity: {
      account: () => Promise.reject(new Error('nobody')),
      assertion: () => Promise.reject(new Error('nobody')),
      accessToken: () => Promise.reject(new Error('nobody')),
      syncKey: () => Promise.reject(new Error('nobody')),
    },
    nowMs: 1,
    random: (count) => new Uint8Array(count).fill(7),
  });
}

const asked = (answer: (url: URL, authorization: string) => [number, unknown]) =>
  userData(deviceThat(answer), 'https://k.example', { basic: 'bob:b' }, PLACES);
const listing = (...ids: string[]) => ({ data: ids.map((id) => ({ id })) });

test('others’ buckets are none of ours', async () => {
  const there = await asked(({ pathname }) =>
    pathname.endsWith('/buckets') ? [200, listing('default', 'theirs')] : [403, {}],
  );
  expect([there.isNone, await there.isUnder(KEY)]).toEqual([true, false]);
});

test('a key has data where its bucket is listed, or is there all the same', async () => {
  const listed = await asked(() => [200, listing('ours-1', 'ours-2')]);
  expect([listed.isNone, listed.keys, await listed.isUnder(KEY)]).toEqual([false, 2, true]);
  const onAnotherPage = await asked(({ pathname }) =>
    pathname.endsWith('/buckets') ? [200, listing('ours-2')] : [200, {}],
  );
  expect(await onAnotherPage.isUnder(KEY)).toBe(true);
  const another = await asked(({ pathname }) =>
    pathname.endsWith('/buckets') ? [200, listing('ours-2')] : [403, {}],
  );
  expect([another.isNone, await another.isUnder(KEY)]).toEqual([false, false]);
});

test('a server that lets nobody list its buckets tells nothing of other keys', async () => {
  const there = await asked(() => [403, {}]);
  expect([there.isNone, await there.isUnder(KEY)]).toEqual([true, false]);
});

test.each([
  [401, {}, 'unauthorized'],
  [429, {}, 'unavailable'],
  [503, {}, 'unavailable'],
  [200, [], 'badResponse'],
  [200, { data: {} }, 'badResponse'],
  [301, {}, 'badResponse'],
])('an answer of %i with %j is %s', async (status, json, code) => {
  await expect(asked(() => [status, json])).rejects.toMatchObject({ code });
});

test('a token proves the user as well as a name and a password', async () => {
  const seen: string[] = [];
  const device = deviceThat((_url, authorization) => {
    seen.push(authorization);
    return [200, listing()];
  });
  await userData(device, 'https://k.example', { bearer: 't' }, PLACES);
  expect(seen).toEqual(['Bearer t']);
});

test('a new code is one, and what is wrong with another is said in words', () => {
  const code = newCode({ random: (count) => new Uint8Array(count).map((_, at) => at) });
  expect(keyOfCode(code).kB).toMatch(/^[0-9a-f]{64}$/);
  expect(() => keyOfCode('one two')).toThrow(/^code: the code has 2 words, and not nine$/);
  expect(() => keyOfCode(code.replace('babad', 'bxbad'))).toThrow(
    /^code: word 1 of the code is none$/,
  );
});
