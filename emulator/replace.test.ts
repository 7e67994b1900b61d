// A collection that is replaced at once, on a television: what that takes of its memory and its
// flash, and that no cut of the power leaves less than the one or the other whole. Only in
// `npm run test:sim`: it takes two firmwares of its own.

import { beforeAll, expect, test } from 'vitest';
import { DEFAULT_SOURCE } from '../firmware-bundle/build.ts';
import { secondDevice } from '../test/sim/second-device.ts';
import { every, isWhole } from '../test/sim/share.ts';
import { PowerCut } from './device/flash.ts';
import { type Firmware, firmwareFrom } from './firmware.ts';
import { loadProfile } from './profiles.ts';
import { syntheticAccount } from './servers/synthetic.ts';
import { createSetup, type Setup } from './setup.ts';

const TV = loadProfile('panasonic-cx700');
const RECORDS = 60;
const CHANGED = 10;

const firmwares = new Map<string, Firmware>();
beforeAll(async () => {
  for (const kind of ['generic', 'atomic']) firmwares.set(kind, await firmwareOf(kind));
});

function firmwareOf(kind: string): Promise<Firmware> {
  const made = "generic('things')";
  const contents = `import { sync15 } from '../../agent/contents/lazy.ts';
import { atomic, generic } from '../../agent/index.ts';
export const contents = {
  drivers: [sync15],
  collections: [${kind === 'atomic' ? `atomic(${made})` : made}],
};
export { cryptoOf as crypto, identityOf as identity, sendWhole as send } from './host.ts';
export const more = undefined;
export const systemApps = undefined;
`;
  return firmwareFrom(TV.name, { ...DEFAULT_SOURCE, contents });
}

interface Story {
  readonly setup: Setup;
  /** What apps see: the titles, by id. */
  shown(): Promise<ReadonlyMap<string, unknown>>;
}

/** A device that has synced and has an unsent change, before a server that has begun anew. */
async function begun(kind: string): Promise<Story> {
  const firmware = firmwares.get(kind);
  if (firmware === undefined) throw new Error(`no firmware is ${kind}`);
  const own = new Map([['things', RECORDS]]);
  const account = syntheticAccount({ records: 0, passwords: 0, seed: 1, own });
  const setup = createSetup({
    ...{ profile: TV, firmware, account, protocol: 'sync15', auth: 'bearer', crypto: 'device' },
    ...{ seed: 1, collections: ['things'] },
  });
  const { device, servers } = setup;
  await device.boot();
  expect(await device.command('enable', {})).toMatchObject({ ok: true });
  const [user] = account.store.users.values();
  if (servers === null || user === undefined) throw new Error('the account is outside');
  const other = secondDevice({ world: servers, nowMs: setup.nowMs() });
  for (const id of other.ids('things').slice(0, CHANGED)) {
    other.put('things', { ...other.get('things', id), id, title: 'theirs' });
  }
  const meta = JSON.parse(
    user.collections.get('meta')?.get('global', setup.nowMs())?.payload ?? '',
  );
  meta.engines.things.syncID = 'ANOTHERsyncI';
  const payload = JSON.stringify(meta);
  user.write('meta', [{ id: 'global', payload }], setup.nowMs());
  await device.idle(60_000);
  const record = { id: other.ids('things')[CHANGED], title: 'ours' };
  await device.command('put', { collection: 'things', record });
  return {
    setup,
    async shown() {
      const query = { collection: 'things', limit: 1_000 };
      const { records } = (await device.command('list', query)) as {
        records: readonly { readonly id: string; readonly title: unknown }[];
      };
      return new Map(records.map(({ id, title }) => [id, title]));
    },
  };
}

const counted = (shown: ReadonlyMap<string, unknown>, title: string): number =>
  [...shown.values()].filter((one) => one === title).length;

test.runIf(isWhole)('it costs little more memory than a collection that is not', async () => {
  const peaks: number[] = [];
  for (const kind of ['generic', 'atomic']) {
    const { setup, shown } = await begun(kind);
    const before = setup.flash().events;
    expect(await setup.device.command('sync', {})).toMatchObject({ ok: true });
    const held = await shown();
    expect([counted(held, 'theirs'), counted(held, 'ours'), held.size]).toEqual([
      ...[CHANGED, 1, RECORDS],
    ]);
    const { peakBytes } = setup.device.counters();
    console.log(`${kind}: peak ${peakBytes} bytes, ${setup.flash().events - before} flash writes`);
    peaks.push(peakBytes);
  }
  const [plain = 0, atomic = 0] = peaks;
  expect(atomic - plain).toBeLessThan(64_000);
});

test.runIf(isWhole)('a cut at any flash write leaves the one or the other whole', async () => {
  const whole = await begun('atomic');
  const start = whole.setup.flash().events;
  const before = await whole.shown();
  expect(await whole.setup.device.command('sync', {})).toMatchObject({ ok: true });
  const writes = whole.setup.flash().events - start;
  const seen = { old: 0, new: 0 };
  for (let at = 1; at <= writes; at += every(19, 3)) {
    const { setup, shown } = await begun('atomic');
    setup.flash().cutAt = setup.flash().events + at;
    await setup.device.command('sync', {}).catch((error: unknown) => {
      if (!(error instanceof PowerCut)) throw error;
    });
    setup.losePower('torn');
    await setup.device.boot();
    const found = await shown();
    const where = `write ${at} of ${writes}`;
    expect([0, CHANGED], where).toContain(counted(found, 'theirs'));
    expect([counted(found, 'ours'), found.size], where).toEqual([1, RECORDS]);
    seen[counted(found, 'theirs') === 0 ? 'old' : 'new']++;
    await setup.device.idle(2 * 86_400_000);
    expect(await setup.device.command('sync', {}), where).toMatchObject({ ok: true });
    const end = await shown();
    expect([counted(end, 'theirs'), counted(end, 'ours'), end.size], where).toEqual([
      ...[CHANGED, 1, RECORDS],
    ]);
    expect(await setup.device.command('status', {}), where).toMatchObject({
      collections: { things: { pending: 0, quarantined: 0 } },
    });
  }
  expect(counted(before, 'theirs')).toBe(0);
  console.log(`${seen.old + seen.new} cuts in ${writes} writes: old ${seen.old}, new ${seen.new}`);
  expect(seen.old).toBeGreaterThan(0);
});
