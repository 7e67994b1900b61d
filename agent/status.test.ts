// Nothing that anybody can see of an agent tells a secret: not its status, its events, its reports
// and errors, nor the trace of everything that crosses to the device and back.

import { expect, test } from 'vitest';
import { createNetwork } from '../emulator/device/network.ts';
import {
  cryptoOperations,
  identityOperations,
  networkOperations,
  storageOperations,
} from '../emulator/device/operations.ts';
import type { User } from '../emulator/servers/store.ts';
import { accountKeys, sealPayload } from '../emulator/servers/sync-keys.ts';
import { syntheticAccount } from '../emulator/servers/synthetic.ts';
import { MemoryStorage } from '../platform/memory/storage.ts';
import { nodeDeviceCrypto } from '../platform/node/crypto.ts';
import type { Identity } from '../platform/ports.ts';
import { secondDevice } from '../test/sim/second-device.ts';
import { bridgedDevice } from '../test/support/bridge.ts';
import { type TestServers, testServers, userOf } from '../test/support/device.ts';
import type { RemoteConfig } from './config.ts';
import { type Agent, createAgent, history, passwords, syncto } from './index.ts';
import { sync15 } from './remotes/sync/sync15.ts';

const PASSWORD = 'tr0ub4dor-&-3';
const DEVICE_KEY = Uint8Array.from({ length: 32 }, (_, at) => (at * 37 + 11) & 255);

/** Every way in which these bytes could be written into a line of text. */
function formsOf(secret: Uint8Array): string[] {
  const bytes = Buffer.from(secret);
  const text = bytes.toString('utf8');
  return [
    bytes.toString('hex'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.join(','),
    // Texts only: bytes that are none have no such form.
    ...(Buffer.from(text).equals(bytes) ? [text, JSON.stringify(text).slice(1, -1)] : []),
  ];
}

/** What must stay secret, as far as it was used; its parts too, where a part would be enough. */
class Secrets {
  readonly #forms = new Map<string, string>();

  add(name: string, secret: string | Uint8Array): void {
    const bytes = typeof secret === 'string' ? Buffer.from(secret) : secret;
    for (const form of formsOf(bytes)) this.#forms.set(form, name);
  }

  get count(): number {
    return new Set(this.#forms.values()).size;
  }

  /** Names of the secrets that a text tells. */
  toldBy(text: string): string[] {
    return [...this.#forms].filter(([form]) => text.includes(form)).map(([, name]) => name);
  }
}

/** The account manager, whose every answer is written down. */
function watched(user: Omit<Identity, 'deviceKey'>, secrets: Secrets): Identity {
  return {
    account: () => user.account(),
    async assertion(audience, fresh) {
      const assertion = await user.assertion(audience, fresh);
      for (const part of assertion.split(/[.~]/)) secrets.add('assertion', part);
      return assertion;
    },
    async accessToken(fresh) {
      const token = await user.accessToken(fresh);
      secrets.add('access token', token.token);
      return token;
    },
    syncKey: () => user.syncKey(),
    deviceKey: async () => DEVICE_KEY,
  };
}

function addAccountSecrets(servers: TestServers, secrets: Secrets): void {
  const { kB, password } = servers.world.account;
  secrets.add('password of the account', password);
  secrets.add('kB', Buffer.from(kB, 'hex'));
  secrets.add('device key', DEVICE_KEY);
  const { encKey, macKey } = accountKeys(kB);
  secrets.add('key of the keys', encKey);
  secrets.add('MAC key of the keys', macKey);
  const { default: pair } = secondDevice(servers).get('crypto', 'keys') as { default: string[] };
  for (const key of pair) secrets.add('key of the records', Buffer.from(key, 'base64'));
  for (const login of secondDevice(servers).live('passwords').values()) {
    secrets.add('saved password', String(login.password));
  }
  secrets.add('saved password', PASSWORD);
}

type Fault = (request: Request) => Response | null;

/** What anybody can see, and what it must not tell. */
class Watch {
  readonly seen: string[] = [];
  readonly secrets = new Secrets();
  fault: Fault = () => null;

  /** The servers, with what they are asked as. */
  fetch(servers: TestServers): (request: Request) => Promise<Response> {
    return async (request) => {
      const said = request.headers.get('authorization') ?? '';
      for (const part of said.match(/[\w+/=-]{16,}/g) ?? [])
        this.secrets.add('authorization', part);
      const answer = this.fault(request) ?? (await servers.world.fetch(request));
      if (answer.type === 'error') throw new TypeError('fetch failed');
      return answer;
    };
  }

  async told(call: () => Promise<unknown>): Promise<void> {
    const outcome = await call().catch((error: Error) => error);
    if (!(outcome instanceof Error)) this.seen.push(JSON.stringify(outcome) ?? '');
    else {
      const { message, stack = '' } = outcome;
      this.seen.push(message, stack, JSON.stringify(outcome), `${outcome}`);
    }
  }
}

/** A device of which everything is seen that crosses to it and back. */
function watchedDevice(servers: TestServers, watch: Watch) {
  const storage = new MemoryStorage();
  return bridgedDevice({
    withCrypto: true,
    traced: (line) => void watch.seen.push(line),
    operations(clock) {
      const network = createNetwork({
        clock,
        fetch: watch.fetch(servers),
        link: { bytesPerSecond: 1e6, roundTripMs: 10, connectMs: 10 },
        connection: () => 'wifi',
      });
      return new Map([
        ...storageOperations(clock, storage),
        ...networkOperations(network),
        ...identityOperations(clock, watched(userOf(servers), watch.secrets), 1),
        ...cryptoOperations(clock, nodeDeviceCrypto(), 1_000),
      ]);
    },
  });
}

/** Everything that a life of the device lets anybody see. */
async function seenOf(protocol: 'syncto' | 'sync15', auth: RemoteConfig['auth']): Promise<Watch> {
  const servers = testServers(syntheticAccount({ records: 12, seed: 5, passwords: 4 }));
  const { urls } = servers.world;
  const watch = new Watch();
  addAccountSecrets(servers, watch.secrets);
  const { platform } = watchedDevice(servers, watch);
  const shell = {
    status: (json: string) => void watch.seen.push(json),
    event: (json: string) => void watch.seen.push(json),
  };
  const agent = createAgent(
    { ...platform, shell },
    {
      profile: 'test',
      remote: {
        protocol,
        serverUrl: protocol === 'syncto' ? urls.syncto : urls.token,
        audience: `${urls.token}/`,
        auth,
      },
      collections: {
        history: { enabled: true, readOnly: false },
        passwords: { enabled: true, readOnly: false },
      },
      intervalMs: 1e9,
      wifiOnly: true,
      historyRecordsMax: 100,
      recordCharsMax: 400_000,
    },
    { drivers: [syncto, sync15], collections: [history, passwords] },
  );
  await live({
    agent,
    servers,
    told: (call) => watch.told(call),
    faulty(next) {
      watch.fault = next;
    },
    // Longer than anybody asks to wait.
    later: () => platform.clock.sleep(25 * 3_600_000),
  });
  return watch;
}

interface Life {
  readonly agent: Agent;
  readonly servers: TestServers;
  told(call: () => Promise<unknown>): Promise<void>;
  faulty(fault: Fault): void;
  later(): Promise<void>;
}

const FAULTS: readonly Fault[] = [
  () => new Response('{}', { status: 503, headers: { 'Retry-After': '1' } }),
  () => new Response('{}', { status: 401 }),
  () => new Response('<html>', { status: 200 }),
  () => new Response(Uint8Array.of(0xff), { status: 200 }),
  () => Response.error(),
  () => new Response(null, { status: 302, headers: { location: 'https://evil.test/' } }),
  () => new Response('{"data":[{"id":"', { status: 200 }),
];

/** A sync, edits, conflicts, whatever can fail, and a sign-out. */
async function live({ agent, servers, told, faulty, later }: Life): Promise<void> {
  const second = secondDevice(servers);
  const [id = ''] = second.ids('passwords');
  agent.observe('passwords', true);
  await agent.start();
  await told(() => agent.sync());
  await told(() => agent.enable());
  const login = { origin: 'https://a.test', formActionOrigin: 'https://a.test', username: 'me' };
  await told(() => agent.put('passwords', { ...login, password: PASSWORD }));
  await told(() => agent.put('passwords', { guid: id, password: PASSWORD }));
  await told(() => agent.put('passwords', { ...login, httpRealm: 'x', password: PASSWORD }));
  await told(() => agent.put('passwords', { ...login, password: PASSWORD.repeat(50_000) }));
  await told(() => agent.put('passwords', { ...login, password: `${PASSWORD}\0` }));
  await told(() => agent.delete('passwords', 'nobody'));
  await told(() => agent.list('passwords', { limit: 1, after: PASSWORD }));
  second.put('passwords', { ...second.get('passwords', id), id, usernameField: 'there' });
  const [user] = servers.world.store.users.values();
  user?.write('passwords', [{ id: 'broken', payload: '{"ciphertext":"AAAA"}' }], servers.nowMs);
  user?.write('passwords', [{ id: 'forged', payload: forged(user, id) }], servers.nowMs);
  await told(() => agent.sync());
  for (const fault of FAULTS) {
    await told(() => agent.put('passwords', { guid: id, password: `${PASSWORD}${Math.PI}` }));
    faulty(fault);
    await told(() => agent.sync());
    faulty(() => null);
    await later();
    await told(() => agent.sync());
  }
  for (const payload of [forged(user, id), sealedBadKeys(servers)]) {
    user?.write('crypto', [{ id: 'keys', payload }], servers.nowMs);
    await told(() => agent.sync());
    await later();
  }
  await told(() => agent.disable());
}

/** `crypto/keys` with a key that is too long, in the user's own hand. */
function sealedBadKeys(servers: TestServers): string {
  const keys = secondDevice(servers).get('crypto', 'keys') as { default: string[] };
  const [enc = '', mac] = keys.default;
  const body = { ...keys, default: [`${enc.slice(0, 43)}AAAAA`, mac] };
  const { kB } = servers.world.account;
  return sealPayload(accountKeys(kB), JSON.stringify(body), new Uint8Array(16));
}

/** Another record's payload. */
function forged(user: User | undefined, id: string): string {
  return user?.collections.get('passwords')?.get(id, 0)?.payload ?? '';
}

test.each([
  ['syncto', 'browserid'],
  ['syncto', 'bearer'],
  ['sync15', 'bearer'],
] as const)('a life of the device over %s with %s tells no secret', async (protocol, auth) => {
  const { seen, secrets } = await seenOf(protocol, auth);
  // It was a life: everything was used, and everything was seen.
  expect(secrets.count).toBeGreaterThanOrEqual(8);
  const all = seen.join('\n');
  const words = ['"kind":"quarantine"', '"kind":"record"', '"pushed":', '"t":'];
  const codes = ['unauthorized', 'keyMismatch', 'offline', 'tooLarge', 'badInput', 'badResponse'];
  expect([...words, ...codes].filter((word) => !all.includes(word))).toEqual([]);
  for (const line of seen) expect(secrets.toldBy(line), line.slice(0, 200)).toEqual([]);
});

test('the search finds a secret in any of its forms', () => {
  const secrets = new Secrets();
  secrets.add('key', DEVICE_KEY);
  secrets.add('password', PASSWORD);
  for (const form of [...formsOf(DEVICE_KEY), ...formsOf(Buffer.from(PASSWORD))]) {
    expect(secrets.toldBy(`{"a":"${form}"}`)).not.toEqual([]);
  }
  expect(secrets.toldBy('{"a":"nothing"}')).toEqual([]);
});
