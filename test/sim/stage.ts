// A small account whose device has synced and has one page to send: where tests of a single idea
// begin.

import { readAccount } from '../../emulator/servers/store-file.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import type { WorldOptions } from '../../emulator/servers/world.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { type TestServers, testServers } from '../support/device.ts';
import { type Answer, deviceOn, freezeAccount, honest, sharedUser } from './lab.ts';

export const START = freezeAccount(
  syntheticAccount({ records: 4, seed: 41, bodyBytes: 160, passwords: 2 }),
);
export const USER = sharedUser(START);
export const PAGE = { url: 'https://mine.example/', title: 'mine' };

export interface Stage {
  readonly servers: TestServers;
  readonly storage: MemoryStorage;
}

/** The device has synced and has one unsent page; `world` changes the servers. */
export async function synced(world: Partial<WorldOptions> = {}): Promise<Stage> {
  const servers = testServers(readAccount(JSON.parse(START)), world);
  const storage = new MemoryStorage();
  const { agent } = deviceOn(servers, storage, { identity: USER });
  await agent.start();
  await agent.enable();
  await agent.put('history', PAGE);
  return { servers, storage };
}

let boots = 2;

/** Boots the device, answered by the honest servers if by nobody else. */
export async function boot({ servers, storage }: Stage, answer: Answer = honest(servers)) {
  const device = deviceOn(servers, storage, { identity: USER, answer, seed: ++boots });
  await device.agent.start();
  return device;
}
