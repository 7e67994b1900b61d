// What an app is told that it uses is what it has, whatever has changed it; and it is counted once.

import { expect, test } from 'vitest';
import { appOf } from '../../test/support/apps.ts';
import { sameUser, type UserDevice } from '../../test/support/same-user.ts';
import { appBytes } from '../collections/app.ts';
import { apps } from '../index.ts';

/** Looked at record by record. */
async function looked(device: UserDevice): Promise<{ records: number; bytes: number }> {
  const { records } = await appOf(device).records('notes', { limit: 1_000 });
  return {
    records: records.length,
    bytes: records.reduce((sum, record) => sum + appBytes(record), 0),
  };
}

test('it is right after every change, be it this device’s or another’s', async () => {
  const user = sameUser('kinto', { collections: [], apps });
  const [a, b] = [await user.signedIn(), await user.signedIn()];
  for (const device of [a, b]) await appOf(device).create('notes');
  const right = async (): Promise<void> => {
    for (const device of [a, b])
      expect(await appOf(device).usage()).toMatchObject(await looked(device));
  };
  await appOf(a).put('notes', { id: '1', text: 'größe' });
  await right();
  await appOf(a).put('notes', { id: '1', more: 1 });
  await appOf(a).put('notes', { id: '2', text: 'x'.repeat(500) });
  await right();
  await user.sync(a, b);
  await right();
  await appOf(b).put('notes', { id: '1', text: 'theirs' });
  await appOf(b).delete('notes', '2');
  await appOf(a).put('notes', { id: '1', text: 'ours, which is longer' });
  await right();
  await user.sync(b, a, b);
  await right();
  await appOf(a).delete('notes', '1');
  await right();
  expect(await appOf(a).usage()).toMatchObject({ records: 0, bytes: 0 });
});

test('it is right where a deletion follows at once what another device has sent', async () => {
  const user = sameUser('kinto', { collections: [], apps });
  const [a, b] = [await user.signedIn(), await user.signedIn()];
  for (const device of [a, b]) await appOf(device).create('notes');
  await appOf(b).put('notes', { id: 'own', text: 'mine' });
  expect(await appOf(b).usage()).toMatchObject({ records: 1 });
  await appOf(a).put('notes', { id: 'theirs', text: 'x'.repeat(100) });
  await user.sync(a, b);
  await appOf(b).delete('notes', 'own');
  expect(await appOf(b).usage()).toMatchObject(await looked(b));
  expect(await appOf(b).usage()).toMatchObject({ records: 1 });
});

test('it is right after a change that could not be made', async () => {
  const user = sameUser('kinto', { collections: [], apps });
  const device = await user.signedIn();
  await appOf(device).create('notes');
  await appOf(device).put('notes', { id: '1', text: 'x' });
  const { storage } = device;
  const commit = storage.commit.bind(storage);
  storage.commit = () => Promise.reject(Object.assign(new Error('no room'), { code: 'full' }));
  await expect(appOf(device).put('notes', { id: '2' })).rejects.toMatchObject({
    code: 'storageFull',
  });
  storage.commit = commit;
  expect(await appOf(device).usage()).toMatchObject(await looked(device));
  await appOf(device).put('notes', { id: '2' });
  expect(await appOf(device).usage()).toMatchObject({ records: 2 });
});

test('it is counted once, in portions, and not again for what the app itself changes', async () => {
  const user = sameUser('kinto', { collections: [], apps });
  const device = await user.signedIn();
  await appOf(device).create('notes');
  for (let n = 0; n < 130; n++) await appOf(device).put('notes', { id: `${n}` });
  await user.sync(device);
  const scans: (number | undefined)[] = [];
  const scan = device.storage.scan.bind(device.storage);
  device.storage.scan = async (range) => {
    const found = await scan(range);
    if (range.from.includes('.x.z')) scans.push(found.length);
    return found;
  };
  await appOf(device).put('notes', { id: 'new' });
  expect(scans).toEqual([64, 64, 2]);
  await appOf(device).put('notes', { id: 'newer', text: 'x' });
  await appOf(device).delete('notes', 'new');
  expect(await appOf(device).usage()).toMatchObject(await looked(device));
  expect(scans).toHaveLength(3);
});
