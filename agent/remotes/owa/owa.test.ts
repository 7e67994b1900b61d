// The remote as a whole.

import { expect, it, test } from 'vitest';
import { generic, owa } from '../../../agent/index.ts';
import { AppsUser, type Serving } from '../../../test/support/installed-apps.ts';
import { owaBench } from '../../../test/support/owa/service.ts';
import { startOwa } from '../../../test/support/owa-server.ts';

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

it('O41, O59: behind an upload that a server has checked there is nothing to be read', async () => {
  const { world, verifyUrl, audience } = startOwa();
  const { clock, device: identity, fetch } = world;
  const remote = { protocol: 'owa', serverUrl: verifyUrl, audience, auth: 'browserid' as const };
  const contents = { drivers: [owa], collections: [] };
  const service = { clock, identity, fetch, collection: 'apps', config: { remote }, contents };
  const user = new AppsUser<Serving>(service);
  const device = await user.device();
  const manifest_url = 'https://a.test/manifest.webapp';
  await user.put(device, 'https://a.test', { manifest: { name: 'A' }, manifest_url });
  // The look, the document as it is, and as it shall be.
  expect(await device.agent.sync()).toMatchObject({ ok: true, requests: 3 });
  const { commits } = device.storage;
  user.pass(60_000);
  expect(await device.agent.sync()).toMatchObject({ ok: true, requests: 1 });
  expect(device.storage.commits).toBe(commits);
});
