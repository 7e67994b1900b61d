import { expect, test } from 'vitest';
import { otherClient } from '../../emulator/servers/kinto/other-client.ts';
import { sameUser } from '../../test/support/same-user.ts';
import { forms } from '../collections/forms.ts';

test('where servers know records by hashes, apps are told of a thing by its own ids', async () => {
  const user = sameUser('kinto', { collections: [forms] });
  const device = await user.signedIn();
  device.agent.observe('forms', true);
  const other = otherClient(user.key.kB, 'forms');
  const place = user.kinto?.store.buckets.get(other.bucket)?.collections.get('forms');
  for (const id of ['one', 'two', 'three']) {
    const body = { id, name: 'q', value: 'same' };
    place?.put(other.wireId(id), { payload: other.sealed(id, body) });
    await user.sync(device);
  }
  await device.agent.delete('forms', 'three');
  const told = device.platform.events.map((json) => JSON.parse(json));
  const ids = new Set(told.filter(({ kind }) => kind === 'record').map(({ id }) => id));
  expect([...ids].sort()).toEqual(['one', 'three', 'two']);
  expect(await device.agent.list('forms', { limit: 5 })).toMatchObject({ records: [] });
});
