// PiCL as a remote: several collections, keys, and what a storage lets nobody do.

import { expect, test } from 'vitest';
import { MINUTE_MS } from '../../../test/contract/bench.ts';
import { userWith } from '../../../test/support/made-up/services.ts';
import { METADATA, piclBench } from '../../../test/support/picl/bench.ts';
import { createAgent, generic, picl } from '../../index.ts';

test('what is wrong with one collection stops no other', async () => {
  const { bench, service, server } = piclBench();
  server.reset('others');
  const contents = { drivers: [picl], collections: [generic('others'), generic('things')] };
  const on = await bench.synced(2);
  const { platform } = on;
  const collections = {
    others: { enabled: true, readOnly: false },
    things: { enabled: true, readOnly: false },
  };
  const config = {
    ...service.config,
    ...{ profile: 'test', collections, intervalMs: MINUTE_MS, wifiOnly: false },
    ...{ historyRecordsMax: 100, recordCharsMax: 400_000 },
  };
  const agent = createAgent(platform, config, contents);
  await agent.start();
  server.lie = (request, answer) =>
    request.url.endsWith('/others') ? { ...answer, json: { seqnum: -1 } } : answer;
  await agent.put('things', { id: 'mine', text: 'x' });
  bench.advance(MINUTE_MS, on);
  const report = await agent.sync();
  expect(report).toMatchObject({ ok: false, error: { code: 'badResponse' } });
  expect(report.collections.things).toMatchObject({ pushed: 1 });
  expect(agent.status().collections.others?.log).toMatchObject({ reason: 'badShape' });
});

test('P59: a pause that the server asks for on any status is kept', async () => {
  const { bench, deny } = piclBench();
  const device = await bench.synced(2);
  deny(METADATA, { status: 404, json: {}, headers: { 'X-Backoff': '600' } });
  await device.agent.sync();
  bench.wire.asked.length = 0;
  const again = await bench.boot(device.storage.fork());
  expect(await again.agent.sync()).toMatchObject({ requests: 0, error: { code: 'backoff' } });
});

test('P13: each request is signed, a body with its hash, and none twice', async () => {
  const { bench } = piclBench();
  const device = await bench.synced(2);
  const signed: Map<string, string>[] = [];
  bench.wire.before = ({ headers }) => {
    const said = headers.get('authorization') ?? '';
    signed.push(
      new Map([...said.matchAll(/(\w+)="([^"]*)"/g)].map(([, a = '', b = '']) => [a, b])),
    );
  };
  await bench.put(device, 0, { text: 'ours' });
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(signed.length).toBeGreaterThan(1);
  // The server looks at each signature: see its `#checkHawk`.
  expect(signed.every((one) => one.has('mac') && one.get('id') === 'pass-of-token')).toBe(true);
  expect(new Set(signed.map((one) => one.get('nonce'))).size).toBe(signed.length);
  expect(signed.filter((one) => one.has('hash'))).toHaveLength(1);
});

test.each(['before', 'after'] as const)('P47: a cut %s any commit of a push', async (when) => {
  let cuts = 0;
  for (let atCommit = 1; cuts < 50; atCommit++) {
    const { bench, log } = piclBench();
    const device = await bench.synced(2);
    for (const n of [0, 5, 6, 7, 8, 9]) await bench.put(device, n, { text: `ours ${n}` });
    const storage = device.storage.fork({ atCommit, when });
    const doomed = await bench.boot(storage);
    await doomed.agent.sync().catch(() => null);
    if (storage.commits < atCommit) break;
    cuts++;
    const again = await bench.boot(storage.fork());
    await bench.recovered(again);
    expect(log().changes, `cut ${when} commit ${atCommit}`).toHaveLength(8);
    await bench.agreed(again);
  }
  expect(cuts).toBeGreaterThan(3);
});

test('P19: metadata without a change id is what its tag says', async () => {
  const { bench, service, lie } = piclBench();
  const device = await bench.synced(2);
  await service.put(service.id(4), { text: 'new' });
  lie(METADATA, (answer) => ({
    ...answer,
    json: { ...(answer.json as object), changeid: undefined },
  }));
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  await bench.agreed(device);
});

test('a body that says another head than its tag is refused', async () => {
  const { bench, service, lie, refused } = piclBench();
  const device = await bench.synced(2);
  await service.put(service.id(4), { text: 'new' });
  lie(METADATA, (answer) => ({ ...answer, headers: { ETag: '99-other' } }));
  await refused(device, 'badShape');
});

test('a log of another key is told as that, and nothing is sent to it', async () => {
  const { bench, service } = piclBench();
  await service.put(service.id(0), { text: 'theirs' });
  (service as { identity: object }).identity = userWith({ kB: '7'.repeat(64) }, () => 'token');
  const device = await bench.boot();
  await device.agent.enable();
  await bench.put(device, 1, { text: 'ours' });
  expect(await device.agent.sync()).toMatchObject({ ok: false, error: { code: 'keyMismatch' } });
  expect(bench.sent.some((text) => text.includes('"changes"'))).toBe(false);
});

test('an idle device asks one thing of each collection, and writes nothing', async () => {
  const { bench, log } = piclBench();
  const device = await bench.synced(3);
  await device.agent.sync();
  bench.wire.asked.length = 0;
  const { commits } = device.storage;
  for (let n = 0; n < 5; n++) expect(await device.agent.sync()).toMatchObject({ requests: 1 });
  expect(device.storage.commits).toBe(commits);
  expect(log().changes).toHaveLength(3);
});

test('a record that was set aside is asked for by itself, and proven', async () => {
  const { bench, service, server } = piclBench();
  const device = await bench.synced(2);
  await service.spoil(service.id(0));
  await device.agent.sync();
  expect(bench.statusOf(device).quarantined).toBe(1);
  await bench.put(device, 0, { text: 'ours' });
  bench.wire.asked.length = 0;
  await device.agent.sync();
  expect(bench.wire.asked.some((one) => one.includes(`/records/${service.wireId(0)}`))).toBe(true);
  expect(server.log('things').changes).toHaveLength(3);
});
