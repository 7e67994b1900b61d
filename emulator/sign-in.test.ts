// A television whose system has no account manager, in its virtual machine: somebody signs in with
// a phone, and the firmware keeps the sign-in under the same memory cap as everything else.

import { beforeAll, describe, expect, test } from 'vitest';
import { secondDevice } from '../test/sim/second-device.ts';
import { command, TV, television } from '../test/support/television.ts';
import { type Firmware, freshFirmware } from './firmware.ts';
import type { PassReport } from './ledger.ts';
import type { World } from './servers/world.ts';
import type { Setup } from './setup.ts';

let firmware: Firmware;
beforeAll(async () => {
  const names = ['sync15', 'history', 'passwords', 'clients', 'signIn', 'passwordSignIn'];
  firmware = await freshFirmware(TV.name, names);
});

const signedOut = (): Setup => television(firmware, { seed: 7, signIn: true });

async function begin(setup: Setup): Promise<{ code: string; state: string }> {
  const { url } = (await command(setup, 'signin', { call: 'begin' })) as { url: string };
  return setup.remotes[0].approve(url);
}

function serversOf({ servers }: Setup): World {
  if (servers === null) throw new Error('the servers are elsewhere');
  return servers;
}

const enable = async (setup: Setup): Promise<PassReport> =>
  (await command(setup, 'enable')) as PassReport;

describe('a television that signs its user in itself', () => {
  test('takes the code that a phone brings, also after a power cut', async () => {
    const setup = signedOut();
    await setup.device.boot();
    expect(await enable(setup)).toMatchObject({ ok: false, error: { code: 'signedOut' } });
    const code = await begin(setup);
    setup.losePower();
    await setup.device.boot();
    await command(setup, 'signin', { call: 'finish', ...code });
    expect(await enable(setup)).toMatchObject({ ok: true });
    setup.losePower();
    await setup.device.boot();
    expect(await command(setup, 'sync')).toMatchObject({ ok: true });
  });

  test('is among the devices of the accounts server, and its own record says where', async () => {
    const setup = signedOut();
    const world = serversOf(setup);
    const lists = () => world.accounts.devices(world.account.email) as { readonly id: string }[];
    await setup.device.boot();
    await command(setup, 'signin', { call: 'finish', ...(await begin(setup)) });
    expect(await enable(setup)).toMatchObject({ ok: true });
    const [{ id } = { id: '' }, ...others] = lists();
    expect(others).toEqual([]);
    const { name } = TV.device;
    const records = () => [
      ...secondDevice({ world, nowMs: setup.nowMs() }).live('clients').values(),
    ];
    expect(records()).toContainEqual(expect.objectContaining({ name, fxaDeviceId: id }));
    const before = JSON.stringify(records());
    setup.losePower();
    await setup.device.boot();
    expect(await command(setup, 'sync')).toMatchObject({ ok: true });
    expect(JSON.stringify(records())).toBe(before);
    expect(lists()).toMatchObject([{ id, name }]);
    await command(setup, 'disable');
    expect(lists()).toEqual([]);
  });

  test('takes a password where the accounts server lets it', async () => {
    const setup = signedOut();
    await setup.device.boot();
    const { email = '', password = '' } = setup.servers?.account ?? {};
    await command(setup, 'signin', { call: 'password', email, password });
    expect(await enable(setup)).toMatchObject({ ok: true });
  });

  test('names what it was not told', async () => {
    const setup = signedOut();
    await setup.device.boot();
    for (const [json, message] of [
      [{ call: 'finish' }, 'finish: no sign-in has begun'],
      [{ call: 'password', email: 'a@b.test' }, 'password: not a text'],
      [{ call: 'import', json: 5 }, 'json: not a text'],
      [{ call: 'magic' }, 'call: there is no magic'],
    ] as const) {
      await expect(command(setup, 'signin', json)).rejects.toThrow(message);
    }
  });
});
