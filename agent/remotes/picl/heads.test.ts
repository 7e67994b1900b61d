// What devices tell each other of the logs that they have verified.

import { expect, test } from 'vitest';
import { otherClient } from '../../../emulator/servers/picl/other-client.ts';
import { MINUTE_MS } from '../../../test/contract/bench.ts';
import { piclBench } from '../../../test/support/picl/bench.ts';
import { KB, NAME } from '../../../test/support/picl-service.ts';
import { isDue, META } from './heads.ts';
import { HEADS_PAGES_MAX } from './limits.ts';

const DAY_MS = 24 * 60 * MINUTE_MS;
const keys = otherClient(KB, META);

async function gossiping() {
  const on = piclBench({}, [NAME, META]);
  const { bench, server } = on;
  const device = await bench.synced(3);
  const meta = () => server.log(META);
  /** What another device says that it has verified. */
  const say = (seqnum: number, changeid: string, epoch = 0): void => {
    const text = JSON.stringify({ heads: { [NAME]: [seqnum, changeid, epoch] } });
    server.append(META, keys.change(meta().head, 'heads_another', text));
  };
  const upload = async () => {
    await bench.put(device, 9, { n: bench.service.clock.nowMs });
    bench.advance(DAY_MS, device);
    return device.agent.sync();
  };
  return { ...on, device, meta, say, upload };
}

test('heads travel with an upload, once a day: an idle device writes nothing', async () => {
  const { bench, device, meta, upload, log } = await gossiping();
  for (let n = 0; n < 3; n++) {
    bench.advance(2 * DAY_MS, device);
    await device.agent.sync();
  }
  expect(meta().changes).toHaveLength(0);
  expect(await upload()).toMatchObject({ ok: true });
  expect(meta().changes).toHaveLength(1);
  const [change] = meta().changes;
  expect(change?.key).toMatch(/^heads_[\da-f-]{36}$/);
  const { seqnum, changeid } = log().head;
  expect(JSON.parse((change && keys.open(change)) ?? '{}')).toMatchObject({
    heads: { [NAME]: [seqnum, changeid, 0] },
  });
  await bench.put(device, 9, { text: 'again' });
  await device.agent.sync();
  expect(meta().changes).toHaveLength(1);
  expect(await upload()).toMatchObject({ ok: true });
  expect(meta().changes).toHaveLength(2);
  await bench.agreed(device);
});

test('two devices that were shown two logs find out', async () => {
  const { bench, device, say, upload } = await gossiping();
  say(2, 'A'.repeat(43));
  const held = await bench.held(device);
  expect(await upload()).toMatchObject({ ok: false, error: { code: 'badResponse' } });
  expect(bench.statusOf(device).log).toMatchObject({
    reason: 'fork',
    theirs: `2-${'A'.repeat(43)}`,
  });
  bench.advance(MINUTE_MS, device);
  expect(await device.agent.sync()).toMatchObject({ ok: false });
  expect((await bench.held(device)).size).toBe(held.size + 1);
});

test.each<[string, (changeid: string) => [number, string, number?]]>([
  ['the same head', (changeid) => [3, changeid]],
  ['a later head', () => [99, 'B'.repeat(43)]],
  ['a head of another epoch', () => [2, 'A'.repeat(43), 1]],
])('%s of another device is none of another log', async (_what, said) => {
  const { bench, device, say, upload, log } = await gossiping();
  say(...said(log().head.changeid));
  expect(await upload()).toMatchObject({ ok: true });
  await bench.agreed(device);
});

/** What a device with many collections tells. */
const MANY = Object.fromEntries(
  Array.from({ length: 20 }, (_, n) => [`collection-${n}`, [n + 1, 'C'.repeat(43)]]),
);

test('of an account with many devices each is heard, however much they tell', async () => {
  const { bench, device, server, say, upload, meta } = await gossiping();
  for (let n = 0; n < 60; n++) {
    const key = `heads_${String(n).padStart(8, '0')}`;
    server.append(META, keys.change(meta().head, key, JSON.stringify({ heads: MANY })));
  }
  server.append(META, keys.change(meta().head, 'another', '{}'));
  expect(await upload()).toMatchObject({ ok: true });
  expect(meta().records.size).toBe(62);
  await bench.agreed(device);
  // It is the last one.
  say(2, 'A'.repeat(43));
  expect(await upload()).toMatchObject({ ok: false, error: { code: 'badResponse' } });
  expect(bench.statusOf(device).log).toMatchObject({ reason: 'fork' });
});

test('devices without an end end, and its own heads are told', async () => {
  const { bench, device, lie, say, upload, meta } = await gossiping();
  say(3, 'A'.repeat(43), 7);
  let pages = 0;
  lie(/^GET .*\/meta\/records/, (answer) => {
    const next = `heads_${String(pages++).padStart(8, '0')}`;
    return { ...answer, json: { ...(answer.json as object), next } };
  });
  expect(await upload()).toMatchObject({ ok: true });
  expect(pages).toBe(HEADS_PAGES_MAX);
  expect(meta().records.size).toBe(2);
  await bench.agreed(device);
});

test('a page of heads that does not lead on is an error and no loop', async () => {
  const { bench, device, lie, say, upload } = await gossiping();
  say(3, 'A'.repeat(43), 7);
  lie(/^GET .*\/meta\/records/, (answer) => {
    return { ...answer, json: { ...(answer.json as object), next: 'heads_' } };
  });
  const error = { code: 'badResponse', message: expect.stringMatching(/next leads nowhere/) };
  expect(await upload()).toMatchObject({ ok: false, error });
  await bench.agreed(device);
});

test.each([
  ['that nobody with the key has signed', { signature: 'A'.repeat(43) }],
  ['that do not open', { payload: 'AQAA' }],
])('heads %s tell nothing of a log', async (_what, part) => {
  const { bench, device, say, upload, meta } = await gossiping();
  say(2, 'A'.repeat(43));
  const [key, one] = [...meta().records][0] ?? [];
  if (key !== undefined && one) meta().records.set(key, { ...one, ...part });
  await upload();
  expect(bench.statusOf(device).log).toBeUndefined();
});

test('a log of heads that has gone back is told, and the data goes on', async () => {
  const { bench, device, server, upload, meta } = await gossiping();
  expect(await upload()).toMatchObject({ ok: true });
  expect(meta().head.seqnum).toBe(1);
  server.reset(META);
  expect(await upload()).toMatchObject({ ok: false, error: { code: 'badResponse' } });
  await bench.agreed(device);
});

test('a day is a day, whichever way the clock went', () => {
  const memory = { atMs: 10 * DAY_MS, seqnum: 0 };
  expect(isDue(memory, 10 * DAY_MS + MINUTE_MS)).toBe(false);
  expect(isDue(memory, 11 * DAY_MS)).toBe(true);
  expect(isDue(memory, 0)).toBe(true);
});
