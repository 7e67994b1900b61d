// What a device's apps do with the user's web apps, and what becomes of an edit.

import { beforeEach, describe, expect, it } from 'vitest';
import { type AppsDevice, AppsUser } from '../../test/support/installed-apps.ts';
import { recordsService } from '../../test/support/made-up/services.ts';
import { rowsOf } from '../../test/support/rows.ts';
import type { Body } from './collection.ts';
import { installedApps, readable } from './installed-apps.ts';

const A = 'https://a.example';
const APP: Body = {
  manifest: { name: 'A', odd: [{ deep: null }] },
  manifest_url: 'https://a.example/manifest.webapp',
  install_data: { receipts: ['r~1', 'r~2'], more: 1 },
  install_origin: 'https://store.example',
  install_time: 1_316_550_000.5,
};
/** Its bytes, with one more member. */
const BARE = JSON.stringify({ ...APP, more: '' }).length;

let user = new AppsUser(recordsService(), false);
let one: AppsDevice;

beforeEach(async () => {
  user = new AppsUser(recordsService(), false);
  one = await user.device();
});

/** What went up, as the other device's apps see it. */
async function elsewhere(): Promise<Body[]> {
  const other = user.devices[1] ?? (await user.device());
  await user.sync(one, other);
  return user.list(other);
}

describe('an app', () => {
  it('O13: has its members on every device exactly as they were given', async () => {
    await user.put(one, A, APP);
    expect(await elsewhere()).toEqual([
      { guid: A, ...APP, last_modified: user.service.clock.nowMs / 1_000 - 120 },
    ]);
  });

  it('O1: is put, read and deleted under the name of its origin', async () => {
    expect(await user.put(one, 'HTTPS://A.example:443/', APP)).toBe(A);
    expect(await user.get(one, 'https://a.EXAMPLE')).toMatchObject({ guid: A });
    await user.put(one, 'https://a.example:0443', { note: 1 });
    expect(await user.list(one)).toMatchObject([{ guid: A, note: 1, manifest: APP.manifest }]);
    await user.delete(one, 'https://a.example/');
    expect(await user.list(one)).toEqual([]);
  });

  it.each(['chrome://browser', 'file:///x', 'app://7f3c', 'https://a.example/path', '', 'a'])(
    'O6: has no other name: %s',
    async (id) => {
      const refused = { code: 'badInput', message: expect.stringContaining('id: not the origin') };
      await expect(user.put(one, id, APP)).rejects.toMatchObject(refused);
      await expect(user.get(one, id)).rejects.toMatchObject(refused);
      await expect(one.agent.put(user.service.collection, APP)).rejects.toMatchObject(refused);
    },
  );

  it('O57: is listed with the newest first, by its name where none says when', async () => {
    const times: [string, Body][] = [
      ['https://b.example', { install_time: 1_316_550_000 }],
      ['https://d.example', { install_time: null }],
      ['https://a.example', { install_time: 1_316_550_001.5 }],
      ['https://c.example', { install_time: null }],
      ['https://e.example', { install_time: 1_316_550_001.2 }],
    ];
    for (const [id, more] of times) await user.put(one, id, { ...APP, ...more });
    const names = (records: Body[]) => records.map(({ guid }) => `${guid}`.charAt(8)).join('');
    expect(names(await user.list(one))).toBe('aebcd');
    expect(names(await user.list(one, { prefix: 'https://c' }))).toBe('c');
    expect(names(await user.list(one, { prefix: 'https://' }))).toBe('abcde');
    expect(names(await elsewhere())).toBe('aebcd');
  });
});

describe('an edit', () => {
  it('O14: changes what it names; what nobody knows stays, however deep', async () => {
    await user.put(one, A, { ...APP, odd: { deep: [{ x: 1 }] }, other: 'y' });
    const [before = {}] = await elsewhere();
    await user.put(one, A, { manifest: { name: 'B' }, other: null });
    const { other: _, ...expected } = before;
    const [after = {}] = await elsewhere();
    expect(after).toEqual({
      ...expected,
      manifest: { name: 'B' },
      last_modified: after.last_modified,
    });
    expect(after.last_modified).toBeGreaterThan(before.last_modified as number);
  });

  it('that says what is there already writes nothing', async () => {
    await user.put(one, A, APP);
    await user.sync(one);
    const { commits } = one.storage;
    const [seen = {}] = await user.list(one);
    await user.put(one, A, seen);
    await user.put(one, A, APP);
    await user.put(one, A, {});
    expect(one.storage.commits).toBe(commits);
  });

  it('O18: writes nothing that is the device’s own, and no stamp', async () => {
    await user.put(one, A, { ...APP, sync: true, last_modified: 5, deleted: 'no' });
    const [seen = {}] = await elsewhere();
    expect(Object.keys(seen)).not.toContain('sync');
    expect(seen).toMatchObject({ last_modified: user.service.clock.nowMs / 1_000 - 120 });
  });

  it('O11: that deletes leaves no receipt here, and none goes up', async () => {
    await user.put(one, A, APP);
    await elsewhere();
    await user.delete(one, A);
    const kept = await storedTexts(one);
    expect(kept.filter((text) => text.includes('"deleted":true'))).toHaveLength(1);
    await user.sync(one);
    expect((await storedTexts(one)).filter((text) => text.includes('r~'))).toEqual([]);
    expect(await elsewhere()).toEqual([]);
  });

  it.each<[string, Body, string]>([
    ['no manifest', {}, 'manifest: there is none'],
    ['a manifest that is a text', { manifest: '{}' }, 'manifest: not an object'],
    ['a URL of another kind', { manifest_url: 'file:///x' }, 'manifest_url: not an http(s) URL'],
    ['an odd store', { ...APP, install_origin: 5 }, 'install_origin: not a text'],
    ['an odd time', { ...APP, install_time: '5' }, 'install_time: not a time in seconds'],
    ['a negative time', { ...APP, install_time: -1 }, 'install_time: not a time in seconds'],
    ['a long device', { ...APP, install_device: 'x'.repeat(65) }, 'install_device: not a text'],
    ['65 KB', { ...APP, more: 'x'.repeat(65_536) }, 'record: longer than 65536 bytes'],
    ['65 KB with its time', { ...APP, more: 'x'.repeat(65_531 - BARE) }, 'longer than 65536 bytes'],
    ['65 KB in UTF-8', { ...APP, more: 'ü'.repeat(32_768) }, 'record: longer than 65536 bytes'],
  ])('is refused with its field and limit, and nothing is written: %s', async (_, app, why) => {
    const { commits } = one.storage;
    await expect(user.put(one, A, app)).rejects.toMatchObject({
      code: 'badInput',
      message: expect.stringContaining(why),
    });
    expect(one.storage.commits).toBe(commits);
  });

  it('is refused where it nests a million times', async () => {
    let more: unknown = 0;
    for (let n = 0; n < 1_000_000; n++) more = [more];
    await expect(user.put(one, A, { ...APP, more })).rejects.toMatchObject({
      code: 'badInput',
      message: expect.stringContaining('nests deeper than 30 levels'),
    });
  });

  it('may name every member, whatever its name', async () => {
    const app: Body = JSON.parse(`{"__proto__":{"x":1},"constructor":2,"manifest":{"name":"A"}}`);
    await user.put(one, A, app);
    const [seen = {}] = await elsewhere();
    expect(JSON.stringify(seen)).toContain('"__proto__":{"x":1},"constructor":2');
  });
});

describe('credentials of services', () => {
  it('travel, and no app is shown them', async () => {
    await user.put(one, A, { ...APP, credentials: { token: 'secret' } });
    expect(await elsewhere()).toMatchObject([APP]);
    expect(JSON.stringify(await elsewhere())).not.toContain('secret');
    const [, other] = user.devices;
    await user.put(other as AppsDevice, A, { note: 1 });
    await user.sync(other as AppsDevice, one);
    expect((await storedTexts(one)).join()).toContain('"credentials":{"token":"secret"}');
    expect(JSON.stringify(one.platform.events)).not.toContain('secret');
  });

  it('are not taken where the server could read them', () => {
    const open = readable(installedApps);
    const prepare = (input: Body) => open.prepare({ id: A, ...APP, ...input }, null, A, 0);
    expect(prepare({ credentials: 'x' })).toMatchObject({ ok: false });
    expect(prepare({ credentials: null })).toMatchObject({ ok: true });
    expect(prepare({})).toMatchObject({ ok: true });
  });
});

/** Everything that is stored of the apps. */
async function storedTexts({ storage }: AppsDevice): Promise<string[]> {
  const rows = await rowsOf(storage);
  return rows.flatMap(([key, value]) => (/^\d+\.o\./.test(key) ? [`${value}`] : []));
}
