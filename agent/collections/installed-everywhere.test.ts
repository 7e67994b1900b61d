// Apps on every protocol that there is: what two devices change at the same time is the same on
// both in the end, whatever carries it.

import { describe, expect, it } from 'vitest';
import { type AppsDevice, AppsUser } from '../../test/support/installed-apps.ts';
import { kintoService } from '../../test/support/kinto-service.ts';
import {
  documentService,
  logService,
  recordsService,
} from '../../test/support/made-up/services.ts';
import { piclService } from '../../test/support/picl-service.ts';
import type { Body, Service } from '../../test/support/service.ts';
import { syncService } from '../../test/support/sync-service.ts';

const A = 'https://a.example';
const B = 'https://b.example';

const SERVICES: readonly [string, () => Service][] = [
  ['Syncto', () => syncService('syncto')],
  ['Sync 1.5', () => syncService('sync15')],
  ['Kinto', kintoService],
  ['PiCL', piclService],
  ['records', recordsService],
  ['a log', logService],
  ['a document', documentService],
];

function app(name: string, more: Body = {}): Body {
  const manifest_url = `https://${name}.example/manifest.webapp`;
  return { manifest: { name }, manifest_url, install_time: 1_316_550_000, ...more };
}

async function two(start: () => Service): Promise<[AppsUser, AppsDevice, AppsDevice]> {
  const user = new AppsUser(start());
  return [user, await user.device(), await user.device()];
}

async function same(user: AppsUser, ...devices: AppsDevice[]): Promise<readonly Body[]> {
  const [first = [], ...others] = await Promise.all(devices.map((one) => user.list(one)));
  for (const other of others) expect(other).toEqual(first);
  return first;
}

describe.each(SERVICES)('on %s', (_, start) => {
  it('an app that one device installs is on the other', async () => {
    const [user, one, other] = await two(start);
    await user.put(one, A, app('a', { install_data: { receipts: ['r'] }, odd: { deep: [1] } }));
    await user.sync(one, other);
    const [seen] = await same(user, one, other);
    expect(seen).toMatchObject({ guid: A, ...app('a'), odd: { deep: [1] } });
    expect(seen?.last_modified).toBeGreaterThan(1.7e9);
  });

  it('O58: what both change at the same time is on both as the later has it', async () => {
    const [user, one, other] = await two(start);
    await user.put(one, A, app('a', { install_data: ['0'] }));
    await user.put(one, B, app('b'));
    await user.sync(one, other);
    await user.put(one, A, { install_data: ['1'] });
    await user.delete(one, B);
    user.pass(1_000);
    await user.put(other, A, { install_data: ['2'], note: 'later' });
    user.pass(1_000);
    await user.put(other, B, { note: 'after the deletion' });
    await user.sync(one, other, one, other);
    const [a, b] = [...(await same(user, one, other))].sort((x, y) =>
      `${x.guid}` < `${y.guid}` ? -1 : 1,
    );
    expect(a).toMatchObject({ guid: A, install_data: ['2', '0', '1'], note: 'later' });
    expect(b).toMatchObject({ guid: B, note: 'after the deletion' });
  });

  it('O21: a later deletion takes the app from the other, which keeps that it was', async () => {
    const [user, one, other] = await two(start);
    await user.put(one, A, app('a'));
    await user.sync(one, other);
    await user.put(one, A, { note: 'earlier' });
    user.pass(1_000);
    await user.delete(other, A);
    await user.sync(one, other, one);
    expect(await same(user, one, other)).toEqual([]);
    await expect(user.delete(one, A)).rejects.toMatchObject({ code: 'notFound' });
    await user.put(one, A, app('again'));
    await user.sync(one, other);
    expect(await same(user, one, other)).toMatchObject([{ guid: A, manifest: { name: 'again' } }]);
  });

  it('O27: a long entry has the stamp on the device that it was sent with', async () => {
    const [user, one, other] = await two(start);
    await user.put(one, A, app('a', { more: 'x'.repeat(20_000) }));
    await user.sync(one);
    const [mine] = await user.list(one);
    await user.sync(other);
    expect(mine?.last_modified).toBeGreaterThan(1.7e9);
    expect(await user.list(other)).toEqual([mine]);
    await user.put(one, A, { more: 'y'.repeat(40_000) });
    await user.sync(one, other);
    expect((await same(user, one, other))[0]?.more).toHaveLength(40_000);
  });
});

// A sign-in to an accounts server does not last so long.
it.each(SERVICES.slice(2))('O61: on %s a deletion of two years ago is kept', async (_, start) => {
  const [user, one, other] = await two(start);
  await user.put(one, A, app('a'));
  await user.sync(one, other);
  await user.delete(one, A);
  user.pass(1_000);
  await user.sync(one);
  user.pass(2 * 365 * 86_400_000);
  const third = await user.device();
  await user.put(third, B, app('b'));
  await user.sync(third, one, other, third);
  expect(await same(user, one, other, third)).toMatchObject([{ guid: B }]);
  await expect(user.delete(third, A)).rejects.toMatchObject({ code: 'notFound' });
  const entries = [...(await user.service.live()).values()].map(({ entry }) => entry);
  expect(entries).toContainEqual({ deleted: true, last_modified: expect.any(Number) });
});
