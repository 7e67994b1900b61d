// A collection that the server reads: its deletions are believed, its losses are not.

import { expect, test } from 'vitest';
import { Bench } from '../../../../test/contract/bench.ts';
import { kintoPlainService } from '../../../../test/support/kinto-plain-service.ts';

const start = () => {
  const bench = new Bench(kintoPlainService);
  const service = bench.service as ReturnType<typeof kintoPlainService>;
  return { bench, service };
};
type Device = Awaited<ReturnType<Bench['boot']>>;
const told = ({ platform }: Device, kind: string) =>
  platform.events.map((json) => JSON.parse(json)).filter((event) => event.kind === kind);
const held = async (bench: Bench, device: Device) =>
  [...(await bench.held(device)).keys()]
    .map((id) => id.replace('record-', ''))
    .sort()
    .join('');
const pass = async (bench: Bench, device: Device) => {
  bench.advance(60_000, device);
  expect(await device.agent.sync()).toMatchObject({ ok: true });
};

test('records go up as they are, and a deletion is one of the server’s', async () => {
  const { bench, service } = start();
  const device = await bench.synced(0);
  await bench.put(device, 1, { text: 'ours', deep: { é: [1, null] } });
  await pass(bench, device);
  const { last_modified, ...record } = JSON.parse(await service.raw('record-1'));
  expect(record).toEqual({ id: 'record-1', text: 'ours', deep: { é: [1, null] } });
  expect(last_modified).toBeGreaterThan(0);
  await bench.delete(device, 1);
  await pass(bench, device);
  expect(await service.raw('record-1')).toBe('null');
  expect(bench.statusOf(device)).toMatchObject({ encrypted: false, pending: 0 });
});

test('a record that somebody else has deleted already is deleted', async () => {
  const { bench, service } = start();
  const device = await bench.synced(3);
  await bench.delete(device, 1);
  await service.delete('record-1');
  await pass(bench, device);
  expect(bench.statusOf(device)).toMatchObject({ held: 2, pending: 0 });
});

test('deletions whose tombstones were purged are found by what is not there', async () => {
  const { bench, service } = start();
  const device = await bench.synced(5);
  await service.delete('record-1');
  await service.put('record-9', { text: 'newest' });
  service.purge();
  await pass(bench, device);
  await pass(bench, device);
  expect(await held(bench, device)).toBe('02349');
  expect(told(device, 'beganAnew')).toEqual([]);
});

test('a flushed server gets everything again, told once', async () => {
  const { bench, service } = start();
  const device = await bench.synced(4);
  await service.renew();
  for (let passes = 0; passes < 3; passes++) await pass(bench, device);
  expect(Object.keys(await bench.live())).toHaveLength(4);
  expect(told(device, 'beganAnew')).toHaveLength(1);
});

test('an older backup loses nothing: what is newer goes up again', async () => {
  const { bench, service } = start();
  const device = await bench.synced(3);
  const backup = service.backup();
  await bench.put(device, 5, { text: 'after the backup' });
  await pass(bench, device);
  service.restore(backup);
  await pass(bench, device);
  await pass(bench, device);
  expect(await held(bench, device)).toBe('0125');
  await bench.agreed(device);
});

test('an older version that a listing shows takes no younger one’s place', async () => {
  const { bench, service } = start();
  const device = await bench.synced(1);
  bench.advance(600_000, device);
  await service.put('record-1', { text: 'old' });
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  bench.advance(5_000, device);
  const backup = service.backup();
  await bench.put(device, 1, { text: 'since the backup' });
  await bench.put(device, 5, { text: 'since the backup, too' });
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  bench.advance(5_000, device);
  service.restore(backup);
  // So many that no count and no stamp of the collection goes back.
  for (const n of [7, 8]) await service.put(`record-${n}`, { text: 'beside it' });
  for (let passes = 0; passes < 2; passes++) {
    bench.advance(5_000, device);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
  }
  expect(await held(bench, device)).toBe('01578');
  expect((await bench.live())['record-1']).toEqual({ text: 'since the backup' });
  await bench.agreed(device);
});

test('a device that only reads has what the server has, and nothing else', async () => {
  const { bench, service } = start();
  const device = await bench.synced(4);
  await device.agent.configure({ collections: { things: { readOnly: true } } });
  await service.renew();
  for (let n = 2; n < 6; n++) await service.put(`record-${n}`, { text: 'another' });
  for (let passes = 0; passes < 3; passes++) await pass(bench, device);
  expect(await held(bench, device)).toBe('2345');
  expect(bench.statusOf(device)).toMatchObject({ pending: 0, readOnly: true });
});

test('a text that no server stores is set aside, the others are stored', async () => {
  const { bench, service } = start();
  const device = await bench.synced(0);
  await expect(bench.put(device, 1, { text: '\u0000' })).rejects.toThrow('text: U+0000');
  await bench.put(device, 2, { text: 'good' });
  await pass(bench, device);
  expect(await service.raw('record-2')).toContain('good');
});
