// The emulated device among the account's devices, and with a firmware that holds all that there
// is.

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { syncNames } from '../firmware-bundle/contents.ts';
import { type Json, type SecondDevice, secondDevice } from '../test/sim/second-device.ts';
import { type Firmware, freshFirmware } from './firmware.ts';
import { loadProfile } from './profiles.ts';
import { readAccount } from './servers/store-file.ts';
import { createSetup, type Setup, type SetupOptions } from './setup.ts';

const CORPUS = readFileSync(new URL('../test/fixtures/corpus-a.json', import.meta.url), 'utf8');
const TV = loadProfile('panasonic-cx700');
const DAY_MS = 86_400_000;
const PROTOCOLS = [
  ['syncto', 'browserid'],
  ['sync15', 'bearer'],
] as const;

let everything: Firmware;
let shipped: Firmware;
beforeAll(async () => {
  everything = await freshFirmware(TV.name, syncNames);
  shipped = await freshFirmware(TV.name);
});

async function signedIn(change: Partial<SetupOptions>): Promise<Setup> {
  const setup = createSetup({
    profile: TV,
    firmware: shipped,
    account: readAccount(JSON.parse(CORPUS)),
    auth: 'bearer',
    crypto: 'device',
    seed: 1,
    ...change,
  });
  await setup.device.boot();
  expect(await setup.device.command('enable', {})).toMatchObject({ ok: true });
  return setup;
}

/** The account's other device, as it sees the servers now. */
function otherDevice({ servers: world, nowMs }: Setup): SecondDevice {
  if (world === null) throw new Error('the servers are outside');
  return secondDevice({ world, nowMs: nowMs() });
}

/** What the account has about the device. */
function ownRecord(setup: Setup): (Json & { readonly id: string }) | undefined {
  const records = [...otherDevice(setup).live('clients').values()] as (Json & { id: string })[];
  return records.find(({ name }) => name === TV.device.name);
}

describe.each(PROTOCOLS)('the shipped firmware, by %s', (protocol, auth) => {
  test('puts the device among the devices of the account, and sees the others', async () => {
    const setup = await signedIn({ protocol, auth });
    expect(ownRecord(setup)).toMatchObject({ ...TV.device, protocols: ['1.5'], commands: [] });
    const { devices } = (await setup.device.command('devices', {})) as { devices: Json[] };
    expect(devices).toMatchObject([{ type: 'desktop' }]);
  });

  test('shows a page that another device sends, once', async () => {
    const pages: Json[] = [];
    const onEvent = (json: string) => {
      const event = JSON.parse(json) as Json;
      if (event.kind === 'page') pages.push(event);
    };
    const setup = await signedIn({ protocol, auth, onEvent });
    const record = ownRecord(setup) ?? { id: '' };
    const command = { command: 'displayURI', args: ['https://sent.example/', 'me', 'Sent'] };
    await setup.device.idle(1_000);
    otherDevice(setup).put('clients', { ...record, commands: [command] });
    for (let pass = 0; pass < 2; pass++) await setup.device.command('sync', {});
    expect(pages).toMatchObject([{ url: 'https://sent.example/', title: 'Sent', from: 'me' }]);
    expect(ownRecord(setup)).toMatchObject({ commands: [] });
  });

  test('writes its record again once a week, and an idle device nothing else', async () => {
    const profile = { ...TV, agent: { ...TV.agent, intervalMs: DAY_MS / 4 } };
    const setup = await signedIn({ profile, protocol, auth });
    const daysWithWrites: number[] = [];
    for (let day = 1; day <= 10; day++) {
      const before = setup.flash().events;
      await setup.device.idle(DAY_MS);
      if (setup.flash().events > before) daysWithWrites.push(day);
    }
    expect(daysWithWrites).toEqual([8]);
  });
});

test('a device that is not described is not among them', async () => {
  const setup = await signedIn({ description: null });
  expect(otherDevice(setup).live('clients').size).toBe(1);
});

test('a Syncto that keeps devices to itself: an idle pass is one request, no write', async () => {
  const enabled = ['record_history_put_enabled', 'record_passwords_put_enabled'];
  const setup = await signedIn({ servers: { syncto: { enabled } } });
  const { flash, network } = setup;
  const before = { events: flash().events, requests: network.counters().requests };
  expect(await setup.device.command('sync', {})).toMatchObject({ ok: true });
  expect(flash().events).toBe(before.events);
  expect(network.counters().requests).toBe(before.requests + 1);
});

test.each(PROTOCOLS)('by %s, a firmware with everything syncs what is on', async (...by) => {
  const [protocol, auth] = by;
  const collections = ['history', 'passwords', 'bookmarks', 'tabs', 'addresses'];
  const { device } = await signedIn({ firmware: everything, collections, protocol, auth });
  const status = (await device.command('status', {})) as { collections: { [name: string]: Json } };
  const held = (name: string) => status.collections[name]?.held;
  expect(collections.map(held)).toEqual([64, 11, 15, 1, 1]);
  expect(status.collections.forms).toMatchObject({ enabled: false, held: 0 });
});
