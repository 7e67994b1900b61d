// What an app has for itself, over the bridge of a device before a Kinto: it is kept, counted and
// sent, through cuts of the power, and what that costs of memory stays small.

import { beforeAll, expect, test } from 'vitest';
import { isWhole } from '../test/sim/share.ts';
import { PowerCut } from './device/flash.ts';
import { type Firmware, freshFirmware } from './firmware.ts';
import { loadProfile } from './profiles.ts';
import { syntheticAccount } from './servers/synthetic.ts';
import { createSetup, type Setup } from './setup.ts';

const TV = loadProfile('panasonic-cx700');
/** Apps need a firmware of several remotes, and a device that has one uses it like this. */
const PROFILE = { ...TV, agent: { ...TV.agent, remotes: {} } };
const RECORDS = 120;

let firmware: Firmware;
beforeAll(async () => {
  firmware = await freshFirmware(TV.name, ['kinto', 'settings', 'apps']);
}, 120_000);

async function begun(): Promise<Setup> {
  const setup = createSetup({
    ...{ profile: PROFILE, firmware, protocol: 'kinto', auth: 'basic', crypto: 'device' },
    account: syntheticAccount({ records: 0, passwords: 0, seed: 1 }),
    ...{ seed: 1, collections: ['settings'] },
  });
  await setup.device.boot();
  expect(await setup.device.command('enable', {})).toMatchObject({ ok: true });
  return setup;
}

const app = async ({ device }: Setup, call: string, more: object = {}): Promise<unknown> =>
  device.command('app', { origin: 'https://notes.example/index.html', call, ...more });

test('an app keeps, counts, sends and drops what it has by commands', async () => {
  const setup = await begun();
  await expect(app(setup, 'put', { name: 'notes', record: {} })).rejects.toMatchObject({
    code: 'badInput',
  });
  await app(setup, 'create', { name: 'notes' });
  await app(setup, 'watch', { name: 'notes', on: true });
  const record = { id: 'a note', text: 'größe', in: [1, { x: null }] };
  expect(await app(setup, 'put', { name: 'notes', record })).toEqual({ id: 'a note' });
  const whole = [record.id, record.text, JSON.stringify(record.in)];
  const { bytes } = (await app(setup, 'usage')) as { bytes: number };
  expect(bytes).toBeGreaterThan(Buffer.byteLength(whole.join('')));
  expect(await setup.device.command('sync', {})).toMatchObject({ ok: true });
  expect(await app(setup, 'get', { name: 'notes', id: 'a note' })).toEqual({ record });
  expect(await app(setup, 'list')).toEqual({ names: ['notes'] });
  const other = { origin: 'http://notes.example', call: 'list' };
  expect(await setup.device.command('app', other)).toEqual({ names: [] });
  await expect(setup.device.command('app', { ...other, origin: 'x' })).rejects.toThrow(
    'origin: not the address of an app',
  );
  await app(setup, 'drop', { name: 'notes', everywhere: true });
  expect(await setup.device.command('sync', {})).toMatchObject({ ok: true });
  expect(await app(setup, 'usage')).toMatchObject({ collections: 0, records: 0, bytes: 0 });
});

test.runIf(isWhole)(
  'many records of an app cost no more than few, neither memory nor instructions',
  async () => {
    const setup = await begun();
    await app(setup, 'create', { name: 'notes' });
    const costs: number[] = [];
    let before = 0;
    for (let n = 0; n < RECORDS; n++) {
      if (n === RECORDS / 3) {
        expect(await setup.device.command('sync', {})).toMatchObject({ ok: true });
        before = setup.device.counters().peakBytes;
      }
      const { instructions } = setup.device.counters();
      await app(setup, 'put', { name: 'notes', record: { id: `note ${n}`, text: `text ${n}` } });
      costs.push(setup.device.counters().instructions - instructions);
    }
    expect(await setup.device.command('sync', {})).toMatchObject({ ok: true });
    const { peakBytes } = setup.device.counters();
    const cost = (of: number[]): number => of.reduce((sum, one) => sum + one, 0) / of.length / 1e6;
    const [few, many] = [cost(costs.slice(10, 40)), cost(costs.slice(-30))];
    console.log(`apps: peak ${peakBytes} bytes (${before} at a third), a put ${few} M, ${many} M`);
    expect(await app(setup, 'usage')).toMatchObject({ records: RECORDS });
    expect(peakBytes).toBeLessThan(before * 1.05);
    expect(peakBytes).toBeLessThan(1_048_576);
    expect(many).toBeLessThan(few * 1.1);
  },
);

test('a cut of the power loses nothing that an app was told is kept', async () => {
  const setup = await begun();
  await app(setup, 'create', { name: 'notes' });
  for (const after of [1, 4, 9]) {
    setup.flash().cutAt = setup.flash().events + after;
    let kept = 0;
    try {
      for (let n = 0; ; n++) {
        await app(setup, 'put', { name: 'notes', record: { id: `${after} ${n}` } });
        kept = n + 1;
      }
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
    }
    setup.losePower('torn');
    await setup.device.boot();
    const { records } = (await app(setup, 'records', { name: 'notes', prefix: `${after} ` })) as {
      records: object[];
    };
    expect(records.length).toBeGreaterThanOrEqual(kept);
  }
  expect(await setup.device.command('sync', {})).toMatchObject({ ok: true });
});
