// A device with every kind of collection, and another device of the same account.

import { createDecipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Body } from '../../agent/collections/collection.ts';
import { createRandom } from '../../emulator/device/random.ts';
import { accountKeys } from '../../emulator/servers/sync-keys.ts';
import { type SecondDevice, secondDevice } from '../sim/second-device.ts';
import {
  corpusAccount,
  type DeviceOptions,
  type TestDevice,
  type TestServers,
  testServers,
  userOf,
} from './device.ts';
import { fullDevice } from './everything.ts';

const begin = (): { servers: TestServers; other: SecondDevice } => {
  const servers = testServers(corpusAccount());
  return { servers, other: secondDevice(servers) };
};

/** What is around the devices of the test that runs. */
export const world = begin();

/** Before each test. */
export function start(): void {
  Object.assign(world, begin());
}

/** What the real Firefox says that it has. */
export const expected = JSON.parse(
  readFileSync(new URL('../../test/fixtures/corpus-a.json', import.meta.url), 'utf8'),
).expected;
export const FIREFOX = '4nRhL2pUNwI5';
const ok = { ok: true, error: null };

let seed = 10;

export async function signedIn(options: DeviceOptions = {}): Promise<TestDevice> {
  const device = await fullDevice(world.servers, {
    identity: userOf(world.servers),
    random: createRandom(seed++),
    ...options,
  });
  expect(await device.agent.enable()).toMatchObject(ok);
  return device;
}

export async function all(
  { agent }: TestDevice,
  collection: string,
  more: object = {},
): Promise<Body[]> {
  const records: Body[] = [];
  let after: string | null = null;
  do {
    const page: { records: Body[]; next: string | null } = await agent.list(collection, {
      limit: 2,
      after,
      ...more,
    });
    records.push(...page.records);
    after = page.next;
  } while (after !== null);
  return records;
}

export async function sync(...devices: TestDevice[]): Promise<void> {
  for (const { agent } of devices) {
    world.servers.nowMs += 1_000;
    expect(await agent.sync()).toMatchObject(ok);
  }
}

export function openedKeys(payload: string): string {
  const { ciphertext, IV } = JSON.parse(payload);
  const { encKey } = accountKeys(world.servers.world.account.kB);
  const decipher = createDecipheriv('aes-256-cbc', encKey, Buffer.from(IV, 'base64'));
  return decipher.update(ciphertext, 'base64', 'utf8') + decipher.final('utf8');
}

interface Meta {
  readonly engines: Record<string, object>;
  readonly declined: string[];
}

/** Another device writes `meta/global`. */
export function editMeta(change: (meta: Meta) => void): void {
  const [user] = world.servers.world.store.users.values();
  world.servers.nowMs += 1_000;
  const bso = user?.collections.get('meta')?.get('global', world.servers.nowMs);
  const meta: Meta = JSON.parse(bso?.payload ?? '');
  change(meta);
  user?.write('meta', [{ id: 'global', payload: JSON.stringify(meta) }], world.servers.nowMs);
}

/** As after a restored backup: the engine has another syncID. */
export function restore(name: string, version = 1): void {
  editMeta(({ engines }) => {
    engines[name] = { version, syncID: 'another12345' };
  });
}
