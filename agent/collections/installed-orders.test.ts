// Three devices with clocks of their own change the same apps without a network, and sync then in
// any order: they all end with the same apps, and in whatever order they did, with those.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AppsDevice, AppsUser } from '../../test/support/installed-apps.ts';
import { kintoService } from '../../test/support/kinto-service.ts';
import { recordsService } from '../../test/support/made-up/services.ts';
import { piclService } from '../../test/support/picl-service.ts';
import type { Body, Service } from '../../test/support/service.ts';
import { syncService } from '../../test/support/sync-service.ts';
import { receiptsOf } from './installed-receipts.ts';

const APPS = ['https://a.example', 'https://b.example'];
const SKEWS_MS = [0, -1_795_000_000_000, 400_000_000_000];

interface Edit {
  readonly device: number;
  readonly app: number;
  readonly kind: 'put' | 'pay' | 'delete';
  readonly afterMs: number;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  device: fc.nat(2),
  app: fc.nat(1),
  kind: fc.constantFrom('put', 'pay', 'delete'),
  afterMs: fc.constantFrom(0, 0, 1_000, 60_000),
});
const order = fc.shuffledSubarray([0, 1, 2], { minLength: 3 });

async function make(user: AppsUser, device: AppsDevice, { app, kind }: Edit, n: number) {
  const id = APPS[app] ?? '';
  const seen = await user.get(device, id);
  if (kind === 'delete') return seen && user.delete(device, id);
  const paid = [...(receiptsOf(seen ?? {})?.list ?? []), `r${n}`];
  const change: Body = kind === 'pay' ? { install_data: paid } : { n };
  return user.put(device, id, { manifest: { name: id }, install_time: 5, ...change });
}

/** What all have in the end. */
async function outcome(start: () => Service, edits: readonly Edit[], order: readonly number[]) {
  const user = new AppsUser(start());
  const devices: AppsDevice[] = [];
  for (const skewMs of SKEWS_MS) devices.push(await user.device({ skewMs }));
  const of = (n: number): AppsDevice => devices[n] as AppsDevice;
  await make(user, of(0), { device: 0, app: 0, kind: 'pay', afterMs: 0 }, 99);
  await user.sync(...devices);
  for (const [n, one] of edits.entries()) {
    user.pass(one.afterMs);
    await make(user, of(one.device), one, n);
  }
  for (let round = 0; round < 3; round++) await user.sync(...order.map(of));
  const [first = [], ...others] = await Promise.all(devices.map((one) => user.list(one)));
  for (const other of others) expect(other).toEqual(first);
  const asked = devices.map(({ storage }) => storage.commits);
  await user.sync(...devices);
  expect(devices.map(({ storage }) => storage.commits)).toEqual(asked);
  return first;
}

/** Which of two shops' receipts stands first, the order says. */
const sorted = (apps: readonly Body[], isPaid: boolean): Body[] =>
  apps.map(({ install_data, last_modified: _, ...app }) => ({
    ...app,
    paid: isPaid && [...new Set(receiptsOf({ install_data })?.list)].sort(),
  }));

it.each<[string, () => Service]>([
  ['Sync 1.5', () => syncService('sync15')],
  ['Kinto', kintoService],
  ['PiCL', piclService],
  ['records', recordsService],
])(
  'O58: on %s',
  async (_, start) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(edit, { maxLength: 7 }),
        order,
        order,
        async (edits, one, other) => {
          const ends = [await outcome(start, edits, one), await outcome(start, edits, other)];
          const isPaid = edits.every(({ kind }) => kind !== 'delete');
          const [left, right] = ends.map((apps) => sorted(apps, isPaid));
          expect(left).toEqual(right);
        },
      ),
      { seed: 58, numRuns: 8 },
    );
  },
  60_000,
);
