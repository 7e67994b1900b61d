// How much of a log is asked for at once: a page is in memory as a whole.

import { expect, test } from 'vitest';
import { CHANGES, changesOf, piclBench } from '../../../test/support/picl/bench.ts';
import { PLAIN_BYTES_MAX } from './limits.ts';

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

const LENGTHS: readonly (readonly [string, number])[] = [
  ['one byte longer than one may be', PLAIN_BYTES_MAX + 1],
  ['of a megabyte', 1_000_000],
];

/** A record whose cleartext has so many bytes. */
const bodyOf = (bytes: number, id: string) => {
  const rest = JSON.stringify({ id, text: '' }).length;
  return { text: 'x'.repeat(bytes - rest) };
};

test.each(LENGTHS)('a change %s is set aside, and the log goes on behind it', async (_, bytes) => {
  const { bench, service, server, log } = piclBench();
  server.limits.page = 1_000;
  const device = await bench.synced(3);
  const before = await bench.held(device);
  await service.put(service.id(1), bodyOf(bytes, service.id(1)));
  await service.put(service.id(4), { text: 'new' });
  await service.put(service.id(7), bodyOf(bytes, service.id(7)));
  await service.delete(service.id(0));
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(bench.statusOf(device)).toMatchObject({ quarantined: 2 });
  expect(bench.statusOf(device).log).toBeUndefined();
  const { collection } = service;
  const told = device.platform.events.map((json) => JSON.parse(json));
  expect(told.filter(({ kind }) => kind === 'quarantine')).toEqual(
    [1, 7].map((n) => {
      return { kind: 'quarantine', collection, id: service.wireId(n), code: 'tooLarge' };
    }),
  );
  const held = await bench.held(device);
  // What is set aside is there as it was.
  expect([...held.keys()].sort()).toEqual([1, 2, 4].map(service.id));
  expect(held.get(service.id(1))).toEqual(before.get(service.id(1)));
  // The device is at the head: it writes on top of it, and asks for nothing twice.
  await bench.put(device, 9, { text: 'ours' });
  const head = log().head.seqnum;
  bench.wire.asked.length = 0;
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(log().head.seqnum).toBe(head + 1);
  expect(bench.wire.asked.filter((one) => one.includes('/changes'))).toEqual([]);
  // A shorter version is taken, wherever the device is then.
  await service.put(service.id(1), { text: 'short' });
  await service.delete(service.id(7));
  const again = await bench.boot(device.storage.fork());
  await bench.recovered(again);
  expect(bench.statusOf(again)).toMatchObject({ quarantined: 0 });
  await bench.agreed(again);
});

test.each(LENGTHS)(
  'a record %s is set aside in a listing of all records, too',
  async (_, bytes) => {
    const { bench, service, server } = piclBench();
    server.limits.page = 1_000;
    const device = await bench.synced(8);
    await service.put(service.id(1), bodyOf(bytes, service.id(1)));
    await service.put(service.id(9), bodyOf(bytes, service.id(9)));
    await service.put(service.id(10), { text: 'new' });
    service.compact();
    await bench.recovered(device);
    expect(bench.statusOf(device)).toMatchObject({ quarantined: 2 });
    expect((await bench.held(device)).get(service.id(10))).toEqual({ text: 'new' });
    const fresh = await bench.boot(undefined, 5);
    expect(await fresh.agent.enable()).toMatchObject({ ok: true });
    expect(bench.statusOf(fresh)).toMatchObject({ quarantined: 2 });
    expect((await bench.held(fresh)).size).toBe(8);
  },
);

test('a change that is too long is proven like any other', async () => {
  const { bench, service, lie, refused } = piclBench();
  const device = await bench.synced(3);
  await service.put(service.id(1), bodyOf(PLAIN_BYTES_MAX + 1, service.id(1)));
  lie(CHANGES, (answer) => {
    const changes = changesOf(answer).map((one) =>
      (one.payload?.length ?? 0) > 1_000 ? { ...one, payload: `${one.payload}A` } : one,
    );
    return { ...answer, json: { ...(answer.json as object), changes } };
  });
  await refused(device, 'badChangeid');
});

test('an answer that is too long for the device is told, and nothing is skipped', async () => {
  const { bench, service, lie } = piclBench();
  const device = await bench.synced(2);
  await service.put(service.id(5), { text: 'x' });
  lie(CHANGES, (answer) => ({
    ...answer,
    json: { ...(answer.json as object), x: new Array(450_000).fill(1) },
  }));
  expect(await device.agent.sync()).toMatchObject({ error: { code: 'tooLarge' } });
});
