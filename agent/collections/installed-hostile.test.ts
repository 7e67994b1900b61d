// What others have put among the apps, by mistake or on purpose: it is carried or set aside, the
// other apps are as they were, and an edit goes up all the same.

import { expect, it } from 'vitest';
import { type AppsDevice, AppsUser } from '../../test/support/installed-apps.ts';
import { kintoService } from '../../test/support/kinto-service.ts';
import { piclService } from '../../test/support/picl-service.ts';
import type { Body } from '../../test/support/service.ts';

const A = 'https://a.example';
const B = 'https://b.example';
const MANIFEST = { name: 'B' };

let nested: unknown = 0;
for (let n = 0; n < 1_000; n++) nested = [nested];

/** Entries that are no app here, and what becomes of them. */
const CARRIED: readonly [string, unknown][] = [
  ['null', null],
  ['a list', [1]],
  ['a text', 'x'],
  ['no stamp', { manifest: MANIFEST }],
  ['a stamp of NaN', { manifest: MANIFEST, last_modified: 'NaN' }],
  ['a stamp below 0', { manifest: MANIFEST, last_modified: -1 }],
  ['a stamp of 0', { manifest: MANIFEST, last_modified: 0 }],
  ['a stamp that is an object', { manifest: MANIFEST, last_modified: { $gt: 0 } }],
  ['deleted as a text', { manifest: MANIFEST, last_modified: 5, deleted: 'true' }],
  ['deleted as a number', { manifest: MANIFEST, last_modified: 5, deleted: 1 }],
  ['a manifest that is a list', { manifest: [], last_modified: 5 }],
  ['neither manifest nor URL', { last_modified: 5 }],
];

function ofBytes(count: number): Body {
  const app = { manifest: {}, last_modified: 5, more: '' };
  return { ...app, more: 'x'.repeat(count - JSON.stringify(app).length) };
}

/** Entries that are apps, however odd. */
const LIVE: readonly [string, Body][] = [
  ['a stamp of 1e308', { manifest: MANIFEST, last_modified: 1e308 }],
  ['a stamp of 2^53 + 1', JSON.parse('{"manifest":{},"last_modified":9007199254740993}')],
  ['a stamp as a text', { manifest: MANIFEST, last_modified: '1316560000.25' }],
  ['a stamp with zeros', JSON.parse('{"manifest":{},"last_modified":1316560000.2500}')],
  ['a manifest as a text', { manifest: '{"name":"B"}', last_modified: 5 }],
  ['__proto__', JSON.parse('{"manifest":{"__proto__":[]},"__proto__":1,"last_modified":5}')],
  ['receipts that are none', { manifest: {}, last_modified: 5, install_data: { receipts: 7 } }],
  ['an install_time that is none', { manifest: {}, last_modified: 5, install_time: 'now' }],
  ['an install_time of 1e308', { manifest: {}, last_modified: 5, install_time: 1e308 }],
  ['64 KiB', ofBytes(65_536)],
];

async function started(): Promise<[AppsUser, AppsDevice]> {
  const user = new AppsUser(kintoService());
  const one = await user.device();
  await user.put(one, A, { manifest: { name: 'A' }, install_time: 5 });
  await user.sync(one);
  return [user, one];
}

it.each(CARRIED)(
  'O54: %s is carried; others come, and the app can be installed',
  async (_, entry) => {
    const [user, one] = await started();
    await user.service.put(B, { entry });
    await user.service.put('https://c.example', { entry: { manifest: {}, last_modified: 5 } });
    await user.sync(one);
    const names = async () => (await user.list(one)).map(({ guid }) => guid);
    expect((await names()).sort()).toEqual([A, 'https://c.example']);
    expect(new Map(await user.service.live()).get(B)).toEqual({ entry });
    await expect(user.delete(one, B)).rejects.toMatchObject({ code: 'notFound' });
    await user.put(one, B, { manifest: MANIFEST });
    const other = await user.device();
    await user.sync(one, other);
    expect(await user.get(other, B)).toMatchObject({ manifest: MANIFEST });
  },
);

it.each(LIVE)('%s is an app, which an edit replaces', async (name, entry) => {
  const [user, one] = await started();
  await user.service.put(B, { entry });
  await user.sync(one);
  const { credentials: _, ...shown } = entry;
  const seen = await user.get(one, B);
  expect(JSON.stringify({ ...seen, guid: undefined })).toBe(JSON.stringify(shown));
  if (name === '64 KiB') return;
  await user.put(one, B, { note: 1 });
  const other = await user.device();
  await user.sync(one, other);
  expect(await user.get(other, B)).toMatchObject({ note: 1 });
});

it.each<[string, Body]>([
  ['a byte more than 64 KiB', ofBytes(65_537)],
  ['64 KiB of umlauts', { manifest: {}, last_modified: 5, more: 'ü'.repeat(32_768) }],
])('%s are set aside', async (_, entry) => {
  const [user, one] = await started();
  await user.service.put(B, { entry });
  await user.sync(one);
  expect(await user.list(one)).toMatchObject([{ guid: A }]);
  expect(one.agent.status().collections[user.service.collection]).toMatchObject({
    quarantined: 1,
  });
});

it.each([
  ['Kinto', kintoService],
  ['PiCL', piclService],
])('O4, O5, O6: on %s what has no name is no app, and stays where it is', async (_, start) => {
  const user = new AppsUser(start());
  const entry = { manifest: {}, last_modified: 5 };
  const names = [`${A}:443`, `${A}/`, 'chrome://browser', 'file:///x', '__proto__', 'app://x'];
  for (const id of names) await user.service.put(id, { entry });
  const one = await user.device();
  await user.put(one, A, { manifest: {} });
  await user.sync(one);
  expect(await user.list(one)).toMatchObject([{ guid: A }]);
  await user.put(one, `${A}:443/`, { note: 1 });
  await user.sync(one);
  const live = new Map(await user.service.live());
  for (const id of names) expect([id, live.get(id)]).toEqual([id, { entry }]);
  expect(live.get(A)).toMatchObject({ entry: { note: 1 } });
});

it('what nests a thousand times is set aside or carried, and ends nothing', async () => {
  const [user, one] = await started();
  await user.service.put(B, { entry: { manifest: {}, last_modified: 5, nested } });
  await user.service.put('https://c.example', { entry: { manifest: {}, last_modified: 5 } });
  await user.sync(one);
  expect(await user.get(one, 'https://c.example')).not.toBeNull();
  await user.service.put(B, { entry: { manifest: {}, last_modified: 6, nested: [nested] } });
  await user.sync(one);
});
