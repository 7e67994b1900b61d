// What a device takes of a log's changes, and what of a server's lies it applies: nothing.

import { expect, test } from 'vitest';
import { CHANGES, changesOf, METADATA, piclBench } from '../../../test/support/picl/bench.ts';
import type { Answer } from '../../../test/support/picl/server.ts';

/** A device that knows five records, and a server with three changes more. */
async function behind(config: object = {}) {
  const on = piclBench(config);
  const { bench, service } = on;
  const device = await bench.synced(5);
  await service.put(service.id(0), { text: 'changed' });
  await service.delete(service.id(1));
  await service.put(service.id(6), { text: 'new' });
  return { ...on, device };
}

const part = (at: number, more: (change: ReturnType<typeof changesOf>[number]) => object) => {
  return (answer: Answer): Answer => {
    const changes = changesOf(answer).map((change, index) =>
      index === at ? { ...change, ...more(change) } : change,
    );
    return { ...answer, json: { ...(answer.json as object), changes } };
  };
};

test.each<[string, string, (answer: Answer) => Answer]>([
  [
    'P48: an altered payload',
    'badChangeid',
    part(3, ({ payload }) => ({ payload: `${payload}A` })),
  ],
  ['P49: a wrong signature', 'badSignature', part(3, () => ({ signature: 'A'.repeat(43) }))],
  ['P49: no signature', 'badSignature', part(2, () => ({ signature: undefined }))],
  [
    'P50: a change that is left out',
    'gap',
    (answer) => {
      const changes = changesOf(answer).filter((_, at) => at !== 2);
      return { ...answer, json: { changes } };
    },
  ],
  [
    'P50: changes in another order',
    'gap',
    (answer) => {
      const [head, one, two, three] = changesOf(answer);
      return { ...answer, json: { changes: [head, two, one, three] } };
    },
  ],
  ['P57: a number past 2^53', 'unsafeSeqnum', part(3, () => ({ seqnum: 2 ** 53 + 2 }))],
  ['a key that is none', 'badShape', part(3, () => ({ key: 'a.b' }))],
  ['a change without a payload', 'badShape', part(3, () => ({ payload: undefined }))],
  [
    'a tail that is cut off',
    'truncated',
    (answer) => {
      return { ...answer, json: { changes: changesOf(answer).slice(0, 1) } };
    },
  ],
  [
    'P25: a next that leads nowhere',
    'badShape',
    (answer) => {
      return { ...answer, json: { ...(answer.json as object), next: 5 } };
    },
  ],
])('%s: %s, and nothing of the page is applied', async (_what, reason, change) => {
  const { bench, device, lie, honest, refused } = await behind();
  await bench.put(device, 9, { text: 'ours' });
  lie(CHANGES, change);
  await refused(device, reason);
  expect(bench.sent.filter((text) => text.includes('"changes"'))).toEqual([]);
  honest();
  if (reason === 'badSignature') return;
  // What was a fault on the way is forgotten when it is over.
  await bench.recovered(device);
  expect(bench.statusOf(device).log).toBeUndefined();
  await bench.agreed(device);
});

test('P49: a signature of nobody is not forgotten, whatever is shown next', async () => {
  const { bench, device, lie, honest, refused } = await behind();
  lie(
    CHANGES,
    part(3, () => ({ signature: 'A'.repeat(43) })),
  );
  await refused(device, 'badSignature');
  honest();
  await refused(device, 'badSignature');
  const again = await bench.boot(device.storage.fork());
  await refused(again, 'badSignature');
  // Only somebody with the key can say that the log goes on.
});

test('a page that was spoilt once is asked for again, and nobody hears of it', async () => {
  const { bench, device, lie } = await behind();
  let count = 0;
  const spoil = part(3, () => ({ payload: 'AAAA' }));
  lie(CHANGES, (answer) => (count++ === 0 ? spoil(answer) : answer));
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(count).toBe(2);
  await bench.agreed(device);
});

test('P33: a server that begins behind what it is asked for is read without a gap', async () => {
  const { bench, device, server } = await behind();
  server.style.exclusive = true;
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  await bench.agreed(device);
});

test.each([
  ['a map', (changes: object[]) => Object.fromEntries(changes.map((one, at) => [at, one]))],
  [
    'a map in another order',
    (changes: object[]) => ({ b: changes[1], a: changes[0], ...changes.slice(2) }),
  ],
])('P34: changes as %s are taken', async (_what, shape) => {
  const { bench, device, lie } = await behind();
  lie(CHANGES, (answer) => ({
    ...answer,
    json: { ...(answer.json as object), changes: shape(changesOf(answer)) },
  }));
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  await bench.agreed(device);
});

test('P20: a tag that is missing everywhere is none that is needed', async () => {
  const { bench, device, lie } = await behind();
  lie(/./, (answer) => ({ ...answer, headers: {} }));
  await bench.put(device, 7, { text: 'ours' });
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  await bench.agreed(device);
});

test('P57: a head past 2^53 stops the collection, and nothing is asked further', async () => {
  const { bench, device, lie, refused } = await behind();
  lie(METADATA, (answer) => ({
    ...answer,
    json: { ...(answer.json as object), seqnum: '9007199254740993' },
  }));
  await refused(device, 'unsafeSeqnum');
  expect(bench.wire.asked.filter((one) => one.includes('/changes'))).toEqual([]);
});

test('P36: all records make up for a compacted history, and local changes survive', async () => {
  const { bench, device, service } = await behind();
  await bench.put(device, 2, { text: 'ours 2' });
  await bench.put(device, 8, { text: 'ours 8' });
  service.compact();
  await bench.recovered(device);
  expect(await bench.live()).toMatchObject({
    [service.id(2)]: { text: 'ours 2' },
    [service.id(8)]: { text: 'ours 8' },
  });
  expect((await bench.live())[service.id(1)]).toBeUndefined();
  await bench.agreed(device);
  bench.wire.asked.length = 0;
  service.put(service.id(3), { text: 'after it' });
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(bench.wire.asked.some((one) => one.includes('/records'))).toBe(false);
  await bench.agreed(device);
});

test('a history that begins right behind the device is no reason to list all records', async () => {
  const { bench, device, service } = await behind();
  service.compact(3);
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(bench.wire.asked.some((one) => one.includes('/records'))).toBe(false);
  await bench.agreed(device);
});

test('P37: a history that ends before what was verified is no compaction', async () => {
  const { bench, device, lie } = await behind();
  const held = await bench.held(device);
  lie(CHANGES, (answer) => ({ ...answer, status: 416, json: {}, headers: { ETag: '2-x' } }));
  expect(await device.agent.sync()).toMatchObject({ ok: false });
  expect(bench.wire.asked.some((one) => one.includes('/records'))).toBe(false);
  expect(await bench.held(device)).toEqual(held);
});

test.each([410, 400, 404])('status %i with its word is a compaction, too', async (status) => {
  const { bench, device, service, lie } = await behind();
  service.compact();
  lie(CHANGES, (answer) => (answer.status === 416 ? { ...answer, status } : answer));
  await bench.recovered(device);
  await bench.agreed(device);
});
