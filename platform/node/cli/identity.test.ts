import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { nodeMachine } from '../platform.ts';
import { type CredentialsFile, writeCredentials } from './credentials.ts';
import { checkAccount, identityOf, nobody } from './identity.ts';

const KEY = { kty: 'oct' as const, kid: `1-${'A'.repeat(22)}`, k: 'A'.repeat(86) };
const deviceKey = async () => new Uint8Array(32).fill(1);
const FIXED: CredentialsFile = {
  email: 'a@example.test',
  uid: 'u1',
  kinto: null,
  owa: null,
  token: { accessToken: 't' },
  key: KEY,
  deviceId: null,
};
const RENEWED: CredentialsFile = {
  ...FIXED,
  token: { refreshToken: 'r1', clientId: 'c', oauthUrl: 'http://127.0.0.1:9/v1' },
};

/** A machine whose accounts server answers each time with another refresh token. */
function machineWith(answers: () => Response) {
  const asked: unknown[] = [];
  const machine = nodeMachine({
    fetch: async (request) => {
      asked.push(JSON.parse(await request.text()));
      return answers();
    },
  });
  return { machine, asked };
}

const nothing = machineWith(() => new Response('', { status: 500 }));

describe('an access token', () => {
  const identity = identityOf(FIXED, nothing.machine, deviceKey, '/none');

  it('is the one in the file, for as long as that lasts, and asks nobody', async () => {
    expect(await identity.account()).toEqual({ uid: 'u1', email: 'a@example.test' });
    expect(await identity.accessToken(true)).toEqual({ token: 't' });
    expect(await identity.syncKey()).toEqual(KEY);
    expect(await identity.deviceKey()).toEqual(await deviceKey());
    expect(nothing.asked).toEqual([]);
  });

  it('makes no assertions', async () => {
    await expect(identity.assertion('https://h/', false)).rejects.toMatchObject({
      code: 'signedOut',
    });
  });

  it('has an account by itself where the file names none', async () => {
    const named = { ...FIXED, email: null, uid: null };
    const account = await identityOf(named, nothing.machine, deviceKey, '/none').account();
    expect(account.email).toBe(account.uid);
    const other = { ...named, key: { ...KEY, kid: `2-${'Q'.repeat(22)}` } };
    const another = await identityOf(other, nothing.machine, deviceKey, '/none').account();
    expect(another.uid).not.toBe(account.uid);
    const withDevice = { ...FIXED, deviceId: 'ab'.repeat(16) };
    const known = await identityOf(withDevice, nothing.machine, deviceKey, '/none').account();
    expect(known.deviceId).toBe('ab'.repeat(16));
  });
});

describe('a refresh token', () => {
  const SCOPE = 'https://identity.mozilla.com/apps/oldsync';
  const token = () =>
    Response.json({ access_token: 'a1', refresh_token: 'r2', expires_in: 3600, scope: SCOPE });

  it('renews access tokens, and a new one is in the file before it is used', async () => {
    const path = join(temporaryFolder(), 'credentials.json');
    await writeCredentials(path, RENEWED);
    const { machine, asked } = machineWith(token);
    const identity = identityOf(RENEWED, machine, deviceKey, path);
    expect(await identity.accessToken(false)).toMatchObject({ token: 'a1' });
    expect(asked[0]).toMatchObject({ refresh_token: 'r1', client_id: 'c' });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ refreshToken: 'r2' });
  });

  it('that cannot be kept is an error which names the file', async () => {
    const path = join(temporaryFolder(), 'none', 'credentials.json');
    const identity = identityOf(RENEWED, machineWith(token).machine, deviceKey, path);
    await expect(identity.accessToken(false)).rejects.toMatchObject({
      code: 'storageFailed',
      message: expect.stringContaining(path),
    });
  });
});

describe('a folder', () => {
  it('is of the account that the credentials are of, or of nobody yet', () => {
    expect(() => checkAccount(null, FIXED, '/d')).not.toThrow();
    expect(() => checkAccount('a@example.test', FIXED, '/d')).not.toThrow();
    expect(() => checkAccount('b@example.test', FIXED, '/d')).toThrow(
      '/d holds the data of b@example.test, not of a@example.test: choose another --data',
    );
  });
});

it('is nobody where a command asks no server', async () => {
  const identity = nobody(deviceKey);
  for (const ask of [
    identity.account(),
    identity.assertion('https://h/', false),
    identity.accessToken(false),
    identity.syncKey(),
  ]) {
    await expect(ask).rejects.toMatchObject({
      code: 'signedOut',
      message: 'this command asks no server',
    });
  }
  expect(await identity.deviceKey()).toEqual(await deviceKey());
});
