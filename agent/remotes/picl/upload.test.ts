// Local changes on their way to a log.

import { expect, test } from 'vitest';
import type { LogChange } from '../../../emulator/servers/picl/other-client.ts';
import { MINUTE_MS } from '../../../test/contract/bench.ts';
import { piclBench } from '../../../test/support/picl/bench.ts';

const POST = /^POST .*\/(records|changes)$/;
/** The changes of every request that has sent some. */
const sentBy = (sent: readonly string[]): LogChange[][] =>
  sent.flatMap((text) => {
    const body = text.slice(text.indexOf(' ') + 1);
    return body.includes('"changes"') ? [JSON.parse(body).changes] : [];
  });

test('P45: who is overtaken takes the change in, and sends its own behind it', async () => {
  const { bench, service, log } = piclBench();
  const device = await bench.synced(2);
  await bench.put(device, 0, { text: 'ours 0' });
  await bench.put(device, 5, { text: 'ours 5' });
  let isDone = false;
  bench.wire.before = ({ method }) => {
    if (method !== 'POST' || isDone) return;
    isDone = true;
    service.put(service.id(6), { text: 'theirs 6' });
  };
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  const [first = [], second = []] = sentBy(bench.sent);
  expect(second.map(({ seqnum }) => seqnum)).toEqual(first.map(({ seqnum }) => seqnum + 1));
  expect(second.every(({ changeid }, at) => changeid !== first[at]?.changeid)).toBe(true);
  // What is sealed for one number is sealed anew for another.
  expect(second.every(({ payload }, at) => payload !== first[at]?.payload)).toBe(true);
  expect(log().changes).toHaveLength(5);
  await bench.agreed(device);
});

test('P46: what the server has taken, and never said so, is in the log once', async () => {
  const { bench, log } = piclBench();
  const device = await bench.synced(2);
  for (const n of [0, 5, 6]) await bench.put(device, n, { text: `ours ${n}` });
  bench.wire.loses = ({ method }) => method === 'POST';
  expect(await device.agent.sync()).toMatchObject({ ok: false });
  bench.wire.loses = () => false;
  const again = await bench.boot(device.storage.fork());
  await bench.recovered(again);
  const keys = log().changes.map(({ key }) => key);
  expect(keys).toHaveLength(5);
  await bench.agreed(again);
});

test('P46: nor does another device’s change behind it bring it back', async () => {
  const { bench, service, log } = piclBench();
  const device = await bench.synced(2);
  await bench.put(device, 0, { text: 'ours' });
  bench.wire.loses = ({ method }) => method === 'POST';
  expect(await device.agent.sync()).toMatchObject({ ok: false });
  bench.wire.loses = () => false;
  await service.delete(service.id(0));
  await bench.recovered(device);
  expect(log().changes).toHaveLength(4);
  expect((await bench.live())[service.id(0)]).toBeUndefined();
  await bench.agreed(device);
});

test('P62: quoted tags are asked for with quotes, and bare ones without', async () => {
  for (const quoted of [false, true]) {
    const { bench, server } = piclBench();
    server.style.quoted = quoted;
    const device = await bench.synced(2);
    await bench.put(device, 0, { text: 'ours' });
    const tags: (string | null)[] = [];
    bench.wire.before = (request) => {
      if (request.method === 'POST') tags.push(request.headers.get('if-match'));
    };
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(tags.map((tag) => tag?.startsWith('"'))).toEqual([quoted]);
    await bench.agreed(device);
  }
});

test('P38, P43: nothing is sent without a condition, the first change of all neither', async () => {
  const { bench } = piclBench();
  const device = await bench.synced(0);
  const conditions: (string | null)[][] = [];
  bench.wire.before = (request) => {
    if (POST.test(`${request.method} ${request.url}`)) {
      conditions.push(['if-match', 'if-none-match'].map((name) => request.headers.get(name)));
    }
  };
  for (const n of [1, 2]) {
    await bench.put(device, n, { text: 'ours' });
    await device.agent.sync();
  }
  expect(conditions).toEqual([
    [null, '*'],
    [expect.stringMatching(/^1-/), null],
  ]);
});

test('P55: a payload on the wire is base64url, and says nothing', async () => {
  const { bench } = piclBench();
  const device = await bench.synced(0);
  await bench.put(device, 1, { text: 'plutonium' });
  await device.agent.sync();
  const payloads = sentBy(bench.sent).flat();
  expect(payloads.length).toBe(1);
  for (const { payload, key } of payloads) {
    expect(payload).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(key).toMatch(/^h-[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(payload ?? '', 'base64url').includes('plutonium')).toBe(false);
  }
});

test('a server that counts from 0 is continued from 0', async () => {
  const { bench, server, log } = piclBench();
  server.style.first = 0;
  const device = await bench.synced(0);
  await bench.put(device, 1, { text: 'ours' });
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(log().changes.map(({ seqnum }) => seqnum)).toEqual([0]);
  await bench.put(device, 2, { text: 'ours' });
  bench.advance(MINUTE_MS, device);
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(log().changes.map(({ seqnum }) => seqnum)).toEqual([0, 1]);
  await bench.agreed(device);
});

test('a server that takes too much at once gets less, and is remembered', async () => {
  const { bench, server } = piclBench();
  server.limits.post = 2;
  const device = await bench.synced(0);
  for (let n = 0; n < 9; n++) await bench.put(device, n, { text: `ours ${n}` });
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  bench.sent.length = 0;
  for (let n = 0; n < 5; n++) await bench.put(device, n, { text: `again ${n}` });
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(sentBy(bench.sent).every((changes) => changes.length <= 2)).toBe(true);
  await bench.agreed(device);
});

test.each([404, 405])(
  'after a %i changes go to their other place, and there from then on',
  async (status) => {
    const { bench, deny } = piclBench();
    const device = await bench.synced(0);
    deny(/^POST .*\/records$/, { status, json: {}, headers: {} });
    await bench.put(device, 1, { text: 'ours' });
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    bench.wire.asked.length = 0;
    await bench.put(device, 2, { text: 'ours' });
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(bench.wire.asked.some((one) => /^POST .*\/records$/.test(one))).toBe(false);
    await bench.agreed(device);
  },
);

test.each([412, 400])(
  'a chain that is refused with %i ends the pass, and no loop',
  async (status) => {
    const { bench, deny, honest, log } = piclBench();
    const device = await bench.synced(2);
    await bench.put(device, 0, { text: 'ours' });
    const ETag = `${log().head.seqnum}-${log().head.changeid}`;
    deny(POST, { status, json: { error: 'bad-chain', index: 0 }, headers: { ETag } });
    bench.wire.asked.length = 0;
    expect(await device.agent.sync()).toMatchObject({ ok: false, error: { code: 'conflict' } });
    expect(bench.wire.asked.filter((one) => one.startsWith('POST')).length).toBeLessThan(5);
    expect(bench.statusOf(device).pending).toBe(1);
    honest();
    await bench.recovered(device);
    await bench.agreed(device);
  },
);

test('an answer with another head than ours proves nothing: the log tells', async () => {
  const { bench, lie, honest, log } = piclBench();
  const device = await bench.synced(2);
  await bench.put(device, 0, { text: 'ours' });
  lie(POST, (answer) => ({ ...answer, headers: { ETag: '77-another' } }));
  expect(await device.agent.sync()).toMatchObject({ ok: false });
  honest();
  await bench.recovered(device);
  expect(log().changes).toHaveLength(3);
  await bench.agreed(device);
});

test('an opaque log is read, and written only where the device is told to', async () => {
  for (const opaquePush of [false, true]) {
    const { bench, service, server } = piclBench({ chain: 'opaque', opaquePush });
    service.put(service.id(0), { text: 'theirs' });
    const change = server.log('things').changes[0];
    const log = server.log('things');
    if (change) {
      const made = { ...change, changeid: 'HASH1', signature: 'sig1' };
      log.changes = [made];
      log.records.set(made.key, made);
      log.head = { seqnum: 1, changeid: 'HASH1', signature: 'sig1' };
    }
    const device = await bench.synced(0);
    expect((await bench.held(device)).get(service.id(0))).toEqual({ text: 'theirs' });
    await bench.put(device, 1, { text: 'ours' });
    const report = await device.agent.sync();
    expect(report.ok).toBe(opaquePush);
    expect(log.changes).toHaveLength(opaquePush ? 2 : 1);
  }
});
