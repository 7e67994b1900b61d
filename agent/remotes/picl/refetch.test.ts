// All records of a collection, where its history does not go back far enough: what of them a device
// takes, and what it does not.

import { expect, test } from 'vitest';
import type { LogChange } from '../../../emulator/servers/picl/other-client.ts';
import { piclBench, RECORDS } from '../../../test/support/picl/bench.ts';
import type { Answer } from '../../../test/support/picl/server.ts';
import { NAME } from '../../../test/support/picl-service.ts';

/** A device that knows eight records, and a server whose history is gone. */
async function compacted() {
  const on = piclBench();
  const { bench, service } = on;
  const device = await bench.synced(8);
  await service.put(service.id(0), { text: 'changed' });
  await service.delete(service.id(1));
  await service.put(service.id(9), { text: 'new' });
  service.compact();
  return { ...on, device };
}

type Records = Record<string, LogChange>;
const recordsOf = ({ json }: Answer): Records => (json as { records: Records }).records;
const withFirst = (part: (one: LogChange) => object) => {
  return (answer: Answer): Answer => {
    const records = Object.entries(recordsOf(answer)).map(([key, one], at) => [
      key,
      at === 0 ? { ...one, ...part(one) } : one,
    ]);
    return {
      ...answer,
      json: { ...(answer.json as object), records: Object.fromEntries(records) },
    };
  };
};

test('P26: later pages ask for the state of the first one', async () => {
  const { bench, device, server, log } = await compacted();
  const conditions: (string | null)[] = [];
  const { head } = log();
  server.lie = (request, answer) => {
    if (RECORDS.test(`${request.method} ${request.url}`)) {
      conditions.push(request.headers.get('if-match'));
    }
    return answer;
  };
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(conditions).toEqual(conditions.map(() => `${head.seqnum}-${head.changeid}`));
  expect(conditions.length).toBeGreaterThan(1);
  await bench.agreed(device);
});

test('P28: a change in the middle of a listing begins it again, so often and no more', async () => {
  const { bench, device, service } = await compacted();
  let changes = 0;
  bench.wire.before = (request) => {
    if (/\/records\?start/.test(request.url) && changes++ < 2)
      service.put(service.id(6), { changes });
  };
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  await bench.agreed(device);
  service.put(service.id(7), { text: 'x' });
  service.compact();
  changes = -1_000;
  const held = await bench.held(device);
  expect(await device.agent.sync()).toMatchObject({ ok: false, error: { code: 'conflict' } });
  expect((await bench.held(device)).size).toBe(held.size);
  bench.wire.before = () => undefined;
  await bench.recovered(device);
  await bench.agreed(device);
});

test.each<[string, string, (one: LogChange) => object]>([
  [
    'a record that nobody with the key has made',
    'badSignature',
    () => ({ changeid: 'A'.repeat(43) }),
  ],
  ['a record behind the head', 'badShape', () => ({ seqnum: 500 })],
  ['a record that is deleted', 'badShape', () => ({ payload: null })],
  ['an id that the one before it contradicts', 'badChangeid', () => ({ prev: 'A'.repeat(43) })],
  [
    'a record of a change that was another one',
    'badChangeid',
    ({ changeid }) => ({ seqnum: 2, changeid }),
  ],
])('%s: %s, and nothing is applied', async (_what, reason, part) => {
  const { bench, device, lie, honest, refused } = await compacted();
  lie(RECORDS, withFirst(part));
  await refused(device, reason);
  honest();
  if (reason === 'badSignature') return;
  await bench.recovered(device);
  await bench.agreed(device);
});

test('P53: a record that is older than the one that is held: staleRecord', async () => {
  const { bench, device, service, server, refused, honest } = await compacted();
  server.limits.page = 50;
  const key = service.wireId(0);
  await bench.recovered(device);
  const old = server.log(NAME).records.get(key);
  service.put(service.id(0), { text: 'newest' });
  await bench.recovered(device);
  service.put(service.id(5), { text: 'more' });
  service.compact();
  server.lie = (request, answer) => {
    const isRecords = RECORDS.test(`${request.method} ${request.url}`);
    return isRecords && recordsOf(answer)[key]
      ? {
          ...answer,
          json: { ...(answer.json as object), records: { ...recordsOf(answer), [key]: old } },
        }
      : answer;
  };
  await refused(device, 'staleRecord');
  honest();
  await bench.recovered(device);
  await bench.agreed(device);
});

test('P54: a payload of another record does not open, and spoils no other', async () => {
  const { bench, device, server, service } = await compacted();
  const [a, b] = [service.wireId(2), service.wireId(3)];
  const { records } = server.log(NAME);
  const [one, two] = [records.get(a), records.get(b)];
  if (one && two) {
    records.set(a, { ...one, payload: two.payload });
    records.set(b, { ...two, payload: one.payload });
  }
  service.put(service.id(9), { text: 'newer' });
  // It has another version than the one that is known, so it is looked at.
  const fresh = await bench.boot(undefined, 5);
  service.compact();
  await fresh.agent.enable();
  expect(bench.statusOf(fresh).quarantined).toBe(2);
  expect((await bench.held(fresh)).size).toBe(6);
  await device.agent.sync();
  expect((await bench.held(device)).get(service.id(2))).toEqual({ text: 'theirs 2' });
});

test('a refusal that speaks of a compacted history under another status is none', async () => {
  const { bench, device, lie } = await compacted();
  const json = { error: 'history-compacted' };
  lie(/\/changes/, (answer) => ({ ...answer, status: 403, json }));
  expect(await device.agent.sync()).toMatchObject({ ok: false });
  expect(bench.wire.asked.filter((one) => /GET.*\/records/.test(one))).toEqual([]);
});

test('a head that nobody with the key has signed is none', async () => {
  const { device, lie, refused } = await compacted();
  lie(/things$/, (answer) => ({
    ...answer,
    json: { ...(answer.json as object), signature: 'A'.repeat(43) },
  }));
  await refused(device, 'badSignature');
});

test('P24, P25: a next that leads nowhere is an error, and no loop', async () => {
  const { device, lie, refused } = await compacted();
  lie(RECORDS, (answer) => ({ ...answer, json: { ...(answer.json as object), next: '-' } }));
  await refused(device, 'badShape');
});

test('P21: records as items, as a list, and under both names are taken', async () => {
  for (const shape of [
    (records: Records) => ({ items: records }),
    (records: Records) => ({ records: Object.values(records) }),
    (records: Records) => ({ records, items: Object.values(records) }),
  ]) {
    const { bench, device, lie } = await compacted();
    lie(RECORDS, (answer) => {
      const { records: _, ...rest } = answer.json as { records: Records };
      return { ...answer, json: { ...rest, ...shape(recordsOf(answer)) } };
    });
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    await bench.agreed(device);
  }
});

test('a listing goes on after a reboot where it was', async () => {
  const { bench, device } = await compacted();
  let pages = 0;
  bench.wire.loses = ({ url }) => /\/records\?/.test(url) && ++pages === 2;
  expect(await device.agent.sync()).toMatchObject({ ok: false });
  bench.wire.loses = () => false;
  const again = await bench.boot(device.storage.fork());
  bench.wire.asked.length = 0;
  await bench.recovered(again);
  const asked = bench.wire.asked.filter((one) => one.includes('/records'));
  expect(asked[0]).toMatch(/start=h-/);
  await bench.agreed(again);
});

test('an empty collection whose history is gone is one', async () => {
  const { bench, service } = piclBench();
  await service.put(service.id(0), { text: 'x' });
  await service.delete(service.id(0));
  service.compact();
  const device = await bench.synced(0);
  await bench.agreed(device);
});
