// The remote as a whole.

import { expect, it, test } from 'vitest';
import { generic, owa } from '../../../agent/index.ts';
import { owaBench } from '../../../test/support/owa/service.ts';

it('says that its server reads what there is', async () => {
  const { bench } = owaBench();
  const device = await bench.synced(1);
  expect(bench.statusOf(device).encrypted).toBe(false);
});

it('keeps apps only, and syncs them whatever else is asked of it', async () => {
  const it = owaBench();
  const { bench, service } = it;
  Object.assign(bench.service, {
    contents: {
      ...service.contents,
      collections: [generic('notes'), ...service.contents.collections],
    },
  });
  const device = await bench.synced(2);
  await device.agent.configure({ collections: { notes: { enabled: true } } });
  const { error } = await device.agent.sync();
  expect(error).toEqual({ code: 'badResponse', message: 'notes: the server keeps apps only' });
  expect((await bench.held(device)).size).toBe(2);
});

test('a farewell says nothing', async () => {
  const { bench, asked } = owaBench();
  const device = await bench.synced(1);
  asked.length = 0;
  await device.agent.disable();
  expect(asked).toEqual([]);
  expect(owa.protocol).toBe('owa');
});
