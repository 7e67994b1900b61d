// The server's half of the proposal's exchanges, byte for byte: each example is asked of a server
// that holds what it speaks of.

import { describe, expect, test } from 'vitest';
import { memoryBsos } from '../../emulator/servers/memory-bsos.ts';
import { compact } from '../../emulator/servers/picl/compaction.ts';
import { keptLogs } from '../../emulator/servers/picl/log.ts';
import { askLogin, signIn } from '../../emulator/servers/picl/testing.ts';
import { memoryPlaces } from '../../emulator/servers/place-storage.ts';
import { memoryStorage } from '../../emulator/servers/storage/local-storage.ts';
import { emptyAccount, startWorld } from '../../emulator/servers/testing.ts';
import { PICL_EXAMPLES } from './fixtures.ts';

type Example = (typeof PICL_EXAMPLES.examples)[number];

async function served({ world: name, settings }: Example) {
  const { limit, ...options } = settings;
  const storage = memoryStorage();
  const account = emptyAccount();
  const { store } = account;
  const kept = { bsos: memoryBsos(store), places: memoryPlaces(store), picl: storage };
  const page = limit === undefined ? {} : { page: { items: limit } };
  const picl = { ...options, ...page, chain: 'opaque' } as const;
  const world = startWorld({ account, storage: kept, picl });
  const user = await signIn(world);
  const [owner = ''] = new URL(user.collections.history ?? '').pathname.split('/').slice(-2);
  const changes = PICL_EXAMPLES.worlds[name ?? ''] ?? [];
  await keptLogs(storage).write(owner, 'history', (log) => log.append(changes, 0));
  if (name === 'compacted') await compact(storage, { changes: 1, ageMs: 0 }, 0);
  return { world, ask: user.at('history') };
}

describe('the server answers as the proposal shows', () => {
  const ofCollections = PICL_EXAMPLES.examples.filter(({ world }) => world !== null);

  test.each(ofCollections.map((example) => [example.name, example] as const))(
    '%s',
    async (_, example) => {
      const { request, response } = example;
      const { ask } = await served(example);
      const path = request.url.replace('<collection-url>', '').replace(/^\//, '');
      const { mended: body } = request;
      const asked = { headers: request.headers, ...(body === undefined ? {} : { body }) };
      const answer = await ask(request.method, path, asked);
      expect(answer.status).toBe(response.status);
      for (const [name, value] of Object.entries(response.headers))
        expect([name, answer.headers.get(name)]).toEqual([name, value]);
      const signed = response.mended?.replace('HMAC_SIGNATURE_OF_CHANGEID', 'sig1');
      if (signed !== undefined) expect(answer.text).toBe(signed);
      if (response.status === 204) expect(answer.text).toBe('');
    },
  );

  test('login', async () => {
    const { world } = await served(PICL_EXAMPLES.examples[0] as Example);
    const answer = await askLogin(world, {});
    const text = await answer.text();
    const place = '"[a-z]+":"https://picl\\.test/[\\w/-]+"';
    const shape = `{"id":"[\\w-]+","key":"[\\w-]+","collections":{${place}(,${place})+}}`;
    expect(text).toMatch(new RegExp(`^${shape.replace(/[{}]/g, '\\$&')}$`));
    expect(PICL_EXAMPLES.examples[0]?.response.mended).toMatch(/^\{"id":.*"key":.*"collections":/);
  });
});
