import { beforeEach, describe, expect, it } from 'vitest';
import { createRandom } from './device/random.ts';
import { createRemote, FIRST, type Remote, type RemoteOptions } from './remote.ts';
import { syntheticAccount } from './servers/synthetic.ts';
import { INSIDE_URLS } from './servers/world.ts';

const NOW_MS = Date.UTC(2026, 10, 2);
const DEVICE_KEY = new Uint8Array(32).fill(7);
const account = syntheticAccount({ records: 1, seed: 1, passwords: 0 });

function remoteOf(change: Partial<RemoteOptions> = {}, address = FIRST): Remote {
  return createRemote(
    {
      ...{ name: address, protocol: 'syncto', auth: 'bearer', collections: ['history'] },
      ...{ account, serverUrl: null, ...change },
    },
    { address, allowHttp: false, random: createRandom(1), nowMs: () => NOW_MS },
  );
}

let remote: Remote;
beforeEach(() => {
  remote = remoteOf();
});

describe('where a remote is', () => {
  it('is what its protocol is asked at, behind the audience of its token server', () => {
    const { token, syncto } = INSIDE_URLS;
    const common = { auth: 'bearer', audience: `${token}/` };
    expect(remote.config).toEqual({ ...common, protocol: 'syncto', serverUrl: syncto });
    const { config } = remoteOf({ protocol: 'sync15' });
    expect(config).toEqual({ ...common, protocol: 'sync15', serverUrl: token });
  });

  it('is another place for each that is not the first', () => {
    const { urls } = remoteOf({}, 'work');
    expect(urls.sync15).toBe('https://sync15.remote-work.test');
    expect(Object.values(urls).filter((url) => remote.owns(url))).toEqual([]);
  });

  it('is below one origin outside, where this process has no servers', () => {
    const outside = remoteOf({ serverUrl: 'https://sync.example.test:8443', protocol: 'sync15' });
    expect(outside.servers).toBe(null);
    expect(outside.config).toMatchObject({
      serverUrl: 'https://sync.example.test:8443/token',
      audience: 'https://sync.example.test:8443/',
    });
  });

  it('takes no origin outside that could be read on the way', async () => {
    const { fetch } = remoteOf({ serverUrl: 'http://sync.example.test' });
    const asked = async () => fetch(new Request('http://sync.example.test/token'));
    await expect(asked()).rejects.toThrow(/http/);
  });

  it('has the URLs of its servers and those below, and none that only begin alike', () => {
    const { token } = INSIDE_URLS;
    expect([token, `${token}/1.0`].map((url) => remote.owns(url))).toEqual([true, true]);
    expect(remote.owns(`${token}.evil.test/`)).toBe(false);
  });
});

describe('its servers inside', () => {
  const ask = (path: string) => remote.fetch(new Request(`${INSIDE_URLS.accounts}${path}`));

  it('answer with the time on them', async () => {
    const { headers } = await ask('/v1/account/status');
    expect(headers.get('Date')).toBe(new Date(NOW_MS).toUTCString());
  });

  it('answer nobody while it is switched off, its account manager neither', async () => {
    const identity = remote.identity(DEVICE_KEY);
    remote.isOff = true;
    await expect(ask('/')).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    await expect(identity.accessToken(true)).rejects.toMatchObject({ code: 'offline' });
    remote.isOff = false;
    expect(await identity.accessToken(true)).toHaveProperty('token');
  });

  it('are seen as they are: the view is the account itself', async () => {
    expect(await remote.view()).toBe(account);
  });
});

describe('its account manager', () => {
  it('is signed in as another user at each remote, with the keys of its account', async () => {
    const [first, work] = [remote, remoteOf({}, 'work')].map((one) => one.identity(DEVICE_KEY));
    expect(await first?.account()).toMatchObject({ email: 'user@example.test' });
    expect(await work?.account()).toMatchObject({ email: 'work@example.test' });
    expect(await work?.syncKey()).toMatchObject({ kB: account.kB });
    expect(await work?.deviceKey()).toBe(DEVICE_KEY);
  });

  it('asks for another token where a fresh one is wanted', async () => {
    const identity = remote.identity(DEVICE_KEY);
    const { token } = await identity.accessToken(false);
    expect((await identity.accessToken(false)).token).toBe(token);
    expect((await identity.accessToken(true)).token).not.toBe(token);
  });
});
