// How much of a log is asked for at once: a page is in memory as a whole.

import { expect, test } from 'vitest';
import { CHANGES, piclBench } from '../../../test/support/picl/bench.ts';

const limitsOf = (asked: readonly string[]) =>
  asked.flatMap((one) => Number(/\/changes\?.*limit=(\d+)/.exec(one)?.[1] ?? []));

test('P58: pages are as long as a commit, whatever the server would send', async () => {
  const { bench, service, server } = piclBench();
  server.limits.page = 1_000;
  for (let n = 0; n < 120; n++) await service.put(service.id(n), { text: 'x'.repeat(1_000) });
  let longest = 0;
  server.lie = (request, answer) => {
    if (CHANGES.test(`${request.method} ${request.url}`) && request.url.includes('since')) {
      longest = Math.max(longest, JSON.stringify(answer.json).length);
    }
    return answer;
  };
  const device = await bench.boot();
  expect(await device.agent.enable()).toMatchObject({ ok: true });
  await bench.agreed(device);
  expect(longest).toBeGreaterThan(20_000);
  expect(longest).toBeLessThan(50_000);
});

test('short changes come in longer pages', async () => {
  const { bench, service, server } = piclBench();
  server.limits.page = 1_000;
  for (let n = 0; n < 200; n++) await service.put(service.id(n), { n });
  const device = await bench.boot();
  expect(await device.agent.enable()).toMatchObject({ ok: true });
  expect(Math.max(...limitsOf(bench.wire.asked))).toBeGreaterThan(60);
  await bench.agreed(device);
});

test('P58: one change as long as there can be is read, alone', async () => {
  const { bench, service, server } = piclBench();
  server.limits.page = 1_000;
  for (let n = 0; n < 3; n++) await service.put(service.id(n), { text: 'x'.repeat(190_000) });
  const device = await bench.boot();
  expect(await device.agent.enable()).toMatchObject({ ok: true });
  await bench.agreed(device);
});

test('a change that is too long for the device is told, and nothing is skipped', async () => {
  const { bench, service, lie } = piclBench();
  const device = await bench.synced(2);
  await service.put(service.id(5), { text: 'x' });
  lie(CHANGES, (answer) => ({
    ...answer,
    json: { ...(answer.json as object), x: 'x'.repeat(900_000) },
  }));
  expect(await device.agent.sync()).toMatchObject({ error: { code: 'tooLarge' } });
});
