// Receipts of an app that come in under a time which the device knows already.

import { expect, it } from 'vitest';
import { MINUTE_MS } from '../../../test/contract/bench.ts';
import { House } from '../../../test/support/owa/house.ts';
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
