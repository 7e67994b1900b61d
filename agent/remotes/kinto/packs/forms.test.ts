// Who makes a collection decides how it lies on the server, for all who come later: a device whose
// kind asks for packs works beside one of before in a collection that has none, and the other way
// round.

import { expect, test } from 'vitest';
import { generic, kinto } from '../../../../agent/index.ts';
import { MemoryStorage } from '../../../../platform/memory/storage.ts';
import { Bench, MINUTE_MS } from '../../../../test/contract/bench.ts';
import { kintoService, NAME } from '../../../../test/support/kinto-service.ts';

test.each([
  ['stays one by one', false],
  ['stays in packs', true],
])('a collection that was made by a device of the other kind %s', async (_, isPacked) => {
  const service = kintoService({ packed: isPacked });
  const bench = new Bench(() => service);
  const one = await bench.synced(6);
  const contents = { drivers: [kinto], collections: [generic(NAME, { packed: !isPacked })] };
  Object.assign(service, { contents });
  const two = await bench.boot(new MemoryStorage(), 3);
  expect(await two.agent.enable()).toMatchObject({ ok: true });
  await bench.put(two, 0, { text: 'of two' });
  await bench.put(one, 0, { more: 'of one' });
  await bench.put(two, 7, { text: 'new' });
  await bench.delete(two, 1);
  for (const { agent } of [two, one, two, one]) {
    bench.advance(MINUTE_MS, one, two);
    expect(await agent.sync()).toMatchObject({ ok: true });
  }
  for (const device of [one, two]) await bench.agreed(device);
  expect(await bench.held(two)).toEqual(await bench.held(one));
  expect((await bench.held(one)).size).toBe(6);
  const packs = service
    .records()
    .live()
    .filter(({ id }) => id.startsWith('p-'));
  expect(packs.length > 0).toBe(isPacked);
});
