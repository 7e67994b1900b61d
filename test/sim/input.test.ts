// Bad input by other apps of the device: a clear error that names the field and the limit, and
// nothing is written.

import { beforeAll, expect, test } from 'vitest';
import { SyncError } from '../../agent/index.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { deviceOn, freezeAccount, sharedUser, thaw } from './lab.ts';

const START = freezeAccount(
  syntheticAccount({ records: 1, seed: 31, bodyBytes: 160, passwords: 1 }),
);
const device = deviceOn(thaw(START), new MemoryStorage(), { identity: sharedUser(START) });
const { agent, memory } = device;
beforeAll(async () => {
  await agent.start();
  await agent.enable();
});

const LOGIN = { origin: 'https://a.example', formActionOrigin: 'https://a.example', password: 'p' };
const PAGE = { url: 'https://a.example/', title: 'a' };

type Case = readonly [what: string, call: () => Promise<unknown>, code: string, message: RegExp];
const put = (collection: string, record: object) => () => agent.put(collection, record as never);

const CASES: readonly Case[] = [
  ['a collection there is not', put('tabs?', PAGE), 'badInput', /collection.*history/],
  ['__proto__ as a collection', put('__proto__', PAGE), 'badInput', /collection/],
  ['a page without a URL', put('history', { title: 'x' }), 'badInput', /url/],
  ['a page whose URL is none', put('history', { url: 'x' }), 'badInput', /url/],
  [
    'a URL of 65,537 characters',
    put('history', { url: `https://${'a'.repeat(65_530)}` }),
    'badInput',
    /65536/,
  ],
  ['a title that is no text', put('history', { ...PAGE, title: 5 }), 'badInput', /title/],
  ['visits that are no list', put('history', { ...PAGE, visits: {} }), 'badInput', /visits/],
  [
    '1,001 visits',
    put('history', { ...PAGE, visits: Array(1001).fill({ date: 1.7e15, type: 1 }) }),
    'badInput',
    /1000/,
  ],
  [
    'a visit in milliseconds',
    put('history', { ...PAGE, visits: [{ date: 1.7e12, type: 1 }] }),
    'badInput',
    /visits\[0\].*microseconds/,
  ],
  [
    'a visit of type 10',
    put('history', { ...PAGE, visits: [{ date: 1.7e15, type: 10 }] }),
    'badInput',
    /visits\[0\]\.type.*1 to 9/,
  ],
  [
    'an id of 65 characters',
    put('passwords', { ...LOGIN, guid: 'x'.repeat(65) }),
    'badInput',
    /id.*64/,
  ],
  ['an id with a line break', put('passwords', { ...LOGIN, guid: 'a\nb' }), 'badInput', /id/],
  ['an id that is no text', put('passwords', { ...LOGIN, guid: 5 }), 'badInput', /id/],
  [
    'a page id that Firefox would not take',
    put('history', { ...PAGE, guid: 'short' }),
    'badInput',
    /id.*12/,
  ],
  [
    'a login without a password',
    put('passwords', { ...LOGIN, password: '' }),
    'badInput',
    /password/,
  ],
  ['a login without an origin', put('passwords', { ...LOGIN, origin: 'a' }), 'badInput', /origin/],
  [
    'a login without a target',
    put('passwords', { origin: 'https://a.example', password: 'p' }),
    'badInput',
    /formActionOrigin, httpRealm/,
  ],
  [
    'a user name with a NUL',
    put('passwords', { ...LOGIN, username: 'a\0' }),
    'badInput',
    /username.*NUL/,
  ],
  [
    'a record of 200,000 characters, which are more when they are sealed',
    put('passwords', { ...LOGIN, notes: 'x'.repeat(200_000) }),
    'tooLarge',
    /at most 262144 on the wire/,
  ],
  [
    'a deletion of nothing',
    () => agent.delete('history', 'abcdefghijkl'),
    'notFound',
    /no such record/,
  ],
  ['a deletion without an id', () => agent.delete('history', ''), 'badInput', /id/],
  ['a list of none', () => agent.list('history', { limit: 0 }), 'badInput', /limit.*1000/],
  ['a list of 1,001', () => agent.list('history', { limit: 1001 }), 'badInput', /limit.*1000/],
  ['a list of half a record', () => agent.list('history', { limit: 0.5 }), 'badInput', /limit/],
];

test.each(CASES)('%s', async (_, call, code, message) => {
  const before = memory.commits;
  const error = await call().then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SyncError);
  expect(error).toMatchObject({ code, retry: 'never' });
  expect(String((error as SyncError).message)).toMatch(message);
  expect(memory.commits).toBe(before);
});

test('half a surrogate pair, unknown members and __proto__ come back as put', async () => {
  const record = JSON.parse(
    '{"url":"https://odd.example/","title":"\\ud800","__proto__":{"x":1},"constructor":1}',
  );
  const id = await agent.put('history', record);
  expect(await agent.get('history', id)).toMatchObject({ title: '\ud800' });
  expect(await agent.sync()).toMatchObject({ ok: true });
  expect(await agent.get('history', id)).toMatchObject({ title: '\ud800' });
});

test('nobody is signed in: every call says so', async () => {
  const other = deviceOn(thaw(START), new MemoryStorage(), { identity: sharedUser(START) }).agent;
  await other.start();
  for (const call of [other.put('history', PAGE), other.get('history', 'x'), other.sync()]) {
    await expect(call).rejects.toMatchObject({ code: 'disabled' });
  }
});
