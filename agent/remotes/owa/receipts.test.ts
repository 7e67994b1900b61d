// Receipts of an app: those that come in under a time which the device knows already, and those of
// an app that was deleted and installed anew before anybody else has heard of it.

import { expect, it } from 'vitest';
import { MINUTE_MS } from '../../../test/contract/bench.ts';
import { APPS, House } from '../../../test/support/owa/house.ts';
import { person, systemApp } from '../../../test/support/system-apps.ts';

const ORIGIN = 'https://a.example';
const app = (receipt: string) => systemApp('a', { install_data: { receipt } });

it('O29: they are with those of a change that the device has not sent yet', async () => {
  const house = new House(1);
  const device = await house.moveIn(0, house.nowMs);
  await person(device, ORIGIN, app('first'));
  expect((await house.sync(device)).error).toBeNull();
  const client = await house.client();
  const { [ORIGIN]: entry } = await client.document();
  const both = { ...(entry as object), install_data: { receipts: ['first', 'theirs'] } };
  await client.post({ [ORIGIN]: both });
  house.pass(MINUTE_MS, [device]);
  await person(device, ORIGIN, app('later'));
  expect((await house.sync(device)).error).toBeNull();
  const document = await house.document();
  const receipts = ['later', 'first', 'theirs'];
  expect(document[ORIGIN]).toMatchObject({ install_data: { receipts } });
  expect(await house.generated(device)).toEqual(document);
});

it('O29: who has an app anew between two passes has the receipts that the server has', async () => {
  const house = new House(2);
  const device = await house.moveIn(0, house.nowMs);
  const other = await house.moveIn(1, house.nowMs);
  await person(device, ORIGIN, app('first'));
  for (const one of [device, other]) expect((await house.sync(one)).error).toBeNull();
  house.pass(MINUTE_MS, [device, other]);
  await person(device, ORIGIN, null);
  await person(device, ORIGIN, app('anew'));
  for (const one of [device, other]) expect((await house.sync(one)).error).toBeNull();
  const document = await house.document();
  const install_data = { receipts: ['anew', 'first'] };
  expect(document[ORIGIN]).toMatchObject({ install_data });
  for (const one of [device, other]) {
    expect(await house.generated(one)).toEqual(document);
    expect(one.system.snapshot().get(ORIGIN)).toMatchObject({ install_data });
  }
});

it('a deletion that the server has seen takes them away', async () => {
  const house = new House(3);
  const device = await house.moveIn(0, house.nowMs);
  for (const said of [app('first'), null, app('anew')]) {
    house.pass(MINUTE_MS, [device]);
    await person(device, ORIGIN, said);
    expect((await house.sync(device)).error).toBeNull();
  }
  expect((await house.document())[ORIGIN]).toMatchObject({ install_data: { receipt: 'anew' } });
});

it('O29: what is installed anew while an upload is on its way has its receipts', async () => {
  const house = new House(4);
  const device = await house.moveIn(0, house.nowMs);
  await person(device, ORIGIN, app('first'));
  house.duringPost = async () => {
    await device.agent.delete(APPS, ORIGIN);
    await device.agent.put(APPS, { id: ORIGIN, ...app('anew') });
  };
  expect((await house.sync(device)).error).toBeNull();
  house.pass(MINUTE_MS, [device]);
  expect((await house.sync(device)).error).toBeNull();
  const document = await house.document();
  expect(document[ORIGIN]).toMatchObject({ install_data: { receipts: ['anew', 'first'] } });
  expect(await house.generated(device)).toEqual(document);
});

it('O29: a server that was set back gets them from a device that has them', async () => {
  const house = new House(5);
  const client = await house.client();
  const entry = { last_modified: 1_316_560_000, manifest: { name: 'a' } };
  await client.post({ [ORIGIN]: { ...entry, install_data: { receipts: ['first'] } } });
  const restore = house.backup();
  house.pass(MINUTE_MS, []);
  const install_data = { receipts: ['first', 'second'] };
  await client.post({ [ORIGIN]: { ...entry, install_data }, 'https://b.example': entry });
  const device = await house.moveIn(0, house.nowMs);
  expect(device.system.snapshot().get(ORIGIN)).toMatchObject({ install_data });
  restore();
  house.pass(MINUTE_MS, [device]);
  expect((await house.sync(device)).error).toBeNull();
  expect(device.system.snapshot().get(ORIGIN)).toMatchObject({ install_data });
  expect(await house.document()).toMatchObject({
    [ORIGIN]: { install_data },
    'https://b.example': entry,
  });
});
