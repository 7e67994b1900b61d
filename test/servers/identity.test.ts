// Whom `kitsync serve` believes: who signs with the database's own key, who comes from an issuer
// outside, and never the keys of the sources unless they are asked for.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { accountsJwk } from '../../emulator/servers/access-tokens.ts';
import { signJws } from '../../emulator/servers/jws.ts';
import { OLDSYNC_SCOPE, passwordKeys, tokenKeys } from '../../emulator/servers/onepw.ts';
import { keyFingerprint } from '../../emulator/servers/sync-keys.ts';
import { ACCOUNTS_TEST_KEY } from '../../emulator/servers/test-keys.ts';
import { killCommands, startCommand } from '../../platform/node/cli/testing.ts';
import { temporaryFolder } from '../support/folders.ts';

const EMAIL = 'new@example.test';
const AUTH_PW = passwordKeys(EMAIL, 'password').authPW.toString('hex');

beforeAll(async () => void (await startCommand(['help']).ended));
afterEach(killCommands);

async function start(...args: string[]) {
  const command = startCommand(['serve', '--seconds', '100', ...args]);
  await Promise.race([command.saw('syncto  '), command.ended]);
  return { ...command, url: /^origin +(\S+)$/m.exec(command.printed())?.[1] ?? '' };
}

async function post(url: string, body: object, bearer = ''): Promise<Record<string, unknown>> {
  const headers = bearer === '' ? {} : { Authorization: `Bearer ${bearer}` };
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body), headers });
  return (await response.json()) as Record<string, unknown>;
}

async function accessToken(url: string, path: 'create' | 'login'): Promise<string> {
  const proof = { email: EMAIL, authPW: AUTH_PW };
  const { sessionToken } = await post(`${url}/accounts/v1/account/${path}`, proof);
  const { id } = tokenKeys(Buffer.from(String(sessionToken), 'hex'), 'sessionToken');
  const grant = { grant_type: 'fxa-credentials', client_id: 'c', scope: OLDSYNC_SCOPE };
  const answer = await post(`${url}/accounts/v1/oauth/token`, grant, `fxs_${id}`);
  return String(answer.access_token);
}

async function passFor(url: string, token: string) {
  const headers = {
    Authorization: `Bearer ${token}`,
    'X-KeyID': `1-${keyFingerprint('22'.repeat(32))}`,
  };
  const response = await fetch(`${url}/token/1.0/sync/1.5`, { headers });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

const forged = (url: string, iss = `${url}/accounts`) =>
  signJws(
    ACCOUNTS_TEST_KEY,
    {
      ...{ iss, sub: '0'.repeat(32), scope: OLDSYNC_SCOPE, 'fxa-generation': 1 },
      exp: Math.floor(Date.now() / 1000) + 600,
    },
    { kid: accountsJwk().kid },
  );

test('a database has a key of its own, which lasts, and the test key is not believed', async () => {
  const args = ['--database', join(temporaryFolder(), 'database'), '--sign-up'];
  const first = await start(...args);
  expect(first.complained()).toBe('');
  expect(first.printed()).not.toMatch(/test keys|password/);
  const token = await accessToken(first.url, 'create');
  const pass = await passFor(first.url, token);
  expect(pass.status).toBe(200);
  expect(await passFor(first.url, forged(first.url))).toMatchObject({ status: 401 });
  first.child.kill('SIGTERM');
  await first.ended;
  const again = await start(...args, '--port', new URL(first.url).port);
  expect(await passFor(again.url, token)).toMatchObject({
    status: 200,
    json: { uid: pass.json.uid },
  });
  const login = await accessToken(again.url, 'login');
  expect(await passFor(again.url, login)).toMatchObject({ json: { uid: pass.json.uid } });
});

describe('with --test-accounts', () => {
  test('the test key is believed, which is said', async () => {
    const servers = await start('--database', join(temporaryFolder(), 'd'), '--test-accounts');
    expect(servers.printed()).toMatch(/^keys +test keys, which everybody can read/m);
    expect(await passFor(servers.url, forged(servers.url))).toMatchObject({ status: 200 });
  });

  test('which a server without a database is always begun with', async () => {
    const servers = await start();
    expect(servers.printed()).toMatch(/^keys +test keys/m);
  });
});

describe('an issuer outside', () => {
  const ISSUER = 'https://accounts.example';

  test('is believed with the keys of a file, in a database that has no accounts', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'jwks.json');
    writeFileSync(file, JSON.stringify({ issuer: ISSUER, keys: [accountsJwk()] }));
    const servers = await start('--database', join(folder, 'd'), '--jwks', file);
    expect(servers.complained()).toBe('');
    const token = forged(servers.url, ISSUER);
    expect(await passFor(servers.url, token)).toMatchObject({ status: 200 });
    expect(await passFor(servers.url, forged(servers.url))).toMatchObject({ status: 401 });
  });

  test('is believed when another `serve` says its keys', async () => {
    const outside = await start();
    const issuer = `${outside.url}/accounts`;
    const servers = await start('--database', join(temporaryFolder(), 'd'), '--issuer', issuer);
    expect(await passFor(servers.url, forged('', issuer))).toMatchObject({ status: 200 });
    outside.child.kill('SIGKILL');
    await outside.ended;
    expect(await passFor(servers.url, forged('', issuer))).toMatchObject({ status: 200 });
  });
});

test.each([
  [[], /nobody has an account: --account FILE, --sign-up/],
  [['--issuer', 'http://accounts.example'], /--issuer must be an https URL/],
  [['--jwks', '/nowhere'], /--jwks \/nowhere: /],
])('%j is refused', async (args, why) => {
  const servers = await start('--database', join(temporaryFolder(), 'd'), ...args);
  expect([await servers.ended, servers.complained()]).toEqual([2, expect.stringMatching(why)]);
});
