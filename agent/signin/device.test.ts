// A device that registers at the accounts server: what it asks and believes, and whose entry it
// leaves alone.

import { expect, it } from 'vitest';
import { changing, failure, type SignInWorld, startSignIn } from '../../test/support/signin.ts';
import { registerDevice } from './device.ts';
import { signInWithPassword } from './password.ts';

const TV = { name: 'Küche', type: 'tv' };

async function start() {
  const world = startSignIn();
  const { device, client, account } = world;
  const { refreshToken } = await signInWithPassword(device, { ...client, ...account });
  world.sent.length = 0;
  const register = (described = TV) => registerDevice(device, client, refreshToken, described);
  const listed = () => world.accounts.devices(account.email) as { readonly id: string }[];
  return { world, refreshToken, register, listed };
}

it('is listed under the server’s id, and shows nobody else its refresh token', async () => {
  const { world, refreshToken, register, listed } = await start();
  const id = await register();
  expect(listed()).toMatchObject([{ id, ...TV }]);
  expect(world.sent.map(({ line, body }) => [line, body])).toEqual([
    ['GET /v1/account/devices', ''],
    ['POST /v1/account/device', JSON.stringify(TV)],
  ]);
  for (const { line, text } of world.sent) {
    expect(line).not.toContain(refreshToken);
    expect(text).toContain(`["authorization","Bearer ${refreshToken}"]`);
  }
});

it('is the same device when an answer is lost', async () => {
  const { world, register, listed } = await start();
  world.middle = async (request, servers) => {
    await servers(request.clone());
    return request.method === 'GET' ? servers(request) : Promise.reject(new TypeError('lost'));
  };
  expect((await failure(register())).code).toBe('offline');
  const [lost] = listed();
  world.middle = (request, servers) => servers(request);
  expect(await register()).toBe(lost?.id);
  expect(listed()).toEqual([lost]);
});

it('leaves a device alone that shares its sign-in', async () => {
  const { register, listed } = await start();
  await register({ name: 'Flur', type: 'mobile' });
  expect(await register()).toBe(null);
  expect(listed()).toMatchObject([{ name: 'Flur', type: 'mobile' }]);
});

it.each<[string, SignInWorld['middle'], string]>([
  ['an id that is none', changing('/device', (json) => ({ ...json, id: 'X' })), 'badResponse'],
  ['no id', changing('/device', () => ({})), 'badResponse'],
  ['no list', changing('/devices', () => ({})), 'badResponse'],
  ['a list of nonsense', changing('/devices', () => [5, { isCurrentDevice: true }]), ''],
  ['another sign-in', async () => Response.json({ errno: 110 }, { status: 401 }), 'signedOut'],
  ['a hotel', async () => new Response('<html>'), 'badResponse'],
])('makes nothing of %s', async (_, middle, code) => {
  const { world, refreshToken, register } = await start();
  world.middle = middle;
  if (code === '') return expect(await register()).toBe(null);
  const error = await failure(register());
  expect(error.code).toBe(code);
  expect(error.printed).not.toContain(refreshToken);
});
