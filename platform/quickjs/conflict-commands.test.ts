// Conflicts over the bridge: what a device's other programs send as a command is answered with what
// was asked for, or with a code.

import { beforeAll, expect, test } from 'vitest';
import { type Agent, fromPort, generic, strategies } from '../../agent/index.ts';
import { Bench, MINUTE_MS } from '../../test/contract/bench.ts';
import { kintoService } from '../../test/support/kinto-service.ts';
import { commandOf } from './commands.ts';
import { CONFLICTS } from './conflict-commands.ts';

const NAME = 'things';
type Page = Awaited<ReturnType<NonNullable<Agent['conflicts']>>>;

let bench: Bench;
let agent: Agent;

/** Two records that were changed on both sides. */
beforeAll(async () => {
  const collections = [generic(NAME, { strategy: 'manual' })];
  bench = new Bench(() => {
    const service = kintoService();
    return Object.assign(service, { contents: { ...service.contents, collections, strategies } });
  });
  const device = await bench.synced(2);
  ({ agent } = device);
  for (const n of [0, 1]) {
    await bench.put(device, n, { text: 'ours' });
    await bench.service.put(bench.service.id(n), { text: 'theirs' });
  }
  bench.advance(MINUTE_MS, device);
  expect(await agent.sync()).toMatchObject({ ok: true });
});

async function reply(name: string, args: object): Promise<unknown> {
  try {
    return await commandOf(name, JSON.stringify({ collection: NAME, ...args }), CONFLICTS)(agent);
  } catch (error) {
    const { code, message } = fromPort(error);
    return { code, message };
  }
}

test('those that wait are told with both versions, and end as it is said', async () => {
  const told = new Map<unknown, object>();
  for (let after: unknown = null, n = 0; n < 3; n++) {
    const page = (await reply('conflicts', { limit: 1, after })) as Page;
    for (const { tag, ...conflict } of page.conflicts) told.set(conflict.id, conflict);
    after = page.next;
    if (after === null) break;
  }
  const seen = (n: number) => {
    const id = `record-${n}`;
    const shown = (text: string) => expect.objectContaining({ text });
    return [id, { id, ours: shown('ours'), theirs: shown('theirs'), base: shown(`theirs ${n}`) }];
  };
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries([seen(0), seen(1)]));
  expect(await reply('resolve', { id: 'record-0', resolution: { text: 'both' } })).toBeUndefined();
  expect(await reply('resolve', { id: 'record-1', resolution: 'theirs' })).toBeUndefined();
  expect(await reply('conflicts', { limit: 5 })).toEqual({ conflicts: [], next: null });
  await agent.sync();
  expect(await bench.live()).toEqual({
    'record-0': { text: 'both' },
    'record-1': { text: 'theirs' },
  });
});

test.each([
  ['conflicts', {}, 'limit: '],
  ['conflicts', { limit: 1, after: {} }, 'after: '],
  ['conflicts', { collection: 'others', limit: 1 }, 'collection: '],
  ['conflicts', { collection: 5, limit: 1 }, 'collection: '],
  ['resolve', { resolution: 'ours' }, 'id: '],
  ['resolve', { id: 7, resolution: 'ours' }, 'id: '],
])('%s with %j is refused by the name of the member', async (name, args, message) => {
  expect(await reply(name, args)).toEqual({
    code: 'badInput',
    message: expect.stringMatching(new RegExp(`^${message}`)),
  });
});

test('a firmware without strategies has no such commands', () => {
  for (const name of CONFLICTS.keys()) {
    expect(() => commandOf(name, '{}')).toThrow(`there is no ${name}`);
  }
});
