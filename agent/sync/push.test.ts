// In which order local changes leave, and in what portions: over the embedded servers, as they see
// it.

import { describe, expect, test } from 'vitest';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import type { DeviceCrypto } from '../../platform/crypto-port.ts';
import { NODE_HEAP } from '../../platform/node/cli/heap.ts';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import { secondDevice } from '../../test/sim/second-device.ts';
import { type TestServers, testDevice, testServers } from '../../test/support/device.ts';
import type { AgentConfig } from '../index.ts';
import { SMALL_HEAP } from '../limits.ts';

const DELETED = 40;
const ADDED = 130;

/** A device and the ids that it sent, a list for each request. */
async function sender(protocol: 'syncto' | 'sync15', config: Partial<AgentConfig> = {}) {
  const servers: TestServers = testServers(
    syntheticAccount({ records: DELETED + 20, seed: 5, bodyBytes: 160 }),
  );
  const posts: { id: string; chars: number }[][] = [];
  const device = testDevice(servers, {
    protocol,
    config,
    fetch: async (request) => {
      const body = await request.clone().text();
      const sent = body === '' ? [] : sentIn(new URL(request.url).pathname, JSON.parse(body));
      if (sent.length > 0) posts.push(sent);
      return servers.world.fetch(request);
    },
  });
  await device.agent.start();
  await device.agent.enable();
  posts.length = 0;
  servers.nowMs += 1_000;
  return { ...device, servers, posts };
}

interface Sent {
  readonly id?: string;
  readonly payload?: string;
}

/** Of a list of records, of a batch of requests, and of a request for one record. */
function sentIn(path: string, body: unknown): { id: string; chars: number }[] {
  const { requests, data } = body as {
    requests?: { path: string; body?: { data: Sent } }[];
    data?: Sent;
  };
  const named = (at: string, record: Sent = {}): Sent => ({
    id: at.split('/').pop() ?? '',
    ...record,
  });
  const records = Array.isArray(body)
    ? (body as Sent[])
    : (requests?.map((request) => named(request.path, request.body?.data)) ?? [named(path, data)]);
  return records.flatMap(({ id = '', payload }) =>
    payload === undefined ? [] : [{ id: decodeURIComponent(id), chars: payload.length }],
  );
}

describe.each(['syncto', 'sync15'] as const)('over %s', (protocol) => {
  test('deletions go first, however many changes there are', async () => {
    const { agent, posts, servers } = await sender(protocol);
    const gone = secondDevice(servers).ids('history').slice(-DELETED);
    for (let n = 0; n < ADDED; n++) {
      await agent.put('history', {
        url: `https://new.example/${n}`,
        visits: [{ date: 9e14 + n, type: 1 }],
      });
    }
    for (const id of gone) await agent.delete('history', id);
    expect(await agent.sync()).toMatchObject({ ok: true });
    const order = posts.flat().map(({ id }) => id);
    expect(new Set(order.slice(0, DELETED))).toEqual(new Set(gone));
    expect(order).toHaveLength(DELETED + ADDED);
    expect(secondDevice(servers).live('history').size).toBe(20 + ADDED);
    expect(agent.status().collections.history).toMatchObject({ pending: 0 });
  });

  test('a record that is put again before its deletion was sent is none any more', async () => {
    const { agent, servers } = await sender(protocol);
    const second = secondDevice(servers);
    const [id = ''] = second.ids('history');
    const page = await agent.get('history', id);
    await agent.delete('history', id);
    await agent.put('history', { ...page, title: 'again' });
    expect(await agent.sync()).toMatchObject({ ok: true });
    expect(second.get('history', id)).toMatchObject({ title: 'again' });
  });

  test('no request holds more than a small memory can, but for one longer record', async () => {
    const { agent, posts } = await sender(protocol);
    for (const [n, chars] of [9_000, 9_000, 60_000, 200, 9_000, 9_000, 200, 200].entries()) {
      const url = `https://long.example/${n}?${'x'.repeat(chars)}`;
      await agent.put('history', { url, visits: [{ date: 9e14 + n, type: 1 }] });
    }
    expect(await agent.sync()).toMatchObject({ ok: true });
    for (const post of posts) {
      const chars = post.reduce((sum, record) => sum + record.chars, 0);
      if (post.length > 1) expect(chars).toBeLessThanOrEqual(SMALL_HEAP.pushCharsMax);
    }
    expect(posts.flat()).toHaveLength(8);
  });
});

test('a computer fills what the server takes: a hundred records a request', async () => {
  const { agent, posts, servers } = await sender('sync15', { heap: NODE_HEAP });
  for (let n = 0; n < 1_500; n++) {
    const page = { url: `https://many.example/${n}`, title: 'x'.repeat(800) };
    await agent.put('history', { ...page, visits: [{ date: 9e14 + n, type: 1 }] });
  }
  expect(await agent.sync()).toMatchObject({ ok: true, error: null });
  expect(posts).toHaveLength(15);
  expect(secondDevice(servers).live('history').size).toBe(DELETED + 20 + 1_500);
});

test('a new record is opened once before it is sent, and sealed once more then', async () => {
  const counts = { open: 0, seal: 0 };
  const device = nodeDeviceCrypto();
  const crypto: DeviceCrypto = {
    ...device,
    open: (encKey, macKey, items) => {
      counts.open += items.length;
      return device.open(encKey, macKey, items);
    },
    seal: (encKey, macKey, texts, ivs) => {
      counts.seal += texts.length;
      return device.seal(encKey, macKey, texts, ivs);
    },
  };
  const { agent } = testDevice(
    testServers(syntheticAccount({ records: 0, passwords: 0, seed: 5 })),
    {
      ...{ protocol: 'sync15', crypto },
    },
  );
  await agent.start();
  await agent.enable();
  for (let at = 0; at < 20; at++) {
    const record = { hostname: `https://${at}.test`, username: 'a', password: 'b' };
    await agent.put('passwords', { ...record, formSubmitURL: `https://${at}.test` });
  }
  Object.assign(counts, { open: 0, seal: 0 });
  await agent.sync();
  expect((await agent.status()).collections.passwords).toMatchObject({ pending: 0, held: 20 });
  // Each is sealed for the wire and as what is agreed on; it is opened to be sent, and when
  // it comes back, to be known by its version.
  expect(counts.seal).toBe(40);
  expect(counts.open).toBe(40);
});
