// Devices whose clocks are wrong: what they change says when by the server's clock, and is later
// than what it was made from.

import { describe, expect, it } from 'vitest';
import { type AppsDevice, AppsUser } from '../../test/support/installed-apps.ts';
import { kintoService } from '../../test/support/kinto-service.ts';
import { recordsService } from '../../test/support/made-up/services.ts';
import { piclService } from '../../test/support/picl-service.ts';
import type { Service } from '../../test/support/service.ts';
import { syncService } from '../../test/support/sync-service.ts';

const A = 'https://a.example';
const APP = { manifest: { name: 'A' }, install_time: 5 };
const DAY_MS = 86_400_000;
const SERVICES: readonly [string, () => Service][] = [
  ['Sync 1.5', () => syncService('sync15')],
  ['Kinto', kintoService],
  ['records', recordsService],
];

async function stampAt(user: AppsUser, device: AppsDevice): Promise<number> {
  const { last_modified } = (await user.get(device, A)) ?? {};
  return Number(last_modified);
}

describe.each(SERVICES)('on %s', (_, start) => {
  it.each([
    ['a day ahead', DAY_MS],
    ['a day behind', -DAY_MS],
    ['in 1970', -1_795_329_990_000],
    ['in 2040', 420_000_000_000],
  ])('O51: an edit of a device %s is as old as it is', async (__, skewMs) => {
    const user = new AppsUser(start());
    const [one, other] = [await user.device({ skewMs }), await user.device()];
    await user.put(one, A, APP);
    const madeMs = user.service.clock.nowMs;
    await user.sync(one, other);
    expect(Math.abs((await stampAt(user, other)) * 1_000 - madeMs)).toBeLessThan(2_000);
    expect(await stampAt(user, one)).toBe(await stampAt(user, other));
  });

  it('O51: so is one that was made before the first contact, in 1970', async () => {
    const user = new AppsUser(start());
    user.service.down(true);
    const one = await user.device({ skewMs: -user.service.clock.nowMs + 60_000 });
    await user.put(one, A, APP);
    const madeMs = user.service.clock.nowMs;
    user.service.down(false);
    user.pass(DAY_MS);
    const other = await user.device();
    await user.sync(one, other);
    expect(Math.abs((await stampAt(user, other)) * 1_000 - madeMs)).toBeLessThan(2_000);
  });

  it('O15, O27: a stamp is the same on both sides, and stays as it was sent', async () => {
    const user = new AppsUser(start());
    const [one, other] = [await user.device(), await user.device()];
    await user.put(one, A, APP);
    await user.sync(one);
    const stamp = await stampAt(user, one);
    await user.sync(other, one, other);
    expect(await stampAt(user, one)).toBe(stamp);
    expect(await stampAt(user, other)).toBe(stamp);
    const { commits } = one.storage;
    await user.sync(one);
    expect(one.storage.commits).toBe(commits);
  });

  it('a clock that was set between an edit and its upload makes the edit no older', async () => {
    const user = new AppsUser(start());
    const one = await user.device({ skewMs: -user.service.clock.nowMs + 60_000 });
    const other = await user.device();
    await user.put(other, A, { ...APP, n: 1 });
    await user.sync(other, one);
    user.pass(DAY_MS);
    await user.put(one, A, { n: 2 });
    one.skewMs = 0;
    user.pass(1_000);
    await user.sync(one, other);
    expect(await user.get(other, A)).toMatchObject({ n: 2 });
    expect(await stampAt(user, other)).toBeGreaterThan(user.service.clock.nowMs / 1_000 - 300);
  });
});

it.each([
  ['Kinto', kintoService],
  ['PiCL', piclService],
])(
  'O52: on %s an edit of what was changed in the future wins, again and again',
  async (_, start) => {
    const user = new AppsUser(start());
    const future = user.service.clock.nowMs / 1_000 + 2 * DAY_MS;
    await user.service.put(A, { entry: { ...APP, last_modified: future } });
    const [one, other] = [await user.device(), await user.device()];
    expect(await stampAt(user, one)).toBe(future);
    for (const [n, [mine, theirs]] of [[one, other] as const, [other, one] as const].entries()) {
      await user.put(mine, A, { n });
      await user.put(mine, A, { more: n });
      await user.sync(mine, theirs);
      expect(await user.get(theirs, A)).toMatchObject({ n, more: n });
    }
    expect(await stampAt(user, one)).toBeCloseTo(future + 0.002, 4);
    await user.delete(one, A);
    await user.sync(one, other);
    expect(await user.list(other)).toEqual([]);
    await user.put(other, A, APP);
    await user.sync(other, one);
    expect(await user.list(one)).toMatchObject([APP]);
  },
);
