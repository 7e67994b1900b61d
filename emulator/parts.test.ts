// Parts of the firmware, which a device loads when it first uses them: what it has switched off
// costs it nothing, and whatever happens while one is loaded, the next pass is whole.

import { beforeAll, describe, expect, test } from 'vitest';
import { every } from '../test/sim/share.ts';
import { command, TV, television } from '../test/support/television.ts';
import { CommandError, DeviceHung } from './device/device.ts';
import { VmError, VmKilled } from './device/vm-errors.ts';
import { type Firmware, freshFirmware } from './firmware.ts';
import type { Setup, SetupOptions } from './setup.ts';

const PAGE = { url: 'https://a.example/', visits: [{ date: 1_795_323_276_914_594, type: 1 }] };
/** What a story of the shipped contents asks for, in this order. */
const ASKED = ['sync15', 'clients', 'history', 'passwords', 'software', 'records'];

let firmware: Firmware;
beforeAll(async () => {
  firmware = await freshFirmware(TV.name);
});

interface Lived {
  readonly setup: Setup;
  /** Parts that the device was asked for, in order. */
  readonly asked: string[];
}

function lived(
  options: Partial<SetupOptions> = {},
  onPart: (name: string, setup: Setup) => boolean = () => false,
): Lived {
  const asked: string[] = [];
  const setup: Setup = television(firmware, {
    failPart(name) {
      asked.push(name);
      return onPart(name, setup);
    },
    ...options,
  });
  return { setup, asked };
}

/** Every way in which the device is used here; `done` gives each command. */
async function story(done: (name: string, json?: object) => Promise<void>): Promise<void> {
  await done('enable');
  await done('put', { collection: 'history', record: PAGE });
  await done('sync');
}

/** What was not done is done by the next pass, and nothing is left to send. */
async function expectWhole(setup: Setup): Promise<void> {
  expect(await command(setup, 'sync')).toMatchObject({ ok: true });
  const none = { quarantined: 0, pending: 0 };
  expect(await command(setup, 'status')).toMatchObject({
    error: null,
    collections: { history: { held: 65, ...none }, passwords: { held: 11, ...none } },
  });
}

describe('a device', () => {
  test('asks for a part when it first uses it, once in a boot', async () => {
    const { setup, asked } = lived();
    await setup.device.boot();
    expect(asked).toEqual([]);
    await story(async (name, json) => void (await command(setup, name, json)));
    expect(asked).toEqual(ASKED);
    await expectWhole(setup);
  });

  test('asks for none where it loads all of them at its boot, and does the same', async () => {
    const { setup, asked } = lived({ isWithoutParts: true });
    await setup.device.boot();
    await story(async (name, json) => void (await command(setup, name, json)));
    expect(asked).toEqual([]);
    await expectWhole(setup);
  });

  test('pays for a collection when it is switched on, and has it then', async () => {
    const { setup, asked } = lived({ collections: ['history'] });
    await setup.device.boot();
    await command(setup, 'enable');
    expect(asked).not.toContain('passwords');
    const peakBytes = setup.device.counters().peakBytes;
    expect(await command(setup, 'status')).toMatchObject({
      collections: { passwords: { enabled: false, held: 0 } },
    });
    await command(setup, 'configure', { collections: { passwords: { enabled: true } } });
    expect(await command(setup, 'sync')).toMatchObject({ ok: true });
    expect(asked).toContain('passwords');
    expect(setup.device.counters().peakBytes).toBeGreaterThanOrEqual(peakBytes);
    await command(setup, 'put', { collection: 'history', record: PAGE });
    await expectWhole(setup);
  });
});

/** All of them, or a share. */
const SOME = ASKED.filter((_, at) => at % every(3) === 0);

describe.each(ASKED)('where %s', (part) => {
  test('cannot be read, the error names it, and whoever asks later has it', async () => {
    let failures = 2;
    const { setup } = lived({}, (name) => name === part && failures-- > 0);
    await setup.device.boot();
    const told: Refusal[] = [];
    await story(async (name, json) => {
      for (;;) {
        const error = await command(setup, name, json).then(errorOf, refusalOf);
        if (error === null) return;
        told.push(error);
      }
    });
    expect(told.map(({ code }) => code)).toEqual(['deviceFailed', 'deviceFailed']);
    for (const { message } of told)
      expect(message).toContain(`${part}: this part cannot be loaded`);
    await expectWhole(setup);
  });
});

describe.each(SOME)('where %s', (part) => {
  test('is loaded when the power goes, nothing is lost', async () => {
    let cuts = 2;
    const { setup } = lived({}, (name) => {
      if (name === part && cuts-- > 0) throw new PowerCut();
      return false;
    });
    await setup.device.boot();
    await story(async (name, json) => {
      for (;;) {
        const isDone = await command(setup, name, json).then(() => true, notIfCut);
        if (isDone) return;
        setup.losePower();
        await setup.device.boot();
      }
    });
    expect(cuts).toBeLessThanOrEqual(0);
    await expectWhole(setup);
  });
});

/** Of the engine's requests for memory while a part loads: every one, and ever fewer. */
const REFUSED = [1, 60, 1_500, 500];

/** What a device is told that has to start again: see `refusalOrEnd`. */
const TOLD = ['deviceFailed', 'outOfMemory', 'failed', 'ended'];

describe.each(SOME)('where memory for %s', (part) => {
  test.each(REFUSED.filter((_, at) => at % every(4) === 0))(
    'is refused twice at every request number %i, it is told, and a restart mends it',
    async (requests) => {
      let refusals = 2;
      const { setup } = lived(
        { refusing: true, onStep: () => setup.device.refuseEvery(0) },
        (name) => {
          if (name === part && refusals-- > 0) setup.device.refuseEvery(requests);
          return false;
        },
      );
      await setup.device.boot();
      const told: string[] = [];
      await story(async (name, json) => {
        for (;;) {
          const error = await command(setup, name, json).then(errorOf, refusalOrEnd);
          if (error === null) return;
          told.push(error.code);
          expect(TOLD, `${name}: ${error.message}`).toContain(error.code);
          expect(told.length).toBeLessThan(10);
          // BRIDGE.md, "When memory is refused".
          setup.device.powerOff();
          setup.device.refuseEvery(0);
          await setup.device.boot();
        }
      });
      expect(refusals).toBeLessThanOrEqual(0);
      if (requests === 1) expect(told).toEqual(['ended', 'ended']);
      await expectWhole(setup);
    },
  );
});

class PowerCut extends Error {}

function notIfCut(error: unknown): false {
  if (error instanceof PowerCut) return false;
  throw error;
}

interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** Of a command that was done, and yet not all. */
function errorOf(reply: unknown): Refusal | null {
  return (reply as { error?: Refusal | null }).error ?? null;
}

/** Of a command that is refused, or has no answer. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof CommandError) return error;
  throw error;
}

/** Of a device that has to be started again, too. */
function refusalOrEnd(error: unknown): Refusal {
  const isEnd = [VmError, VmKilled, DeviceHung].some((kind) => error instanceof kind);
  return isEnd ? { code: 'ended', message: `${error}` } : refusalOf(error);
}
