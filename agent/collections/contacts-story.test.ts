// Two phones of one user with their contacts on a Kinto: edits without a network, the same person
// made twice, deletions, and what a third, empty phone has of it.

import { beforeEach, describe, expect, test } from 'vitest';
import { createRandom } from '../../emulator/device/random.ts';
import { createKinto } from '../../emulator/servers/kinto/kinto.ts';
import { memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { NOW_MS } from '../../test/support/device.ts';
import { userWith } from '../../test/support/made-up/services.ts';
import { type Agent, contacts, createAgent, kinto } from '../index.ts';

const KEY = { kB: 'ab'.repeat(32) };
const URL_BASE = 'https://kinto.test';

let nowMs = NOW_MS;
let server = newServer();
let phones = 0;

function newServer() {
  return createKinto({ url: URL_BASE, nowMs: () => nowMs, userOf: () => 'account:bob' });
}

beforeEach(() => {
  server = newServer();
});

async function phone(recordCharsMax = 400_000): Promise<Agent> {
  const random = createRandom(++phones);
  const platform = memoryPlatform({
    storage: new MemoryStorage(),
    fetch: (request) => server.fetch(request),
    identity: userWith(KEY, () => 'token'),
    nowMs,
    random: (count) => random.bytes(count),
  });
  const config = {
    remote: { protocol: 'kinto', serverUrl: URL_BASE, audience: '', auth: 'bearer' as const },
    profile: 'phone',
    collections: { contacts: { enabled: true, readOnly: false } },
    ...{ intervalMs: 3_600_000, wifiOnly: false, historyRecordsMax: 1_000, recordCharsMax },
  };
  const agent = createAgent(platform, config, { drivers: [kinto], collections: [contacts] });
  await agent.start();
  expect(await agent.enable()).toMatchObject({ ok: true });
  return agent;
}

async function sync(...agents: Agent[]): Promise<void> {
  for (const agent of agents) {
    nowMs += 60_000;
    expect(await agent.sync()).toMatchObject({ ok: true });
  }
}

type Seen = { readonly guid: string; readonly card: { readonly [name: string]: unknown } };

async function seenBy(agent: Agent): Promise<Seen[]> {
  const { records } = await agent.list('contacts', { limit: 100 });
  return records as unknown as Seen[];
}

const of = (...values: string[]) => values.map((value) => ({ value }));
const zoe = { fn: of('Zoë Größe'), tel: of('+1 1'), email: of('zoe@a.example') };

test('numbers that two phones add meanwhile are on both', async () => {
  const [a, b] = [await phone(), await phone()];
  const guid = await a.put('contacts', { card: zoe });
  await sync(a, b);
  await a.put('contacts', { guid, card: { tel: of('+1 1', '+1 2'), org: [{ value: ['Mine'] }] } });
  await b.put('contacts', { guid, card: { tel: of('+1 3'), title: of('Dr.') } });
  await sync(a, b, a);
  const [seen] = await seenBy(a);
  expect(seen?.card).toEqual({
    ...zoe,
    tel: of('+1 2', '+1 3'),
    org: [{ value: ['Mine'] }],
    title: of('Dr.'),
  });
  expect(await seenBy(b)).toEqual([seen]);
  expect(await seenBy(await phone())).toEqual([seen]);
});

describe('the same person, made on two phones without a network', () => {
  test('is one record, with what both knew', async () => {
    const [a, b] = [await phone(), await phone()];
    await a.put('contacts', { card: zoe });
    await b.put('contacts', { card: { ...zoe, tel: of('+1 2'), note: of('x') } });
    await sync(a, b, a);
    const [seen, ...more] = await seenBy(a);
    expect(more).toEqual([]);
    expect(seen?.card).toEqual({ ...zoe, tel: of('+1 1', '+1 2'), note: of('x') });
    expect(await seenBy(b)).toEqual([seen]);
  });

  test('stays two where it may be two, with one telephone and another besides', async () => {
    const [a, b] = [await phone(), await phone()];
    const home = { fn: zoe.fn, tel: of('+1 1') };
    await a.put('contacts', { card: home });
    await b.put('contacts', { card: { ...home, tel: of('+1 1', '+1 2') } });
    await sync(a, b, a);
    expect(await seenBy(a)).toHaveLength(2);
    expect(await seenBy(b)).toHaveLength(2);
  });
});

test('a put of somebody who is known adds to what is known, and a second one nothing', async () => {
  const a = await phone();
  const guid = await a.put('contacts', { card: zoe });
  const card = { fn: zoe.fn, email: of('ZOE@a.example'), note: of('x') };
  expect(await a.put('contacts', { card })).toBe(guid);
  expect(await seenBy(a)).toMatchObject([{ card: { ...zoe, note: of('x') } }]);
  await sync(a);
  await a.put('contacts', { add: card });
  expect(a.status().collections.contacts).toMatchObject({ pending: 0, held: 1 });
});

test('a deletion is one for all, and an edit made meanwhile outlives it', async () => {
  const [a, b] = [await phone(), await phone()];
  const guid = await a.put('contacts', { card: zoe });
  const other = await a.put('contacts', { card: { fn: of('Ann') } });
  await sync(a, b);
  await a.delete('contacts', guid);
  await a.delete('contacts', other);
  await b.put('contacts', { guid, card: { note: of('x') } });
  await sync(a, b, a);
  expect(await seenBy(a)).toMatchObject([{ guid, card: { ...zoe, note: of('x') } }]);
  expect(await seenBy(b)).toEqual(await seenBy(a));
});

test('what a newer client has beside the card, and in it, is there after an edit', async () => {
  const [a, b] = [await phone(), await phone()];
  const tel = [{ value: '+1 1', later: { of: ['b'] } }];
  const guid = await a.put('contacts', { card: { ...zoe, tel }, later: { x: 1 } });
  await sync(a, b);
  await b.put('contacts', { guid, card: { note: of('x') } });
  await sync(b, a);
  await a.put('contacts', { guid, later: { x: 2 } });
  expect(await seenBy(a)).toMatchObject([{ card: { ...zoe, tel, note: of('x') } }]);
  await sync(a);
  const { records } = await (await phone()).list('contacts', { limit: 1 });
  expect(records).toMatchObject([{ card: { tel } }]);
});

test('a photo that is too long is refused with its size and the limit', async () => {
  const small = await phone(40_000);
  const photo = (chars: number) => of(`data:image/jpeg;base64,${'A'.repeat(chars)}`);
  await expect(
    small.put('contacts', { card: { ...zoe, photo: photo(60_000) } }),
  ).rejects.toMatchObject({
    code: 'tooLarge',
    message: expect.stringMatching(/^record: \d{5,} characters, at most 40000 on the wire$/),
  });
  expect(await seenBy(small)).toEqual([]);
  const guid = await small.put('contacts', { card: { ...zoe, photo: photo(20_000) } });
  await sync(small);
  expect(await (await phone()).get('contacts', guid)).toMatchObject({
    card: { photo: photo(20_000) },
  });
});
