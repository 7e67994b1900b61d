// An OWA server on a flash that loses its power at every write: a posted document is there as a
// whole or not at all, with its head, and times go on.

import { expect, test } from 'vitest';
import { cutPowerIn, type PowerStory } from '../../../test/support/server-power.ts';
import type { ServerStorage } from '../storage/server-storage.ts';
import { countClients } from './clients.ts';
import { Documents } from './document.ts';

const entry = (n: number, seconds: number, more = '') =>
  `"https://a${n}.example":{"last_modified":${seconds},"manifest_url":"${'m'.repeat(90)}"${more}}`;

const post =
  (entries: readonly string[], replaces = false) =>
  async (storage: ServerStorage): Promise<void> => {
    const documents = new Documents({ storage, nowMs: () => 1_000, replaces });
    await documents.post('user', pieces(`{${entries.join(',')}}`), () => undefined);
  };

async function* pieces(text: string): AsyncGenerator<string> {
  yield text;
}

const numbers = (from: number, count: number) => Array.from({ length: count }, (_, n) => from + n);

const STORY: PowerStory['requests'] = [
  post(numbers(0, 16).map((n) => entry(n, 1))),
  post(numbers(12, 8).map((n) => entry(n, 2, ',"x":1'))),
  post([entry(3, 9, ',"deleted":true'), '"odd":{}']),
  async (storage) => void (await countClients(storage, 'user', 'one', 5)),
  post(
    numbers(8, 8).map((n) => entry(n, 3)),
    true,
  ),
  post(numbers(0, 20).map((n) => entry(n, n % 5))),
];

async function stateAfter(storage: ServerStorage): Promise<string> {
  const documents = new Documents({ storage, nowMs: () => 1_000 });
  const found: Uint8Array[] = [];
  for await (const piece of documents.pieces('user')) found.push(piece);
  const text = Buffer.concat(found).toString();
  const head = await documents.head('user');
  const { length } = Object.keys(JSON.parse(text));
  expect([length, head.bytes - (length > 0 ? 1 : 0)]).toEqual([head.entries, text.length]);
  const all = { from: '!', to: '~', limit: 1_000 };
  const keys = await storage.read('all', (reader) => reader.keys(all));
  return JSON.stringify([head, text, keys, await countClients(storage, 'user', null, 5)]);
}

test('a power cut at any write leaves what was acknowledged, each document whole', async () => {
  await cutPowerIn({ requests: STORY, stateAfter });
});
