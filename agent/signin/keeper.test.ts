// A device whose system has no account manager: how a user comes to it, what it keeps of that, and
// how they leave.

import { describe, expect, test } from 'vitest';
import { restKey } from '../../crypto/rest.ts';
import { companion } from '../../emulator/servers/companion.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Identity } from '../../platform/ports.ts';
import { secondDevice } from '../../test/sim/second-device.ts';
import { corpusAccount, type TestServers, testServers } from '../../test/support/device.ts';
import { FULL, fullDevice, TV } from '../../test/support/everything.ts';
import { CLIENT_ID } from '../../test/support/signin.ts';
import { testVault } from '../../test/support/store.ts';
import { type Contents, passwordSignIn, signIn } from '../index.ts';
import { FAREWELL_MS_MAX } from '../limits.ts';

const NOBODY = new Proxy({} as Omit<Identity, 'deviceKey'>, {
  get: () => () => Promise.reject(new Error('the system was asked for its account')),
});
const CONTENTS = { ...FULL, signIn, passwordSignIn };

async function boot(
  it: TestServers,
  storage = new MemoryStorage(),
  link = { isSilent: false },
  contents: Contents = CONTENTS,
) {
  const asked: string[] = [];
  const { accounts } = it.world.urls;
  const redirectUrl = 'https://accounts.test/oauth/success';
  const device = await fullDevice(it, {
    storage,
    identity: NOBODY,
    contents,
    config: { signIn: { accountsUrl: accounts, clientId: CLIENT_ID, redirectUrl } },
    fetch: (request) => {
      asked.push(new URL(request.url).pathname);
      return link.isSilent ? new Promise<Response>(() => undefined) : it.world.fetch(request);
    },
  });
  return { ...device, memory: storage, asked, link };
}

type Device = Awaited<ReturnType<typeof boot>>;

/** The person with the phone. */
async function approve(it: TestServers, url: string) {
  const { email, password } = it.world.account;
  return companion(it.world.fetch, url, { email, password });
}

async function signedIn(it: TestServers): Promise<Device> {
  const device = await boot(it);
  const { url } = await device.agent.signIn().begin();
  await device.agent.signIn().finish(await approve(it, url));
  expect(await device.agent.enable()).toMatchObject({ ok: true });
  return device;
}

const keysOf = ({ memory }: Device): string[] => memory.snapshot().map(([key]) => key);
const texts = ({ memory }: Device): string =>
  JSON.stringify(memory.snapshot().map(([, value]) => Buffer.from(value).toString('latin1')));

describe('a user', () => {
  test('comes with a phone, and stays over a reboot without a word', async () => {
    const it = testServers(corpusAccount());
    const device = await signedIn(it);
    expect(device.agent.status().collections.history?.held).toBeGreaterThan(10);
    const again = await boot(it, device.memory.fork());
    it.nowMs += 1_000;
    expect(await again.agent.sync()).toMatchObject({ ok: true });
    expect(again.asked).toContain('/v1/oauth/token');
  });

  test('may bring the address that the browser ended at', async () => {
    const it = testServers(corpusAccount());
    const { agent } = await boot(it);
    const { code, state } = await approve(it, (await agent.signIn().begin()).url);
    await agent.signIn().finish({ url: `https://accounts.test/done?code=${code}&state=${state}` });
    expect(await agent.enable()).toMatchObject({ ok: true });
  });

  test('may take their time: the device can be switched off meanwhile', async () => {
    const it = testServers(corpusAccount());
    const first = await boot(it);
    const answer = await approve(it, (await first.agent.signIn().begin()).url);
    const { agent } = await boot(it, first.memory.fork());
    await agent.signIn().finish(answer);
    expect(await agent.enable()).toMatchObject({ ok: true });
  });

  test('may come with a password where the accounts server lets them', async () => {
    const it = testServers(corpusAccount());
    const { agent } = await boot(it);
    const { email, password = '' } = it.world.account;
    await agent.signIn().password(email, password);
    expect(await agent.enable()).toMatchObject({ ok: true });
    expect(agent.status().account).toBe(email);
  });

  test('is asked for when nobody has come', async () => {
    const { agent } = await boot(testServers(corpusAccount()));
    expect(await agent.enable()).toMatchObject({ ok: false, error: { code: 'signedOut' } });
  });
});

describe('the device', () => {
  const REGISTER = '/v1/account/device';
  const listed = ({ world }: TestServers) =>
    world.accounts.devices(world.account.email) as { readonly id: string }[];
  const recorded = (it: TestServers) => [...secondDevice(it).live('clients').values()];

  test('is in the list of the accounts server, and its own record says where', async () => {
    const it = testServers(corpusAccount());
    const device = await signedIn(it);
    const [{ id } = { id: '' }] = listed(it);
    expect(listed(it)).toMatchObject([{ id, name: TV.name, type: TV.type }]);
    expect(recorded(it)).toContainEqual(
      expect.objectContaining({ name: TV.name, fxaDeviceId: id }),
    );
    const again = await boot(it, device.memory.fork());
    it.nowMs += 1_000;
    expect(await again.agent.sync()).toMatchObject({ ok: true });
    expect([...device.asked, ...again.asked].filter((path) => path === REGISTER).length).toBe(1);
    await again.agent.disable();
    expect(listed(it)).toEqual([]);
  });

  test('has another id after another sign-in, and its own record follows', async () => {
    const it = testServers(corpusAccount());
    const { agent } = await signedIn(it);
    const [before] = listed(it);
    it.nowMs += 1_000;
    await agent.signIn().finish(await approve(it, (await agent.signIn().begin()).url));
    expect(await agent.sync()).toMatchObject({ ok: true });
    const [, { id } = { id: '' }] = listed(it);
    expect(id).not.toBe(before?.id);
    expect(recorded(it)).toContainEqual(
      expect.objectContaining({ name: TV.name, fxaDeviceId: id }),
    );
  });

  test('is in no list where its build knows of no devices', async () => {
    const it = testServers(corpusAccount());
    const { devices, ...withoutClients } = CONTENTS;
    for (const contents of [withoutClients, CONTENTS]) {
      const { agent, asked } = await boot(it, undefined, undefined, contents);
      await agent.signIn().finish(await approve(it, (await agent.signIn().begin()).url));
      expect(await agent.enable()).toMatchObject({ ok: true });
      expect(asked.includes(REGISTER)).toBe(contents === CONTENTS);
    }
  });
});

describe('what is kept', () => {
  test('is sealed, and nothing secret is anywhere else', async () => {
    const it = testServers(corpusAccount());
    const device = await boot(it);
    const { url } = await device.agent.signIn().begin();
    const answer = await approve(it, url);
    const isOpen = /verifier|privateKey|refreshToken|"k":/;
    expect(texts(device)).not.toMatch(isOpen);
    expect(keysOf(device)).toEqual(['j']);
    await device.agent.signIn().finish(answer);
    expect(keysOf(device)).toEqual(['i']);
    expect(texts(device)).not.toMatch(isOpen);
    expect(texts(device)).not.toContain(it.world.account.kB);
  });

  test('of somebody who leaves is nothing, and the server takes the token back', async () => {
    const it = testServers(corpusAccount());
    const device = await signedIn(it);
    device.asked.length = 0;
    await device.agent.disable();
    expect(device.asked).toContain('/v1/oauth/destroy');
    expect(keysOf(device)).toEqual(['s']);
    expect(await device.agent.enable()).toMatchObject({ error: { code: 'signedOut' } });
  });

  test('is gone also when the server is silent', async () => {
    const device = await signedIn(testServers(corpusAccount()));
    device.link.isSilent = true;
    const left = device.agent.disable();
    for (let wait = 0; wait < 3; wait++) {
      for (let turn = 0; turn < 30; turn++) await new Promise(setImmediate);
      await device.platform.time.advance(FAREWELL_MS_MAX);
    }
    await left;
    expect(keysOf(device)).toEqual(['s']);
  });

  test('is gone after a cut at any commit of the leaving, or the user is there', async () => {
    const it = testServers(corpusAccount());
    const device = await signedIn(it);
    for (let atCommit = 1; ; atCommit++) {
      const cut = device.memory.fork({ atCommit, when: 'after' });
      const doomed = await boot(it, cut);
      await doomed.agent.disable().catch(() => undefined);
      const { agent, memory } = await boot(it, cut.fork());
      const keys = memory.snapshot().map(([key]) => key);
      expect(agent.status().state).toBe('disabled');
      expect(keys).toEqual(['s']);
      if (cut.commits < atCommit) break;
    }
  });
});

test('a device that has not said its key once is asked again', async () => {
  const { agent, platform } = await boot(testServers(corpusAccount()));
  const { identity } = platform;
  const { deviceKey } = identity;
  const refusal = Object.assign(new Error('not unlocked'), { code: 'deviceFailed' });
  identity.deviceKey = () => Promise.reject(refusal);
  await expect(agent.signIn().begin()).rejects.toMatchObject({ code: 'deviceFailed' });
  identity.deviceKey = deviceKey;
  expect(await agent.signIn().begin()).toMatchObject({ url: expect.stringMatching(/^https/) });
});

describe('a sign-in that cannot be read', () => {
  const keeping = async (value: (it: TestServers) => Promise<Uint8Array | string>) => {
    const it = testServers(corpusAccount());
    const { memory } = await signedIn(it);
    await memory.commit([['i', await value(it)]]);
    return { it, device: await boot(it, memory) };
  };
  const sealed = (head: string, text: string) => async () =>
    testVault(restKey(new Uint8Array(32).fill(7))).seal('i', head, text);

  test.each<[string, string, () => Promise<Uint8Array | string>]>([
    ['that lost a byte', 'damaged', async () => Uint8Array.of(0, 1, 2)],
    ['that is text', 'damaged', async () => '{}'],
    ['that is no JSON', 'damaged', sealed('b', '{')],
    ['of a newer form', 'clientTooOld', sealed('e', '{}')],
  ])('%s is %s, and not that nobody has signed in', async (_, code, value) => {
    const { device } = await keeping(value);
    const before = device.memory.snapshot().find(([key]) => key === 'i');
    expect(await device.agent.sync()).toMatchObject({ ok: false, error: { code } });
    expect(device.memory.snapshot().find(([key]) => key === 'i')).toEqual(before);
    expect((await device.agent.list('history', { limit: 5 })).records).toHaveLength(5);
  });

  test('can be given up, and is replaced by the next one', async () => {
    const { it, device } = await keeping(async () => Uint8Array.of(0));
    const { agent } = device;
    await agent.signIn().finish(await approve(it, (await agent.signIn().begin()).url));
    expect(await agent.sync()).toMatchObject({ ok: true });
    await device.memory.commit([['i', Uint8Array.of(0)]]);
    await (await boot(it, device.memory)).agent.disable();
    expect(keysOf(device)).toEqual(['s']);
  });

  test.each(['', 'c'])('is read as forms before wrote it (%j)', async (head) => {
    const it = testServers(corpusAccount());
    const { memory } = await signedIn(it);
    const [box] = await memory.get(['i']);
    const vault = testVault(restKey(new Uint8Array(32).fill(7)));
    const opened = await vault.open('i', box as Uint8Array);
    expect(opened?.head).toBe('d');
    await memory.commit([['i', await vault.seal('i', head, `${opened?.text}`)]]);
    it.nowMs += 1_000;
    expect(await (await boot(it, memory)).agent.sync()).toMatchObject({ ok: true });
  });
});

describe('a bad word', () => {
  test.each([
    ['finish', { code: 'x', state: 'y' }, 'finish: no sign-in has begun'],
    ['import', '', 'json: not a text'],
    ['import', 5, 'json: not a text'],
    ['import', '{', 'import: not JSON'],
  ])('%s %j is refused by name', async (call, argument, message) => {
    const { agent } = await boot(testServers(corpusAccount()));
    const calls = agent.signIn() as unknown as Record<string, (given: unknown) => Promise<void>>;
    await expect(calls[call]?.(argument)).rejects.toMatchObject({ code: 'badInput', message });
  });

  test.each([
    [{ code: 'x', state: 'y' }, 'state: not that of this sign-in'],
    [{}, 'state: not that of this sign-in'],
    [{ url: 'https://accounts.test/' }, 'url: it has no code and no state'],
    [{ url: 5 }, 'url: not a text'],
  ])('%j ends no sign-in, and the right one still does', async (answer, message) => {
    const it = testServers(corpusAccount());
    const { agent } = await boot(it);
    const { url } = await agent.signIn().begin();
    await expect(agent.signIn().finish(answer as never)).rejects.toMatchObject({
      code: 'badInput',
      message,
    });
    await agent.signIn().finish(await approve(it, url));
    expect(await agent.enable()).toMatchObject({ ok: true });
  });

  test('on a device that has an account manager is told so', async () => {
    const { agent } = await fullDevice(testServers(corpusAccount()));
    expect(() => agent.signIn()).toThrow('users sign in to this device elsewhere');
  });
});
