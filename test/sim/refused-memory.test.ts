// An engine that throws where it is refused memory, as one with a limit of its own does: every Nth
// request of a whole story is refused, a first sync, edits and a pass. Afterwards there is memory
// again: nothing was set aside, nothing that an app was told is stored is lost, and the server has
// every record once. A device whose agent throws, or answers no more, is restarted, as
// platform/quickjs/BRIDGE.md asks.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CommandError, DeviceHung } from '../../emulator/device/device.ts';
import { VmError, VmKilled } from '../../emulator/device/vm-errors.ts';
import { type Firmware, freshFirmware } from '../../emulator/firmware.ts';
import { loadProfile } from '../../emulator/profiles.ts';
import { readAccount } from '../../emulator/servers/store-file.ts';
import { createSetup, type Setup } from '../../emulator/setup.ts';
import { type Json, secondDevice } from './second-device.ts';
import { isWhole } from './share.ts';

const CORPUS = readFileSync(new URL('../fixtures/corpus-a.json', import.meta.url), 'utf8');
const TV = loadProfile('panasonic-cx700');
const EDITS = 6;
const RESTARTS_MAX = 40;
const HOUR_MS = 3_600_000;
/** About 400,000 requests make the story: from one refusal in it to one in every slice. */
const REQUESTS = [
  ...[997, 1_499, 2_003, 3_001, 4_999, 7_001, 9_973, 14_983, 19_997, 29_989, 39_989, 50_021],
  ...[60_013, 70_001, 79_999, 90_001, 99_991, 119_993, 150_001, 200_003, 300_007],
];

let firmware: Firmware;
beforeAll(async () => {
  firmware = await freshFirmware(TV.name);
});

interface Told {
  readonly code: string;
  readonly message: string;
}

/**
 * Of the agent's own work, of a script that the host evaluates for it, or of a reaction that the
 * engine lost: the pass that waited for it is given up in the end.
 */
function isRefusal({ code, message }: Told): boolean {
  return (
    code === 'outOfMemory' ||
    (code === 'deviceFailed' && /this part cannot be loaded$|^the pass took over /.test(message))
  );
}

interface Met {
  restarts: number;
  /** Passes and commands that ended as `outOfMemory`. */
  refusals: number;
}

/** What all cases met: a story in which nothing was refused proves nothing. */
const met: Met = { restarts: 0, refusals: 0 };

afterAll(() => {
  console.log(`refused memory: ${met.refusals} refusals told, ${met.restarts} restarts`);
  expect(met.refusals).toBeGreaterThan(10);
});

/** Restarts the device until the step is done; null where that did not help. */
async function done<T>(setup: Setup, step: () => Promise<T>): Promise<T | null> {
  for (let tries = 0; tries < RESTARTS_MAX; tries++) {
    try {
      return await step();
    } catch (error) {
      // QuickJS makes a built-in function at its first use; one that it had no memory for is none
      // from then on.
      const isBroken = error instanceof CommandError && error.code === 'failed';
      if (error instanceof CommandError && !isBroken) {
        expect(isRefusal(error) || error.code === 'disabled', error.message).toBe(true);
        met.refusals++;
        continue;
      }
      const isEnd =
        isBroken || [VmError, VmKilled, DeviceHung].some((kind) => error instanceof kind);
      if (!isEnd) throw error;
      // A script that was refused memory leaves some of it behind in QuickJS, every time; and
      // QuickJS may go round in circles where it reads one: the watchdog ends that.
      if (error instanceof VmKilled) expect(['trap', 'memory', 'cpu']).toContain(error.reason);
      met.restarts++;
      await restart(setup);
    }
  }
  return null;
}

/** There is no telling whether it starts: what is refused then is refused again. */
async function restart({ device }: Setup): Promise<void> {
  device.powerOff();
  for (let tries = 0; tries < RESTARTS_MAX; tries++) {
    try {
      return await device.boot();
    } catch (error) {
      if (!(error instanceof VmError || error instanceof VmKilled)) throw error;
      device.powerOff();
    }
  }
  throw new Error('the device does not start');
}

describe.each([
  ['syncto', 'browserid'],
  ['sync15', 'bearer'],
] as const)('over %s', (protocol, auth) => {
  test.runIf(isWhole).each(REQUESTS)('every request number %i is refused', async (requests) => {
    const account = readAccount(JSON.parse(CORPUS));
    const setup = createSetup({
      ...{ profile: TV, firmware, account, protocol, auth, crypto: 'device', seed: requests },
      refusing: true,
    });
    const { device } = setup;
    await device.boot();
    device.refuseEvery(requests);
    const pass = async (command: string): Promise<void> => {
      const { error } = (await device.command(command, {})) as { error: Told | null };
      if (error === null) return;
      if (!isRefusal(error)) return expect(error.code).toBe('backoff');
      met.refusals++;
      // Of a refused part nobody knows what was evaluated: it is worth a restart (BRIDGE.md).
      if (error.code === 'deviceFailed') await restart(setup);
    };
    await done(setup, () => pass('enable'));
    const stored = new Set<string>();
    for (let at = 0; at < EDITS; at++) {
      const record = {
        url: `https://edit-${at}.example/`,
        visits: [{ date: 1e15 + at, type: 1 }],
      };
      const answer = await done(setup, () =>
        device.command('put', { collection: 'history', record }),
      );
      if (answer !== null) stored.add(record.url);
    }
    await done(setup, () => pass('sync'));
    device.refuseEvery(0);
    // A reaction that the engine has lost is noticed by a command without a reply: see BRIDGE.md.
    await done(setup, () => pass('sync'));

    await done(setup, () => device.idle(24 * HOUR_MS));
    const status = (await device.command('status', {})) as Json & { collections: object };
    const server = secondDevice({ world: servers(setup), nowMs: setup.nowMs() });
    // A page without visits is nothing that apps see.
    const pages = [...server.live('history').values()].filter(
      ({ visits }) => Array.isArray(visits) && visits.length > 0,
    );
    const urls = pages.map(({ histUri }) => histUri);
    expect(status.collections).toMatchObject({
      history: { quarantined: 0, pending: 0, held: pages.length },
      passwords: { quarantined: 0, pending: 0, held: server.live('passwords').size },
    });
    // The answer to a change that was stored may be what there was no memory for.
    const edits = urls.filter((url) => `${url}`.startsWith('https://edit-'));
    expect(edits.length).toBe(new Set(edits).size);
    for (const url of stored) expect(urls.filter((found) => found === url)).toEqual([url]);
  });
});

function servers({ servers: world }: Setup) {
  if (world === null) throw new Error('the servers are outside');
  return world;
}
