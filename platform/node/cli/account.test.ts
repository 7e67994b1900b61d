// The ways to a credentials file, and the way out: an import, a password, a sign-out. And who this
// computer is to the accounts server in between.

import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import type { Serving } from '../../../emulator/servers/serve.ts';
import { secondDevice } from '../../../test/sim/second-device.ts';
import { credentialsOf, run, serveAccount, testTerminal } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { main } from './main.ts';

let serving: Serving;
let folder: string;
let credentials: string;

beforeEach(async () => {
  serving = await serveAccount(5);
  folder = temporaryFolder();
  credentials = join(folder, 'credentials.json');
});
afterEach(() => serving.close());

const data = () => join(folder, 'data');
const read = (path = credentials) => JSON.parse(readFileSync(path, 'utf8'));
const once = (...more: string[]) =>
  run([
    ...['sync', '--token-server', serving.world.urls.token, '--credentials', credentials],
    ...['--data', data(), '--once', ...more],
  ]);
const accountArgs = (command: string, ...more: string[]) => [
  ...[command, '--accounts', serving.world.urls.accounts, '--client-id', 'c11e27'],
  ...['--credentials', credentials, ...more],
];
/** With the account's own password, unless another one is typed. */
const signIn = (typed = serving.world.account.password, email = serving.world.account.email) =>
  run(accountArgs('sign-in', '--password', '--email', email), `${typed}`);

describe('kitsync sign-in --password', () => {
  it('syncs with what comes of it, and keeps nothing of the password', async () => {
    const { code, out, complaints } = await signIn();
    expect([code, out, complaints]).toEqual([0, '', `Signed in: ${credentials} is written.\n`]);
    expect(statSync(credentials).mode & 0o777).toBe(0o600);
    expect(readFileSync(credentials, 'utf8')).not.toContain(serving.world.account.password);
    expect(await once()).toMatchObject({ code: 0, complaints: '' });
  });

  it('asks a person for it', async () => {
    const asked: (boolean | undefined)[] = [];
    const terminal = testTerminal();
    const { email, password } = serving.world.account;
    const readLine = async (isSecret?: boolean) => {
      asked.push(isSecret);
      return password;
    };
    const here = Object.assign(terminal, { isInteractive: true, readLine });
    expect(await main(accountArgs('sign-in', '--password', '--email', email), here)).toBe(0);
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
    expect(await signIn(typed, email)).toEqual({ code, out: '', complaints: `kitsync: ${line}\n` });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('wants no password among its arguments, and no redirect', async () => {
    const { email } = serving.world.account;
    for (const [wrong, complaint] of [
      [['secret'], 'one word too many'],
      [['--redirect', 'https://r.example'], '--password and --redirect exclude each other'],
    ] as const) {
      const args = accountArgs('sign-in', '--password', '--email', email, ...wrong);
      expect(await run(args)).toMatchObject({
        code: 2,
        complaints: expect.stringContaining(complaint),
      });
    }
    expect((await run(accountArgs('sign-in', '--password'))).complaints).toContain(
      '--email is missing',
    );
  });
});

describe('this computer at the accounts server', () => {
  const listed = () =>
    serving.world.accounts.devices(serving.world.account.email) as { readonly id: string }[];
  const recorded = () => [
    ...secondDevice({ world: serving.world, nowMs: Date.now() }).live('clients').values(),
  ];

  it('is registered by the first sync, under the name that the other devices see', async () => {
    await signIn();
    await once('--device-name', 'Küche');
    const { deviceId, ...others } = read();
    expect(listed()).toMatchObject([{ id: deviceId, name: 'Küche', type: 'desktop' }]);
    expect(recorded()).toMatchObject([{ name: 'Küche', fxaDeviceId: deviceId }]);
    expect(Object.keys(others)).toEqual([
      ...['email', 'uid', 'refreshToken', 'clientId', 'oauthUrl', 'key'],
    ]);
    expect(statSync(credentials).mode & 0o777).toBe(0o600);
    await once('--device-name', 'Küche');
    expect([read().deviceId, listed().length]).toEqual([deviceId, 1]);
    await run(['sign-out', '--data', data(), '--credentials', credentials, '--yes']);
    expect(listed()).toEqual([]);
  });

  it.each(['--no-device', '--read-only'])('is not registered with %s', async (option) => {
    await signIn();
    const before = read();
    expect(await once(option)).toMatchObject({ code: 0 });
    expect([listed(), recorded(), read()]).toEqual([[], [], before]);
  });

  it('forgets its id with the sign-in that it belongs to', async () => {
    await signIn();
    await once();
    const { deviceId } = read();
    await signIn();
    expect(read()).not.toHaveProperty('deviceId');
    await once();
    expect(read().deviceId).not.toBe(deviceId);
    expect(recorded()).toMatchObject([{ fxaDeviceId: read().deviceId }]);
  });

  it('syncs all the same where its credentials cannot be written', async () => {
    await signIn();
    const file = readFileSync(credentials, 'utf8');
    const terminal = testTerminal({
      machine: {
        fetch: async (request) => {
          const answer = await fetch(request);
          if (request.url.endsWith('/account/device')) rmSync(credentials);
          return answer;
        },
      },
    });
    const args = ['sync', '--token-server', serving.world.urls.token, '--data', data(), '--once'];
    expect(await main([...args, '--credentials', credentials], terminal)).toBe(0);
    const [{ id } = { id: '' }] = listed();
    expect(recorded()).toMatchObject([{ fxaDeviceId: id }]);
    writeFileSync(credentials, file, { mode: 0o600 });
    await once();
    expect([read().deviceId, listed().length]).toEqual([id, 1]);
  });
});

describe('kitsync import', () => {
  /** What a trusted device hands over: its refresh token and the scoped key. */
  async function handedOver(): Promise<{ refresh_token: string; key: object }> {
    await signIn();
    const { refreshToken, key } = read();
    writeFileSync(credentials, '{}');
    return { refresh_token: refreshToken, key };
  }

  it.each(['the input', 'a file'])('takes it from %s, and syncs with it', async (from) => {
    const json = JSON.stringify(await handedOver());
    const file = join(folder, 'handed.json');
    if (from === 'a file') writeFileSync(file, json);
    const args = from === 'a file' ? accountArgs('import', file) : accountArgs('import');
    expect(await run(args, from === 'a file' ? '' : json)).toMatchObject({ code: 0, out: '' });
    expect(statSync(credentials).mode & 0o777).toBe(0o600);
    expect(await once()).toMatchObject({ code: 0, complaints: '' });
  });

  it('refuses what does not work, and leaves the file alone', async () => {
    const good = await handedOver();
    for (const [handed, complaint] of [
      ['{', 'import: not JSON (badInput)'],
      [{ ...good, key: {} }, 'scoped key: kty, kid or k is missing (keyMismatch)'],
      [{ ...good, refresh_token: 'worthless' }, '(signedOut)'],
    ] as const) {
      const json = typeof handed === 'string' ? handed : JSON.stringify(handed);
      const { code, complaints } = await run(accountArgs('import'), json);
      expect([code, complaints]).toEqual([1, expect.stringContaining(complaint)]);
      expect(complaints).not.toContain('worthless');
      expect(readFileSync(credentials, 'utf8')).toBe('{}');
    }
    const missing = await run(accountArgs('import', join(folder, 'nothing')));
    expect(missing).toMatchObject({ code: 2, complaints: expect.stringContaining('cannot use') });
  });
});

describe('kitsync sign-out', () => {
  const other = (inMs = 0) => secondDevice({ world: serving.world, nowMs: Date.now() + inMs });
  const signOut = (...more: string[]) => run(['sign-out', '--data', data(), ...more]);

  it('empties the folder, leaves the devices, and ends the sign-in', async () => {
    await signIn();
    await once();
    expect(other().live('clients').size).toBe(1);
    const result = await signOut('--credentials', credentials, '--yes');
    expect(result).toEqual({
      code: 0,
      out: '',
      complaints:
        `no data is left in ${data()}\nthe accounts server has taken the sign-in back\n` +
        `${credentials} is kept\n`,
    });
    expect(readdirSync(data())).toEqual([]);
    expect(other(2_000).live('clients').size).toBe(0);
    expect(other().live('history').size).toBe(5);
    const again = await once();
    expect([again.code, again.complaints]).toEqual([1, expect.stringContaining('(signedOut)')]);
  });

  it('removes what killed processes have left, and says what is not its own', async () => {
    await signIn();
    await once();
    const draft = `${'A'.repeat(16)}.draft`;
    const leftovers = [`device.key.${draft}`, 'device.key.4711', `notes.json.${draft}`, 'lock.12'];
    for (const name of leftovers) writeFileSync(join(data(), name), '');
    writeFileSync(`${credentials}.${draft}`, 'token');
    await once();
    expect(readdirSync(data()).sort()).toEqual(['device.key', 'notes.json', 'store']);
    expect(existsSync(`${credentials}.${draft}`)).toBe(false);

    for (const name of [...leftovers, 'photo.jpg']) writeFileSync(join(data(), name), '');
    writeFileSync(`${credentials}.${draft}`, 'token');
    const { complaints } = await signOut('--credentials', credentials, '--yes');
    expect(complaints).toContain(
      `nothing of Kitsync is left in ${data()}; not removed: photo.jpg\n`,
    );
    expect(readdirSync(data())).toEqual(['photo.jpg']);
    expect(existsSync(`${credentials}.${draft}`)).toBe(false);

    // Also where a first sync was killed before it kept any data.
    writeFileSync(join(data(), 'device.key'), '');
    expect((await signOut('--yes')).code).toBe(0);
    expect(readdirSync(data())).toEqual(['photo.jpg']);
  });

  it('removes the credentials where it is told to', async () => {
    await signIn();
    const args = ['--credentials', credentials, '--forget-credentials', '--yes'];
    expect((await signOut(...args)).complaints).toContain(`${credentials} is removed`);
    expect(existsSync(credentials)).toBe(false);
    await signIn();
    const link = join(folder, 'link');
    symlinkSync(credentials, link);
    await signOut('--credentials', link, '--forget-credentials', '--yes');
    expect([lstatSync(link, { throwIfNoEntry: false }), existsSync(credentials)]).toEqual([
      undefined,
      false,
    ]);
    expect((await signOut('--forget-credentials')).complaints).toContain(
      '--credentials is missing',
    );
  });

  it('asks first, and says what would be lost', async () => {
    await credentialsOf(serving, credentials);
    await once();
    await run(['put', 'history', '{"url":"https://new.example/"}', '--data', data()]);
    expect(await signOut()).toMatchObject({
      code: 2,
      complaints: expect.stringContaining('--yes'),
    });
    const terminal = testTerminal({ input: async () => 'no\n' });
    const here = Object.assign(terminal, { isInteractive: true });
    expect(await main(['sign-out', '--data', data()], here)).toBe(1);
    expect(terminal.complaints).toContain('Not sent yet, and lost then: 1 of your changes.');
    expect((await run(['status', '--data', data()])).out).toMatch(/history .* 1 to send/);
  });

  it('works without any server', async () => {
    await signIn();
    await once();
    await serving.close();
    const { code, complaints } = await signOut('--credentials', credentials, '--yes');
    expect([code, complaints]).toEqual([
      0,
      expect.stringContaining('the accounts server still knows the sign-in: '),
    ]);
    expect(readdirSync(data())).toEqual([]);
    serving = await serveAccount(5);
  });

  it('is refused while a sync runs, and with the credentials of somebody else', async () => {
    await credentialsOf(serving, credentials);
    const terminal = testTerminal();
    const sync = ['sync', '--token-server', serving.world.urls.token, '--data', data()];
    const ended = main([...sync, '--credentials', credentials], terminal);
    await terminal.saw('in sync');
    expect(await signOut('--yes')).toMatchObject({
      code: 1,
      complaints: `kitsync: ${data()} is in use\n`,
    });
    terminal.stop();
    await ended;
    writeFileSync(credentials, JSON.stringify({ ...read(), email: 'other@example.test' }));
    const { code, complaints } = await signOut('--credentials', credentials, '--yes');
    expect([code, complaints]).toEqual([1, expect.stringContaining('not of other@example.test')]);
    expect(readdirSync(data())).toContain('store');
  });
});
