// A hostile Kinto, and one that has lost something: what nobody with the user's key has said
// deletes nothing, and what does not prove itself is not taken.

import { expect, test } from 'vitest';
import { otherClient } from '../../../emulator/servers/kinto/other-client.ts';
import { Bench } from '../../../test/contract/bench.ts';
import { KB, kintoService, NAME } from '../../../test/support/kinto-service.ts';

const start = () => {
  const bench = new Bench(kintoService);
  const service = bench.service as ReturnType<typeof kintoService>;
  return { bench, service, records: service.records };
};

const eventsOf = ({ platform }: { platform: { events: string[] } }, kind: string) =>
  platform.events.map((json) => JSON.parse(json)).filter((event) => event.kind === kind);

test('a deletion that only the server says is told, and the record goes up again', async () => {
  const { bench, service, records } = start();
  const device = await bench.synced(3);
  for (const n of [0, 1, 2]) records().delete(service.wireId(n));
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  await device.agent.sync();
  expect(Object.keys(await bench.live())).toHaveLength(3);
  const told = eventsOf(device, 'unprovenDeletion').map(({ id }) => id);
  expect(told.sort()).toEqual([0, 1, 2].map((n) => service.id(n)));
  await bench.agreed(device);
});

test('a deletion that only the server says meets a local edit: the edit goes up', async () => {
  const { bench, service, records } = start();
  const device = await bench.synced(2);
  await bench.put(device, 0, { text: 'ours' });
  records().delete(service.wireId(0));
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(await bench.live()).toMatchObject({ [service.id(0)]: { text: 'ours' } });
  await bench.agreed(device);
});

test('a record that says of itself, unsealed, that it is deleted deletes nothing', async () => {
  const { bench, service, records } = start();
  const device = await bench.synced(2);
  await bench.put(device, 0, { text: 'ours' });
  for (const n of [0, 1]) records().put(service.wireId(n), { deleted: true });
  for (let pass = 0; pass < 3; pass++) await device.agent.sync();
  expect(await bench.live()).toEqual({
    [service.id(0)]: { text: 'ours' },
    [service.id(1)]: { text: 'theirs 1' },
  });
  await bench.agreed(device);
});

test('payloads in the places of others, or of another collection, are not taken', async () => {
  const { bench, service, records } = start();
  const device = await bench.synced(2);
  const [a, b] = [0, 1].map((n) => records().get(service.wireId(n))?.payload);
  records().put(service.wireId(0), { payload: b });
  records().put(service.wireId(1), { payload: service.sealedElsewhere(service.id(1)) });
  expect(a).not.toBe(b);
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(Object.fromEntries(await bench.held(device))).toEqual({
    [service.id(0)]: { text: 'theirs 0' },
    [service.id(1)]: { text: 'theirs 1' },
  });
  expect(bench.statusOf(device).quarantined).toBe(2);
});

test('a payload under the own id of its record, which is not hashed, is not taken', async () => {
  const { bench, service, records } = start();
  const device = await bench.synced(2);
  records().put(service.id(0), { payload: records().get(service.wireId(0))?.payload });
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  const { records: held } = await device.agent.list('things', { limit: 10 });
  expect(held.map(({ id }) => id).sort()).toEqual([service.id(0), service.id(1)]);
});

test('a tombstone that was sealed for another record deletes nothing', async () => {
  const { bench, service, records } = start();
  const device = await bench.synced(2);
  await service.delete(service.id(7));
  const tombstone = records().get(service.wireId(7))?.payload;
  records().put(service.wireId(0), { payload: tombstone });
  await device.agent.sync();
  expect([...(await bench.held(device)).keys()].sort()).toEqual([service.id(0), service.id(1)]);
});

test('a flushed server gets everything again, and other devices find it there', async () => {
  const { bench, service } = start();
  const [one, two] = [await bench.synced(4), await bench.boot()];
  await two.agent.enable();
  await service.renew();
  bench.advance(60_000, one, two);
  for (const { agent } of [one, two, one]) expect(await agent.sync()).toMatchObject({ ok: true });
  expect(Object.keys(await bench.live())).toHaveLength(4);
  for (const n of [0, 1, 2, 3]) expect(await service.writes(service.id(n))).toBe(2);
  expect([one, two].map((device) => eventsOf(device, 'beganAnew'))).toEqual([
    [{ kind: 'beganAnew', collection: 'things' }],
    [{ kind: 'beganAnew', collection: 'things' }],
  ]);
  await bench.agreed(one);
  await bench.agreed(two);
});

test('a collection whose epoch has the id that all had once is not begun anew', async () => {
  const { bench, service, records } = start();
  const { epochId, open, seal } = otherClient(KB, NAME);
  const epoch = (id: string) => {
    const payload = records().get(id)?.payload;
    return typeof payload === 'string' ? JSON.parse(open(payload) ?? '') : null;
  };
  const [one, two] = [await bench.synced(3), await bench.boot()];
  await two.agent.enable();
  const known = epoch(epochId);
  records().purge(epochId);
  records().put('epoch', { payload: seal(JSON.stringify({ ...known, id: 'epoch' })) });
  await service.put(service.id(3), { text: 'theirs' });
  for (const device of [one, two]) {
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    await device.agent.sync();
    expect([...(await bench.held(device)).keys()]).toHaveLength(4);
    expect(eventsOf(device, 'beganAnew')).toEqual([]);
    expect(bench.statusOf(device)).toMatchObject({ quarantined: 0 });
    expect(epoch(epochId)).toEqual(known);
  }
  expect([0, 1, 2].map((n) => service.writes(service.id(n)))).toEqual([1, 1, 1]);
});

test('a purge takes the time back: all is compared, and nothing goes up twice', async () => {
  const { bench, service, records } = start();
  const device = await bench.synced(4);
  await bench.delete(device, 3);
  await device.agent.sync();
  records().purge(service.wireId(3));
  bench.advance(60_000, device);
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(Object.keys(await bench.live())).toHaveLength(3);
  expect([0, 1, 2].map((n) => service.writes(service.id(n)))).toEqual([1, 1, 1]);
  await bench.agreed(device);
});

test('what was committed late, under a stamp that was passed already, is found', async () => {
  const { bench, service, records } = start();
  const device = await bench.synced(3);
  records().late(service.wireId(9), service.sealed(service.id(9), { text: 'late' }));
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect((await bench.held(device)).get(service.id(9))).toEqual({ text: 'late' });
  await bench.agreed(device);
  bench.wire.asked.length = 0;
  expect(await device.agent.sync()).toMatchObject({ ok: true, requests: 1 });
});

test('each that was committed late is taken once, with the next change at the latest', async () => {
  const { bench, service, records } = start();
  let device = await bench.synced(3);
  let pulled = 0;
  const pass = async (): Promise<void> => {
    const report = await device.agent.sync();
    expect(report).toMatchObject({ ok: true });
    pulled += report.collections[service.collection]?.pulled ?? 0;
  };
  const text = (n: number) => ({ text: `late ${n}` });
  for (let n = 10; n < 22; n++) {
    await service.put(service.id(n + 100), { text: 'in time' });
    await pass();
    // New ones, and new versions of what is there, which move no count where that one is young.
    const at = n % 2 === 0 ? n : n % 3;
    records().late(service.wireId(at), service.sealed(service.id(at), text(n)));
    if (n % 4 === 0) device = await bench.boot(device.storage.fork());
    await pass();
    if (at === n) expect((await bench.held(device)).get(service.id(at))).toEqual(text(n));
    bench.advance(5_000, device);
  }
  await service.put(service.id(200), { text: 'in time' });
  await pass();
  await pass();
  expect(pulled).toBe(12 + 12 + 1);
  await bench.agreed(device);
});
