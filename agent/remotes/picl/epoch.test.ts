import { expect, test } from 'vitest';
import { otherClient } from '../../../emulator/servers/picl/other-client.ts';
import { piclBench } from '../../../test/support/picl/bench.ts';
import { KB, NAME } from '../../../test/support/picl-service.ts';
import { epochText } from './epoch.ts';

test('an epoch says from which change on the log goes another way, and why', () => {
  expect(JSON.parse(epochText({ epoch: 2, fromSeq: 7 }))).toEqual({
    ...{ epoch: 2, reason: 'restored', fromSeq: 7 },
  });
  expect(JSON.parse(epochText({ epoch: 1, fromSeq: 0 }))).toMatchObject({ reason: 'new' });
});

test('apps never see it, and no record of theirs is called like it', async () => {
  const { bench, service, log } = piclBench();
  await service.renew();
  const device = await bench.synced(2);
  expect((await bench.held(device)).size).toBe(2);
  await bench.put(device, 5, { text: 'x' });
  await device.agent.put(NAME, { id: '__epoch', text: 'mine' });
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(log().changes.filter(({ key }) => key === '__epoch')).toHaveLength(1);
  expect(await device.agent.get(NAME, '__epoch')).toMatchObject({ text: 'mine' });
});

test.each([
  ['nobody has sealed', null],
  ['is no JSON', 'x'],
  ['has no numbers', '{"epoch":"9","fromSeq":0}'],
])('one that %s ends no fork', async (_what, text) => {
  const { bench, server, service, log, refused } = piclBench();
  const device = await bench.synced(3);
  server.rewind(NAME, 2);
  const keys = otherClient(KB, text === null ? 'others' : NAME);
  server.append(NAME, keys.change(log().head, '__epoch', text ?? '{"epoch":9,"fromSeq":0}'));
  service.put(service.id(5), { text: 'x' });
  await refused(device, 'fork');
});

test('an epoch that came in the log is known: the same number ends no fork', async () => {
  const { bench, server, service, refused } = piclBench();
  const device = await bench.synced(2);
  service.write('__epoch', epochText({ epoch: 4, fromSeq: 1 }));
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  await bench.agreed(device);
  server.rewind(NAME, 2);
  service.write('__epoch', epochText({ epoch: 4, fromSeq: 1 }));
  await refused(device, 'fork');
  server.rewind(NAME, 2);
  service.write('__epoch', epochText({ epoch: 5, fromSeq: 2 }));
  await bench.recovered(device);
  await bench.agreed(device);
});
