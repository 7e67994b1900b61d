// Agents of one user on a real Kinto: on platforms in memory, with requests that go out.

import { createHash, randomBytes } from 'node:crypto';
import { type Agent, createAgent, generic, kinto, strategies } from '../../agent/index.ts';
import { type MemoryPlatform, memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';

export const NAME = 'things';

export interface KintoUser {
  readonly url: string;
  /** Whose key it is, where several have one account. */
  readonly person?: string;
  readonly name: string;
  readonly password: string;
}

export interface Device {
  readonly agent: Agent;
  readonly platform: MemoryPlatform;
  readonly storage: MemoryStorage;
}

/** A key of 32 bytes that only this user has. */
export const keyOf = ({ name, person = name }: KintoUser): string =>
  createHash('sha256').update(person).digest('hex');

/** What a device has told its apps, of one kind. */
export const eventsOf = ({ platform }: Device, kind: string): { readonly id?: string }[] =>
  platform.events.map((json) => JSON.parse(json)).filter((event) => event.kind === kind);

/** `send` stands between it and the server. */
export async function deviceOf(
  user: KintoUser,
  {
    storage = new MemoryStorage(),
    send = fetch,
    kB = keyOf(user),
    readOnly = false,
    packed = false,
    byMember = false,
    place,
    accessToken,
  }: Partial<DeviceOptions> = {},
): Promise<Device> {
  const platform = memoryPlatform({
    storage,
    fetch: (request) => send(request),
    identity: {
      account: async () => ({ uid: user.name, email: `${user.name}@example.test` }),
      assertion: async () => '',
      accessToken: async (fresh) => ({ token: accessToken?.(fresh) ?? '' }),
      credentials: async () => user,
      syncKey: async () => ({ kB }),
    },
    nowMs: Date.now(),
    random: (count) => new Uint8Array(randomBytes(count)),
    crypto: nodeDeviceCrypto(),
  });
  const config = {
    remote: {
      ...{ protocol: 'kinto', serverUrl: user.url, audience: '' },
      auth: accessToken === undefined ? ('basic' as const) : ('bearer' as const),
    },
    profile: 'test',
    collections: { [NAME]: { enabled: true, readOnly } },
    intervalMs: 3_600_000,
    wifiOnly: false,
    historyRecordsMax: 1_000,
    recordCharsMax: 400_000,
  };
  const kind = {
    packed,
    ...(place !== undefined && { plain: { place } }),
    ...(byMember && { strategy: 'merge' as const }),
  };
  const contents = { drivers: [kinto], collections: [generic(NAME, kind)], strategies };
  const agent = createAgent(platform, config, contents);
  await agent.start();
  return { agent, platform, storage };
}

export interface DeviceOptions {
  readonly storage: MemoryStorage;
  readonly send: (request: Request) => Promise<Response>;
  readonly kB: string;
  /** The device writes nothing of it. */
  readonly readOnly: boolean;
  /** Small records of it are sealed together. */
  readonly packed: boolean;
  /** A conflict is merged member by member. */
  readonly byMember: boolean;
  /** The bucket of a collection that the server reads; left out: it is encrypted. */
  readonly place: string;
  /** Who asks is proven by it, and not by a password. */
  readonly accessToken: (fresh: boolean) => string;
}

/** Everything that apps see of the collection, by id, in the order of the ids. */
export async function heldBy({ agent }: Device): Promise<Map<string, string>> {
  const held: [string, string][] = [];
  let after: string | null = null;
  do {
    const page = await agent.list(NAME, { limit: 100, after });
    for (const { id, guid: _, ...body } of page.records) held.push([`${id}`, inOrder(body)]);
    after = page.next;
  } while (after !== null);
  return new Map(held.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** PostgreSQL gives the members of what it reads an order of its own. */
function inOrder(body: object): string {
  const members = Object.entries(body).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(Object.fromEntries(members));
}

/** Passes of all, one after the other, until all of them have nothing to tell. */
export async function settled(devices: readonly Device[], roundsMax = 12): Promise<void> {
  for (let round = 0, quiet = 0; round < roundsMax && quiet < 2; round++) {
    let isQuiet = true;
    for (const { agent, platform } of devices) {
      platform.time.set(Date.now() + round * 86_400_000);
      const { ok, collections, error } = await agent.sync();
      const { pulled = 1, pushed = 1, merged = 1 } = collections[NAME] ?? {};
      if (!ok) console.log(JSON.stringify(error));
      if (!ok || pulled + pushed + merged > 0) isQuiet = false;
    }
    quiet = isQuiet ? quiet + 1 : 0;
  }
}
