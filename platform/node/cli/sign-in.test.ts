// The ways to a credentials file: a browser, a password, an import. And who this computer is to the
// accounts server after it.

import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { companion } from '../../../emulator/servers/companion.ts';
import { secondDevice } from '../../../test/sim/second-device.ts';
import { run, testTerminal } from '../../../test/support/commands.ts';
import { newPerson, type Person } from '../../../test/support/person.ts';
import { main } from './main.ts';

let at: Person;
beforeEach(async () => {
  at = await newPerson();
});
afterEach(() => at.serving.close());

describe('kitsync sign-in --password', () => {
  it('syncs with what comes of it, and keeps nothing of the password', async () => {
    const { code, out, complaints } = await at.signIn();
    expect([code, out, complaints]).toEqual([0, '', `Signed in: ${at.credentials} is written.\n`]);
    expect(statSync(at.credentials).mode & 0o777).toBe(0o600);
    expect(readFileSync(at.credentials, 'utf8')).not.toContain(at.serving.world.account.password);
    expect(await at.once()).toMatchObject({ code: 0, complaints: '' });
  });

  it('asks a person for it', async () => {
    const asked: (boolean | undefined)[] = [];
    const terminal = testTerminal();
    const { email, password } = at.serving.world.account;
    const readLine = async (isSecret?: boolean) => {
      asked.push(isSecret);
      return password;
    };
    const here = Object.assign(terminal, { isInteractive: true, readLine });
    expect(await main(at.accountArgs('sign-in', '--password', '--email', email), here)).toBe(0);
    expect(asked).toEqual([true]);
    expect(terminal.complaints).toContain(`Password of ${email}: `);
    expect(terminal.out + terminal.complaints).not.toContain(password);
  });

  test.each([
    [
      'wrong',
      undefined,
      1,
      'login: the password is wrong (unauthorized) - check the password and the address of the ' +
        'account',
    ],
    [
      'x',
      'nobody@example.test',
      1,
      'login: there is no account with this address (unauthorized) - check the password and the' +
        ' address of the account',
    ],
    ['', undefined, 2, 'no password was given'],
  ])('is refused in a line (%j, %s)', async (typed, email, code, line) => {
    expect(await at.signIn(typed, email)).toEqual({
      code,
      out: '',
      complaints: `kitsync: ${line}\n`,
    });
    expect(readdirSync(at.folder)).toEqual([]);
  });

  it('wants no password among its arguments, and no redirect', async () => {
    const { email } = at.serving.world.account;
    for (const [wrong, complaint] of [
      [['secret'], 'one word too many'],
      [['--redirect', 'https://r.example'], '--password and --redirect exclude each other'],
    ] as const) {
      const args = at.accountArgs('sign-in', '--password', '--email', email, ...wrong);
      expect(await run(args)).toMatchObject({
        code: 2,
        complaints: expect.stringContaining(complaint),
      });
    }
    expect((await run(at.accountArgs('sign-in', '--password'))).complaints).toContain(
      '--email is missing',
    );
  });
});

describe('kitsync sign-in by a browser', () => {
  const REDIRECT = 'https://companion.example/done';
  const args = (...more: string[]) => at.accountArgs('sign-in', '--redirect', REDIRECT, ...more);

  it('brings a code from the browser of another device, and a sync works with it', async () => {
    const terminal = testTerminal({
      input: async () => {
        const approved = await companion(fetch, terminal.out.trim(), at.serving.world.account);
        return `${REDIRECT}?${new URLSearchParams(approved)}\n`;
      },
    });
    const { email } = at.serving.world.account;
    expect(await main(args('--email', email), terminal)).toBe(0);
    expect(statSync(at.credentials).mode & 0o777).toBe(0o600);
    expect(await at.once()).toMatchObject({ code: 0, complaints: '' });
  });

  it('writes nothing when the code is worth nothing', async () => {
    const { code, complaints } = await run(args(), 'c0de\n');
    expect([code, complaints]).toEqual([
      1,
      expect.stringMatching(/\(unauthorized\) - .*`kitsync sign-in` makes a new one\n$/),
    ]);
    expect(readdirSync(at.folder)).toEqual([]);
    expect((await run(args(), '')).code).toBe(2);
  });
});

describe('this computer at the accounts server', () => {
  const listed = () =>
    at.serving.world.accounts.devices(at.serving.world.account.email) as { readonly id: string }[];
  const recorded = () => [
    ...secondDevice({ world: at.serving.world, nowMs: Date.now() }).live('clients').values(),
  ];

  it('is registered by the first sync, under the name that the other devices see', async () => {
    await at.signIn();
    await at.once('--device-name', 'Küche');
    const { deviceId, ...others } = at.read();
    expect(listed()).toMatchObject([{ id: deviceId, name: 'Küche', type: 'desktop' }]);
    expect(recorded()).toMatchObject([{ name: 'Küche', fxaDeviceId: deviceId }]);
    expect(Object.keys(others)).toEqual([
      ...['email', 'uid', 'refreshToken', 'clientId', 'oauthUrl', 'key'],
    ]);
    expect(statSync(at.credentials).mode & 0o777).toBe(0o600);
    await at.once('--device-name', 'Küche');
    expect([at.read().deviceId, listed().length]).toEqual([deviceId, 1]);
    await run(['sign-out', '--data', at.data, '--credentials', at.credentials, '--yes']);
    expect(listed()).toEqual([]);
  });

  it.each(['--no-device', '--read-only'])('is not registered with %s', async (option) => {
    await at.signIn();
    const before = at.read();
    expect(await at.once(option)).toMatchObject({ code: 0 });
    expect([listed(), recorded(), at.read()]).toEqual([[], [], before]);
  });

  it('forgets its id with the sign-in that it belongs to', async () => {
    await at.signIn();
    await at.once();
    const { deviceId } = at.read();
    await at.signIn();
    expect(at.read()).not.toHaveProperty('deviceId');
    await at.once();
    expect(at.read().deviceId).not.toBe(deviceId);
    expect(recorded()).toMatchObject([{ fxaDeviceId: at.read().deviceId }]);
  });

  it('syncs all the same where its credentials cannot be written', async () => {
    await at.signIn();
    const file = readFileSync(at.credentials, 'utf8');
    const terminal = testTerminal({
      machine: {
        fetch: async (request) => {
          const answer = await fetch(request);
          if (request.url.endsWith('/account/device')) rmSync(at.credentials);
          return answer;
        },
      },
    });
    const args = [
      'sync',
      '--token-server',
      at.serving.world.urls.token,
      '--data',
      at.data,
      '--once',
    ];
    expect(await main([...args, '--credentials', at.credentials], terminal)).toBe(0);
    const [{ id } = { id: '' }] = listed();
    expect(recorded()).toMatchObject([{ fxaDeviceId: id }]);
    writeFileSync(at.credentials, file, { mode: 0o600 });
    await at.once();
    expect([at.read().deviceId, listed().length]).toEqual([id, 1]);
  });
});

describe('kitsync import', () => {
  /** What a trusted device hands over: its refresh token and the scoped key. */
  async function handedOver(): Promise<{ refresh_token: string; key: object }> {
    await at.signIn();
    const { refreshToken, key } = at.read();
    writeFileSync(at.credentials, '{}');
    return { refresh_token: refreshToken, key };
  }

  it.each(['the input', 'a file'])('takes it from %s, and syncs with it', async (from) => {
    const json = JSON.stringify(await handedOver());
    const file = join(at.folder, 'handed.json');
    if (from === 'a file') writeFileSync(file, json);
    const args = from === 'a file' ? at.accountArgs('import', file) : at.accountArgs('import');
    expect(await run(args, from === 'a file' ? '' : json)).toMatchObject({ code: 0, out: '' });
    expect(statSync(at.credentials).mode & 0o777).toBe(0o600);
    expect(await at.once()).toMatchObject({ code: 0, complaints: '' });
  });

  it('refuses what does not work, and leaves the file alone', async () => {
    const good = await handedOver();
    for (const [handed, complaint] of [
      ['{', 'import: not JSON (badInput)'],
      [{ ...good, key: {} }, 'scoped key: kty, kid or k is missing (keyMismatch)'],
      [{ ...good, refresh_token: 'worthless' }, '(signedOut)'],
    ] as const) {
      const json = typeof handed === 'string' ? handed : JSON.stringify(handed);
      const { code, complaints } = await run(at.accountArgs('import'), json);
      expect([code, complaints]).toEqual([1, expect.stringContaining(complaint)]);
      expect(complaints).not.toContain('worthless');
      expect(readFileSync(at.credentials, 'utf8')).toBe('{}');
    }
    const missing = await run(at.accountArgs('import', join(at.folder, 'nothing')));
    expect(missing).toMatchObject({ code: 2, complaints: expect.stringContaining('cannot read') });
  });
});
