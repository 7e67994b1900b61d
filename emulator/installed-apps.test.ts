// The built firmware in the machine with a system that has apps, and another device of the user.

import { beforeAll, describe, expect, test } from 'vitest';
import { sync15 } from '../agent/index.ts';
import { isWhole } from '../test/sim/share.ts';
import { userOf } from '../test/support/device.ts';
import type { Service } from '../test/support/service.ts';
import { type AppsDevice, newAppsDevice, person, syncApps } from '../test/support/system-apps.ts';
import { PowerCut } from './device/flash.ts';
import { type Firmware, freshFirmware } from './firmware.ts';
import { loadProfile } from './profiles.ts';
import { syntheticAccount } from './servers/synthetic.ts';
import type { World } from './servers/world.ts';
import { createSetup, type Setup } from './setup.ts';

const TV = loadProfile('panasonic-cx700');
const KIB = 1_024;
const origin = (name: string): string => `https://${name}.example`;
const app = (name: string, more: object = {}) => ({ manifest: { name, ...more } });

let firmware: Firmware;

/** The television, and a computer of the same user. */
async function household(): Promise<{ tv: Setup; computer: AppsDevice; service: Service }> {
  const tv = createSetup({
    ...{ profile: TV, firmware, protocol: 'sync15', auth: 'bearer', crypto: 'device', seed: 1 },
    account: syntheticAccount({ records: 0, passwords: 0, seed: 1 }),
    collections: ['apps'],
    withSystemApps: true,
  });
  const world = tv.servers as World;
  const clock = {
    get nowMs() {
      return tv.nowMs();
    },
    set nowMs(_: number) {
      // Time passes on the television.
    },
  };
  const service = {
    ...{ fetch: world.fetch, clock, collection: 'apps' },
    contents: { drivers: [sync15], collections: [] },
    identity: userOf({ world, nowMs: tv.nowMs() }),
    config: {
      remote: {
        ...{ protocol: 'sync15', serverUrl: world.urls.token, auth: 'bearer' },
        audience: `${world.urls.token}/`,
      },
    },
  } as unknown as Service;
  return { tv, computer: await newAppsDevice(service), service };
}

/** Time in which what has begun comes to its end. */
const settle = ({ device }: Setup): Promise<void> => device.idle(60_000);

async function originsOf(tv: Setup): Promise<string[]> {
  return (await tv.system.apps().list('', 100)).map((one) => one.origin);
}

// A firmware for itself takes long to build.
describe.runIf(isWhole)('a television with apps', () => {
  beforeAll(async () => {
    firmware = await freshFirmware(TV.name, ['sync15', 'installedApps']);
  }, 240_000);

  test('has what the computer installs, and the computer has what its user installs', async () => {
    const { tv, computer, service } = await household();
    await person(computer, origin('a'), app('a'));
    await person(computer, origin('b'), app('b'));
    await syncApps(service, computer);
    await tv.device.boot();
    await tv.device.command('enable', {});
    await settle(tv);
    expect([...tv.system.apps().did].sort()).toEqual(
      ['a', 'b'].map((name) => `install ${origin(name)}`),
    );
    await tv.system.apps().person(origin('c'), app('c'));
    await tv.system.apps().person(origin('a'), null);
    await settle(tv);
    await tv.device.command('sync', {});
    await syncApps(service, computer);
    expect([...computer.system.snapshot().keys()]).toEqual(['b', 'c'].map(origin));
    const listed = async (purpose: string): Promise<unknown> => {
      const query = { collection: 'apps', limit: 10, purpose };
      const { records } = (await tv.device.command('list', query)) as { records: object[] };
      return records;
    };
    expect(await listed('own')).toMatchObject([{ guid: origin('c'), sync: false }]);
    expect(await listed('remote')).toMatchObject([
      { guid: origin('b'), sync: true, here: { state: 'installed', promoted: false } },
    ]);
    await tv.device.command('promote', { id: origin('b'), on: true });
    tv.losePower();
    await tv.device.boot();
    await settle(tv);
    expect(await listed('own')).toMatchObject([{ guid: origin('c') }, { guid: origin('b') }]);
    await tv.device.command('hide', { id: origin('b'), on: true });
    expect(await listed('pick')).toMatchObject([{ guid: origin('c') }]);
    expect([...tv.system.apps().did].sort()).toEqual([]);
  });

  test('loses nothing and installs nothing twice, wherever its power goes', async () => {
    const { tv, computer, service } = await household();
    await tv.device.boot();
    await tv.device.command('enable', {});
    await settle(tv);
    const did: string[] = [];
    for (let at = 1; at <= 12; at++) {
      await person(computer, origin(`n${at}`), app('x', { text: 'y'.repeat(3_000) }));
      await person(computer, origin(`n${at - 6}`), null);
      await syncApps(service, computer);
      // Every third one goes on the flash of the system itself.
      const flash = at % 3 === 0 ? tv.system.flash() : tv.flash();
      flash.cutAt = flash.events + 1 + ((at * 5) % 11);
      const live = async (): Promise<void> => {
        await tv.device.command('sync', {});
        await settle(tv);
      };
      await live().catch((error: unknown) => expect(error).toBeInstanceOf(PowerCut));
      did.push(...tv.system.apps().did);
      tv.losePower();
      await tv.device.boot();
      await settle(tv);
    }
    await tv.device.command('sync', {});
    await settle(tv);
    const names = [7, 8, 9, 10, 11, 12].map((at) => origin(`n${at}`)).sort();
    expect(await originsOf(tv)).toEqual(names);
    expect([...computer.system.snapshot().keys()]).toEqual(names);
    expect(new Set(did).size).toBe(did.length);
  }, 120_000);

  test('takes as much memory for 200 apps of 10 KB as for 20', async () => {
    const peaks: number[] = [];
    for (const count of [20, 200]) {
      const { tv, computer, service } = await household();
      for (let n = 0; n < count; n++) {
        computer.system.person(origin(`n${n}`), app('x', { text: 'y'.repeat(10 * KIB) }));
      }
      await computer.agent.appsSettled?.();
      await syncApps(service, computer);
      await tv.device.boot();
      await tv.device.command('enable', {});
      await settle(tv);
      expect(tv.system.apps().did).toHaveLength(count);
      peaks.push(tv.device.counters().peakBytes);
    }
    const [few = 0, many = 0] = peaks;
    expect(many).toBeLessThanOrEqual(TV.ramCapBytes);
    expect(many).toBeLessThanOrEqual(few * 1.1);
  }, 240_000);
});
