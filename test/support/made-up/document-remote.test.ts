// A document that is longer than anything the device may hold of it: it is read and sent in pieces,
// and what lies between the two never grows with it.

import { describe, expect, test } from 'vitest';
import { type Agent, createAgent, generic } from '../../../agent/index.ts';
import { isObject } from '../../../crypto/engine.ts';
import { memoryPlatform } from '../../../platform/memory/platform.ts';
import { MemoryStorage } from '../../../platform/memory/storage.ts';
import type { Network, StreamedBody } from '../../../platform/ports.ts';
import { fetchNetwork } from '../../../platform/web/fetch-network.ts';
import { NOW_MS } from '../device.ts';
import { documentRemote } from './document-remote.ts';
import { AUDIENCE, COLLECTION, DocumentServer } from './document-server.ts';
import { userWith } from './services.ts';

const MEMBERS = 600;
const MEMBER_CHARS = 1_000;
const PIECE_CHARS_MAX = 16_384;
/** A batch on its way to the store, a piece on each side, and what surrounds them. */
const HELD_CHARS_MAX = 100_000;
const RECORD_CHARS_MAX = 20_000;

/** Characters that have come from the server and have not gone, to the store or to the server. */
class Meter {
  max = 0;
  /** Lengths of the pieces of the body that was sent last. */
  pieces: number[] = [];
  private held = 0;

  came(chars: number): void {
    this.held += chars;
    this.max = Math.max(this.max, this.held);
  }

  left(chars: number): void {
    this.pieces.push(chars);
    this.held = Math.max(0, this.held - chars);
  }

  stored(): void {
    this.held = 0;
  }

  reset(): void {
    [this.max, this.held, this.pieces] = [0, 0, []];
  }
}

interface Bench {
  readonly server: DocumentServer;
  readonly agent: Agent;
  readonly meter: Meter;
  sync(): Promise<void>;
}

async function start(): Promise<Bench> {
  let nowMs = NOW_MS;
  const server = new DocumentServer(() => nowMs);
  const meter = new Meter();
  const storage = new MemoryStorage();
  // A batch is compared with what is there, and stored if it is news.
  storage.get = watched(storage.get.bind(storage), () => meter.stored());
  storage.commit = watched(storage.commit.bind(storage), () => meter.stored());
  const platform = memoryPlatform({
    storage,
    network: watchedNetwork(server, meter),
    fetch: server.fetch,
    identity: userWith({ kB: 'ab'.repeat(32) }, () => server.assertion),
    nowMs,
    random: (count) => new Uint8Array(count).fill(7),
  });
  const remote = { protocol: 'document', serverUrl: server.url, audience: AUDIENCE };
  const config = {
    profile: 'test',
    remote: { ...remote, auth: 'bearer' as const },
    collections: { [COLLECTION]: { enabled: true, readOnly: false } },
    intervalMs: 3_600_000,
    wifiOnly: false,
    historyRecordsMax: 1_000,
    recordCharsMax: RECORD_CHARS_MAX,
  };
  const contents = { drivers: [documentRemote], collections: [generic(COLLECTION)] };
  const agent = createAgent(platform, config, contents);
  await agent.start();
  return {
    ...{ server, agent, meter },
    async sync() {
      nowMs += 24 * 3_600_000;
      platform.time.set(nowMs);
      meter.reset();
      const isOn = agent.status().state !== 'disabled';
      expect((await (isOn ? agent.sync() : agent.enable())).error).toBeNull();
    },
  };
}

function watched<A extends unknown[], R>(
  work: (...args: A) => Promise<R>,
  seen: (result: R) => void,
): (...args: A) => Promise<R> {
  return async (...args) => {
    const result = await work(...args);
    seen(result);
    return result;
  };
}

function watchedNetwork(server: DocumentServer, meter: Meter): Network {
  const network = fetchNetwork(server.fetch, { streamsBodies: true });
  return {
    async request({ body, ...request }) {
      const sent = typeof body === 'object' ? watchedBody(body, meter) : body;
      const response = await network.request({ ...request, ...(sent && { body: sent }) });
      const { status, headers } = response;
      return {
        ...{ status, headers, cancel: () => response.cancel() },
        read: watched(
          () => response.read(),
          (piece) => meter.came(piece?.length ?? 0),
        ),
      };
    },
  };
}

function watchedBody(body: StreamedBody, meter: Meter): StreamedBody {
  return {
    open() {
      const source = body.open();
      return {
        next: watched(
          () => source.next(),
          (piece) => piece && meter.left(piece.length),
        ),
      };
    },
  };
}

const nameOf = (n: number): string => `https://app${n}.test`;

function long(from: number, to: number): Record<string, unknown> {
  const text = 'é\u{1f9a6}'.repeat(MEMBER_CHARS / 3);
  const member = { last_modified: NOW_MS / 1_000, text };
  return Object.fromEntries(
    Array.from({ length: to - from }, (_, at) => [nameOf(from + at), { ...member, n: from + at }]),
  );
}

const numbersOf = (document: Readonly<Record<string, unknown>>): unknown[] =>
  Object.values(document)
    .flatMap((member) => (isObject(member) ? [member.n] : []))
    .sort();

async function idsOf({ agent }: Bench): Promise<Set<unknown>> {
  const ids = new Set<unknown>();
  for (let after: string | null = null; ; ) {
    const page = await agent.list(COLLECTION, { limit: 100, after });
    for (const { id } of page.records) ids.add(id);
    if (page.next === null) return ids;
    after = page.next;
  }
}

describe('a document of 600,000 characters', () => {
  test('comes down in pieces, and no more of it than a batch is held', async () => {
    const bench = await start();
    bench.server.replace(long(0, MEMBERS));
    await bench.sync();
    expect((await idsOf(bench)).size).toBe(MEMBERS);
    expect(bench.meter.max).toBeLessThan(HELD_CHARS_MAX);
  });

  test('goes up in pieces while it comes down, and what was in it stays in it', async () => {
    const bench = await start();
    const { server, agent } = bench;
    server.replace(long(0, MEMBERS));
    await bench.sync();
    const tooLong = { last_modified: 1, text: 'y'.repeat(2 * RECORD_CHARS_MAX) };
    server.replace({ ...server.document(), tooLong, '': 'not a record' });
    await bench.sync();
    const before = server.document();
    await agent.put(COLLECTION, { id: nameOf(3), text: 'ours' });
    await agent.put(COLLECTION, { id: 'https://new.test', text: 'ours' });
    await bench.sync();
    const { [nameOf(3)]: ours, 'https://new.test': made, ...rest } = server.document();
    const { [nameOf(3)]: _, ...others } = before;
    expect([ours, made]).toMatchObject([{ text: 'ours' }, { text: 'ours' }]);
    expect(rest).toEqual(others);
    const chars = JSON.stringify(server.document()).length;
    expect(bench.meter.pieces.reduce((sum, length) => sum + length, 0)).toBe(chars);
    expect(Math.max(...bench.meter.pieces)).toBeLessThanOrEqual(PIECE_CHARS_MAX);
    expect(chars).toBeGreaterThan(MEMBERS * MEMBER_CHARS);
    expect(bench.meter.max).toBeLessThan(HELD_CHARS_MAX);
    console.log(`${chars} characters sent, at most ${bench.meter.max} of them held at once`);
  });

  test('is made from what the device holds where the server has lost it', async () => {
    const bench = await start();
    bench.server.replace(long(0, MEMBERS));
    await bench.sync();
    const [whole, half] = [bench.server.document(), long(0, MEMBERS - 60)];
    bench.server.replace(half);
    await bench.agent.put(COLLECTION, { id: 'https://new.test', text: 'ours' });
    await bench.sync();
    const { 'https://new.test': made, ...rest } = bench.server.document();
    expect(made).toMatchObject({ text: 'ours' });
    expect(numbersOf(rest)).toEqual(numbersOf(whole));
    expect(bench.meter.max).toBeLessThan(HELD_CHARS_MAX);
  });
});

test('a document that is broken, or cut, is never written over', async () => {
  const bench = await start();
  bench.server.replace(long(0, 40));
  await bench.sync();
  const text = JSON.stringify(long(0, 60));
  await bench.agent.put(COLLECTION, { id: nameOf(3), text: 'ours' });
  for (const broken of [
    text.slice(0, -1),
    text.slice(0, -700),
    `${text}{}`,
    '[]',
    'null',
    '{"a"}',
  ]) {
    bench.server.replace(broken);
    await expect(bench.sync()).rejects.toThrow();
    expect(bench.server.text()).toBe(broken);
  }
  bench.server.replace(long(0, 60));
  await bench.sync();
  expect((await idsOf(bench)).size).toBe(60);
  expect(bench.server.document()[nameOf(3)]).toMatchObject({ text: 'ours' });
});
