// A server that goes back, or shows another log: what is told of it, and what becomes of the data.

import { expect, test } from 'vitest';
import { MemoryStorage } from '../../../platform/memory/storage.ts';
import { MINUTE_MS } from '../../../test/contract/bench.ts';
import { piclBench } from '../../../test/support/picl/bench.ts';
import { NAME } from '../../../test/support/picl-service.ts';
import { epochIn } from './looks.ts';

const eventsOf = (device: { platform: { events: readonly string[] } }) =>
  device.platform.events.map((json) => JSON.parse(json)).filter(({ kind }) => kind === 'violation');

test('P51: a restored server is believed after three looks, and given what it lost', async () => {
  const { bench, server, service, refused, log } = piclBench();
  const { id } = service;
  const device = await bench.synced(3);
  await bench.put(device, 0, { text: 'ours 0' });
  await bench.put(device, 4, { text: 'ours 4' });
  service.put(id(1), { text: 'theirs again 1' });
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  const before = log().head.seqnum;
  server.rewind(NAME, 3);
  await refused(device, 'rolledBack');
  expect(eventsOf(device)).toEqual([
    expect.objectContaining({ reason: 'rolledBack', ours: expect.stringMatching(`^${before}-`) }),
  ]);
  // Three looks within a second are one.
  for (let n = 0; n < 4; n++) await device.agent.sync();
  expect(log().head.seqnum).toBe(3);
  await bench.recovered(device);
  expect(await bench.live()).toEqual({
    [id(0)]: { text: 'ours 0' },
    [id(1)]: { text: 'theirs again 1' },
    [id(2)]: { text: 'theirs 2' },
    [id(4)]: { text: 'ours 4' },
  });
  await bench.agreed(device);
  expect(bench.statusOf(device).log).toBeUndefined();
  expect(eventsOf(device)).toHaveLength(1);
});

test('what was deleted behind a restored state is deleted again, and nothing else', async () => {
  const { bench, server, service, log } = piclBench();
  const { id } = service;
  const device = await bench.synced(6);
  const other = await bench.boot(new MemoryStorage(), 7);
  await other.agent.enable();
  await bench.delete(device, 0);
  await service.delete(id(1));
  await service.put(id(8), { text: 'lost with it' });
  for (const { agent } of [device, other]) expect(await agent.sync()).toMatchObject({ ok: true });
  server.rewind(NAME, 6);
  // Nobody has verified a log that goes further.
  await bench.recovered(device);
  const left = [2, 3, 4, 5, 8].map(id);
  expect(Object.keys(await bench.live()).sort()).toEqual(left);
  service.put(id(9), { text: 'new' });
  for (const one of [other, device]) {
    await bench.recovered(one);
    await bench.agreed(one);
  }
  expect(Object.keys(await bench.live()).sort()).toEqual([...left, id(9)]);
  const deletions = log().changes.filter(({ payload }) => payload === null);
  expect(deletions.map(({ key }) => key).sort()).toEqual([0, 1].map(service.wireId).sort());
});

test('behind two restored states, what a device never had is not taken for deleted', async () => {
  const { bench, server, service } = piclBench();
  const { id } = service;
  const away = await bench.synced(3);
  const device = await bench.boot(new MemoryStorage(), 7);
  await device.agent.enable();
  for (let n = 10; n < 17; n++) await bench.put(away, n, { text: 'first' });
  expect(await away.agent.sync()).toMatchObject({ ok: true });
  server.rewind(NAME, 3);
  for (let n = 20; n < 24; n++) await service.put(id(n), { text: 'between' });
  // Who has not seen the longer log goes on from there.
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  const text = JSON.stringify({ epoch: 1, reason: 'restored', fromSeq: 3 });
  service.write('__epoch', text);
  await service.delete(id(20));
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  server.rewind(NAME, 8);
  await bench.recovered(device);
  await bench.recovered(away);
  await bench.recovered(device);
  const between = [21, 22, 23].map(id);
  expect(Object.keys(await bench.live())).toEqual(expect.arrayContaining(between));
  expect(Object.keys(await bench.live())).not.toContain(id(20));
  await bench.agreed(away);
});

test('where a record was set aside, what comes back may be that: it is not deleted', async () => {
  const { bench, server, service } = piclBench();
  const { id } = service;
  const device = await bench.synced(3);
  await service.spoil(id(2));
  await bench.delete(device, 0);
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  server.rewind(NAME, 3);
  await bench.recovered(device);
  expect(Object.keys(await bench.live()).sort()).toEqual([0, 1, 2].map(id));
});

test('a deletion is made again once, wherever the power goes', async () => {
  for (const when of ['before', 'after'] as const) {
    let cuts = 0;
    for (let atCommit = 1; cuts < 50; atCommit++) {
      const { bench, server, service, log } = piclBench();
      const device = await bench.synced(3);
      await bench.delete(device, 0);
      expect(await device.agent.sync()).toMatchObject({ ok: true });
      server.rewind(NAME, 3);
      const storage = device.storage.fork({ atCommit, when });
      const doomed = await bench.boot(storage);
      await bench.recovered(doomed).catch(() => null);
      const again = await bench.boot(storage.fork());
      await bench.recovered(again);
      expect(Object.keys(await bench.live()).sort()).toEqual([1, 2].map(service.id));
      await bench.agreed(again);
      const deletions = log().changes.filter(({ payload }) => payload === null);
      expect(deletions, `cut ${when} commit ${atCommit}`).toHaveLength(1);
      if (storage.commits < atCommit) break;
      cuts++;
    }
    expect(cuts).toBeGreaterThan(3);
  }
});

test('a second device believes the first one that the log goes on from there', async () => {
  const { bench, server, service } = piclBench();
  const { id } = service;
  const one = await bench.synced(3);
  const two = await bench.boot(one.storage.fork(), 7);
  service.put(id(0), { text: 'lost soon' });
  for (const { agent } of [one, two]) expect(await agent.sync()).toMatchObject({ ok: true });
  server.rewind(NAME, 3);
  await bench.recovered(one);
  service.put(id(5), { text: 'new' });
  await bench.recovered(two);
  expect((await bench.live())[id(0)]).toEqual({ text: 'lost soon' });
  await bench.recovered(one);
  await bench.agreed(one);
  await bench.agreed(two);
});

test('where a device is told to halt, a restored server stays refused', async () => {
  const { bench, server, refused, log } = piclBench({ onRollback: 'halt' });
  const device = await bench.synced(3);
  server.rewind(NAME, 2);
  for (let n = 0; n < 5; n++) await refused(device, 'rolledBack');
  expect(log().head.seqnum).toBe(2);
});

test('P52: another log is a fork: both heads are kept, and nothing is sent to it', async () => {
  const { bench, server, service, refused, log } = piclBench();
  const { id } = service;
  const device = await bench.synced(3);
  await bench.put(device, 9, { text: 'ours' });
  server.rewind(NAME, 2);
  service.put(id(7), { text: 'another third' });
  const theirs = `${log().head.seqnum}-${log().head.changeid}`;
  await refused(device, 'fork');
  expect(bench.statusOf(device).log).toMatchObject({ theirs });
  service.put(id(8), { text: 'and on' });
  for (let n = 0; n < 5; n++) await refused(device, 'fork');
  const again = await bench.boot(device.storage.fork());
  await refused(again, 'fork');
  // The evidence is what was seen first.
  expect(bench.statusOf(again)).toMatchObject({ log: { theirs }, pending: 1 });
  expect(bench.sent.some((text) => text.includes('"changes"'))).toBe(false);
});

test('another log may be longer: its changes do not hang together with ours', async () => {
  const { bench, server, service, refused } = piclBench();
  const device = await bench.synced(3);
  server.rewind(NAME, 2);
  for (const n of [5, 6, 7]) service.put(service.id(n), { text: 'another' });
  await refused(device, 'fork');
});

test('a fork ends where somebody with the key says that the log was begun anew', async () => {
  const { bench, service, server, refused } = piclBench();
  const device = await bench.synced(3);
  server.rewind(NAME, 2);
  service.put(service.id(7), { text: 'another' });
  await refused(device, 'fork');
  await service.renew();
  service.put(service.id(8), { text: 'new' });
  await bench.recovered(device);
  expect(Object.keys(await bench.live()).sort()).toEqual([0, 1, 2, 8].map(service.id));
  await bench.agreed(device);
});

test('an old epoch ends no fork, and one that nobody has sealed is none', async () => {
  const { bench, service, server, refused, log } = piclBench();
  await service.renew();
  const device = await bench.synced(3);
  server.rewind(NAME, 2);
  service.put(service.id(7), { text: 'another' });
  service.put(service.id(8), { text: 'another' });
  await refused(device, 'fork');
  const epoch = log().records.get('__epoch');
  if (epoch) log().records.set('__epoch', { ...epoch, seqnum: 99 });
  await refused(device, 'fork');
});

test('a collection that is gone has gone back, and is not taken for empty', async () => {
  const { bench, server, refused } = piclBench();
  const device = await bench.synced(3);
  server.lie = (request, answer) =>
    request.method === 'GET' ? { ...answer, status: 404, json: {} } : answer;
  await refused(device, 'rolledBack');
});

test('two looks within a minute are one, and a clock may go back between them', async () => {
  const { bench, server } = piclBench();
  const device = await bench.synced(3);
  server.rewind(NAME, 0);
  await device.agent.sync();
  device.platform.time.set(0);
  await device.agent.sync();
  device.platform.time.set(MINUTE_MS);
  await bench.recovered(device);
  expect(Object.keys(await bench.live())).toHaveLength(3);
});

test('an origin says which epoch it is of', () => {
  expect(epochIn('epoch 3 17')).toEqual({ epoch: 3, fromSeq: 17 });
  expect(epochIn('log')).toEqual({ epoch: 0, fromSeq: 0 });
});
