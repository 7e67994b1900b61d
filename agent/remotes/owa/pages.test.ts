// News of a document is applied at once, and with as few writes as it takes.

import { expect, it } from 'vitest';
import { owaBench } from '../../../test/support/owa/service.ts';

it('some news among many apps is one commit', async () => {
  const { bench, service, asked } = owaBench();
  const device = await bench.synced(120);
  const { commits } = device.storage;
  for (const n of [3, 70, 130]) await service.put(service.id(n), { text: 'new' });
  await service.delete(service.id(50));
  asked.length = 0;
  const report = await device.agent.sync();
  expect(report.collections[service.collection]).toMatchObject({ pulled: 4, pushed: 0 });
  expect(device.storage.commits).toBe(commits + 1);
  expect(asked).toHaveLength(1);
  await bench.agreed(device);
});

it('more news than the memory has room for takes the place of all, at once', async () => {
  const { bench, service, asked } = owaBench();
  const device = await bench.synced(120);
  for (let n = 20; n < 100; n++) await service.put(service.id(n), { text: 'new' });
  asked.length = 0;
  const seen = new Set<string>();
  const look = async () => void seen.add(JSON.stringify([...(await bench.held(device)).values()]));
  const commit = device.storage.commit.bind(device.storage);
  device.storage.commit = async (changes) => {
    await commit(changes);
    await look();
  };
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  // The old and the new.
  expect(seen.size).toBe(2);
  expect(asked.length).toBe(2);
  await bench.agreed(device);
});

it('O8: an app that is not in the document stays, and goes up again', async () => {
  const { bench, service, server } = owaBench();
  const device = await bench.synced(4);
  const { [service.id(2)]: _, ...rest } = server.document();
  server.replace(rest);
  bench.advance(60_000, device);
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect((await bench.held(device)).get(service.id(2))).toEqual({ text: 'theirs 2' });
  expect(server.document()).toHaveProperty([service.id(2), 'text'], 'theirs 2');
  await bench.agreed(device);
});

it('an entry that is written otherwise at the same time is news', async () => {
  const { bench, service, server } = owaBench();
  const device = await bench.synced(2);
  const before = server.document()[service.id(1)];
  server.write(service.id(1), { ...Object(before), text: 'other' });
  const { collections } = await device.agent.sync();
  expect(collections[service.collection]).toMatchObject({ pulled: 1 });
});
