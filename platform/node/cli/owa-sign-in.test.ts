// Computers of users of a server of Open Web Apps: how they sign in, what they have in common, and
// what each trouble is called.

import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { passwordKeys } from '../../../emulator/servers/onepw.ts';
import { type Serving, serveOnLoopback } from '../../../emulator/servers/serve.ts';
import { Store } from '../../../emulator/servers/store.ts';
import { credentialsOf, type Run, run, testTerminal } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { freePort } from '../../../test/support/ports.ts';
import { main } from './main.ts';

const A = 'https://a.example';
const EVE = { email: 'eve@example.test', password: 'of eve' };

let serving: Serving;
let port: number;
let one: ReturnType<typeof computer>;
const account = { kB: 'ab'.repeat(32), store: new Store() };
const serve = () => serveOnLoopback({ port, account, accounts: { signUp: true } });

beforeEach(async () => {
  port = await freePort();
  serving = await serve();
  one = computer();
});
afterEach(() => serving.close());

function computer(user: { readonly email: string; readonly password: string } | null = null) {
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  const credentials = join(folder, 'owa.json');
  const { email, password } = user ?? serving.world.account;
  const { owa, accounts } = serving.world.urls;
  const on = (command: string, ...more: string[]): Promise<Run> =>
    run([command, '--data', data, ...more]);
  const who = ['--accounts', accounts, '--email', email, '--credentials', credentials];
  const syncArgs = ['sync', '--protocol', 'owa', '--credentials', credentials, '--data', data];
  return {
    ...{ folder, data, credentials, on, syncArgs },
    signIn: (typed = password, ...more: string[]): Promise<Run> =>
      run(['sign-in', '--owa', owa, ...who, ...more], typed),
    sync: (...more: string[]): Promise<Run> => run([...syncArgs, '--once', ...more]),
    async install(origin: string): Promise<Run> {
      const manifest = join(folder, 'm.json');
      writeFileSync(manifest, '{"name":"App"}');
      return run(['apps', 'install', origin, manifest, '--data', data]);
    },
    apps: async (purpose = 'all'): Promise<string> =>
      (await on('apps', 'list', '--purpose', purpose)).out,
    file: () => JSON.parse(readFileSync(credentials, 'utf8')),
  };
}

/** Two computers that have the same. */
async function pair() {
  await one.signIn();
  await one.sync();
  const two = computer();
  await two.signIn();
  expect(await two.sync()).toMatchObject({ code: 0, complaints: '' });
  return two;
}

describe('signing in', () => {
  it('leaves a session and no key, for its owner only, and says who reads', async () => {
    const { code, out, complaints } = await one.signIn();
    expect([code, out]).toEqual([0, '']);
    expect(complaints).toBe(
      `Signed in: ${one.credentials} is written.\n` +
        'The server reads what is synced with it: which apps its users have, and their receipts.\n',
    );
    expect(statSync(one.credentials).mode & 0o777).toBe(0o600);
    const { urls, account } = serving.world;
    expect(one.file()).toEqual({
      ...{ owa: `${urls.owa}/verify`, email: account.email, accountsUrl: urls.accounts },
      uid: expect.stringMatching(/^[\da-f]{32}$/),
      session: expect.stringMatching(/^fxs_[\da-f]{64}$/),
    });
  });

  it('keeps the address as the account has it, however it was typed', async () => {
    const { email } = serving.world.account;
    await one.signIn(undefined, '--email', email.toUpperCase());
    expect(one.file()).toMatchObject({ email });
  });

  test.each([
    ['a wrong password', ['wrong'], /login: the password is wrong .* - check the password/],
    ['no password', [''], /no password was given/],
    [
      'another server',
      [undefined, '--owa', 'TOKEN'],
      /no server of Open Web Apps .*at \.\.\.\/ver/,
    ],
  ])('is refused with %s, and nothing is written', async (_, [typed, ...more], line) => {
    const words = more.map((word) => (word === 'TOKEN' ? serving.world.urls.token : `${word}`));
    const { code, complaints } = await one.signIn(typed, ...words);
    expect(code).toBeGreaterThan(0);
    expect(complaints).toMatch(line);
    expect(() => one.file()).toThrow('ENOENT');
  });

  it('is refused in the words of a server that believes another accounts server', async () => {
    const other = await serveOnLoopback({ port: await freePort(), account });
    const { code, complaints } = await one.signIn(undefined, '--owa', other.world.urls.owa);
    expect(code).toBe(1);
    expect(complaints).toMatch(/verify: .*issuer.* - sign in again .* trusts another accounts/);
    await other.close();
  });

  it('replaces the same sign-in, and no other one', async () => {
    await one.signIn();
    const { session } = one.file();
    expect(await one.signIn()).toMatchObject({ code: 0 });
    expect(one.file().session).not.toBe(session);
    // Nobody has the first session any more.
    writeFileSync(one.credentials, JSON.stringify({ ...one.file(), session }), { mode: 0o600 });
    expect((await one.sync()).complaints).toContain('sign in again: `kitsync sign-in --owa`');
    const kept = readFileSync(one.credentials, 'utf8');
    const kinto = ['sign-in', '--kinto', serving.url, '--user', 'bob'];
    const others = [
      await one.signIn(undefined, '--email', EVE.email),
      await run([...kinto, '--credentials', one.credentials], 'p'),
      await run(
        [
          ...['sign-in', '--accounts', serving.world.urls.accounts, '--client-id', 'c'],
          ...['--password', '--email', EVE.email, '--credentials', one.credentials],
        ],
        'p',
      ),
    ];
    for (const { code, complaints } of others) {
      expect([code, complaints]).toEqual([2, expect.stringContaining('choose another --cred')]);
    }
    expect(readFileSync(one.credentials, 'utf8')).toBe(kept);
  });

  it('gives no key to a Kinto', async () => {
    await one.signIn();
    const file = join(one.folder, 'kinto.json');
    const { code, complaints } = await run(
      [
        ...['sign-in', '--kinto', serving.url, '--user', 'bob', '--credentials', file],
        ...['--key-of', one.credentials],
      ],
      'p',
    );
    expect([code, complaints]).toEqual([2, `kitsync: ${one.credentials} has no key\n`]);
  });
});

describe('two computers of a user', () => {
  it('have the same apps, and each knows which are from elsewhere', async () => {
    const two = await pair();
    expect(await one.install(A)).toMatchObject({ code: 0, out: `${A}\tinstalled\n` });
    expect((await one.sync()).out).toContain('apps 0 received, 1 sent');
    expect(await two.sync()).toMatchObject({ code: 0, complaints: '' });
    expect(await two.apps('own')).toBe('');
    expect(await two.apps('remote')).toBe(`${A}\tApp\telsewhere\tinstalled\n`);
    await two.on('apps', 'promote', A);
    expect(await two.apps('own')).toBe(`${A}\tApp\telsewhere,promoted\tinstalled\n`);
    await two.on('apps', 'remove', A);
    await two.sync();
    await one.sync();
    expect(await one.apps()).toBe('');
  });

  it('are told that the server reads it, and that it has no list of devices', async () => {
    await pair();
    const { out } = await one.on('status');
    expect(out).toMatch(/^apps +0 held, 0 to send, 0 set aside, readable by its server$/m);
    expect(out).toMatch(/^this device +a server of Open Web Apps has no list of the devices/m);
    expect(await one.on('devices')).toMatchObject({
      code: 1,
      complaints: 'kitsync: a server of Open Web Apps has no list of the devices of its users\n',
    });
  });

  it('work without the server, which gets what was done when it is there again', async () => {
    const two = await pair();
    await serving.close();
    await one.install(A);
    const { code, complaints } = await one.sync();
    expect([code, complaints]).toEqual([
      1,
      expect.stringMatching(/ECONNREFUSED .*nothing listens/),
    ]);
    expect((await one.on('status')).out).toMatch(/^apps +1 held, 1 to send/m);
    serving = await serve();
    // Its memory is another one: the session has gone, and so has the document.
    expect((await one.sync()).complaints).toContain('sign in again: `kitsync sign-in --owa`');
    await one.signIn();
    await two.signIn();
    expect(await one.sync()).toMatchObject({ code: 0, complaints: '' });
    await two.sync();
    expect(await two.apps()).toContain(A);
  });
});

test('a running sync goes on with a sign-in that was written since', async () => {
  await one.signIn();
  const terminal = testTerminal();
  const running = main(one.syncArgs, terminal);
  await terminal.saw('in sync');
  await serving.close();
  serving = await serve();
  expect(await one.on('sync-now')).toMatchObject({ code: 1 });
  await one.signIn();
  expect(await one.on('sync-now')).toMatchObject({ code: 0 });
  terminal.stop();
  expect(await running).toBe(0);
});

test('another user’s apps are not mixed with those of the folder', async () => {
  const { authPW } = passwordKeys(EVE.email, EVE.password);
  const body = JSON.stringify({ email: EVE.email, authPW: authPW.toString('hex') });
  const headers = { 'Content-Type': 'application/json' };
  const create = `${serving.world.urls.accounts}/v1/account/create`;
  await fetch(create, { method: 'POST', headers, body });
  await one.signIn();
  await one.sync();
  await one.install(A);
  await one.sync();
  const eve = computer(EVE);
  expect(await eve.signIn()).toMatchObject({ code: 0 });
  const mixed = await run([...eve.syncArgs.slice(0, -1), one.data, '--once']);
  expect([mixed.code, mixed.complaints]).toEqual([
    1,
    expect.stringMatching(/holds the data of .* not of eve@.*: choose another --data/),
  ]);
  await eve.sync();
  expect(await eve.apps()).toBe('');
  expect(await one.apps()).toContain(A);
});

describe('what is typed for the other kind of server', () => {
  it('is refused before anything is asked or kept', async () => {
    await one.signIn();
    await one.sync();
    const me = await credentialsOf(serving, join(one.folder, 'me.json'));
    const to = ['--token-server', serving.world.urls.token, '--data', one.data, '--once'];
    const owa = ['sync', '--protocol', 'owa', '--data', one.data, '--once', '--credentials'];
    const typed: [string[], string][] = [
      [['sync', ...to, '--credentials', one.credentials], 'its protocol is owa'],
      [['sync', ...to, '--credentials', me], 'holds what another kind of server has'],
      [[...owa, me], 'is no sign-in to a server of Open Web Apps: `kitsync sign-in --owa`'],
      [[...owa, one.credentials, '--collections', 'history'], 'keeps apps only'],
      [[...owa, one.credentials, '--token-server', 'http://127.0.0.1:9'], 'is a sign-in to http'],
    ];
    for (const [args, line] of typed) {
      const { code, complaints } = await run(args);
      expect(code).toBeGreaterThan(0);
      expect(complaints).toContain(line);
    }
    // The folder still says itself what it is, without its notes.
    rmSync(join(one.data, 'notes.json'));
    await one.install(A);
    expect(await one.sync()).toMatchObject({ code: 0, out: expect.stringContaining('1 sent') });
  });
});

describe('doctor', () => {
  it('looks at the accounts server and at the server of the apps', async () => {
    await one.signIn();
    const args = ['doctor', '--protocol', 'owa', '--credentials', one.credentials];
    const { code, out } = await run(args);
    expect(code).toBe(0);
    const { email } = serving.world.account;
    expect(out).toMatch(/^ok +credentials +.* has a session/m);
    expect(out).toContain(`ok      sign-in        the accounts server vouches for ${email}\n`);
    expect(out).toMatch(/^ok +apps server +it takes that, and knows who asks: .*; it reads what/m);
    const file = { ...one.file(), session: `fxs_${'0'.repeat(64)}` };
    writeFileSync(one.credentials, JSON.stringify(file), { mode: 0o600 });
    const bad = await run(args);
    expect(bad.code).toBe(1);
    expect(bad.out).toMatch(/^not ok +sign-in .*sign in again: `kitsync sign-in --owa`/m);
    expect(bad.out).toMatch(/^- +apps server +not tried/m);
  });
});

describe('beside a Firefox account', () => {
  it('has the apps, and a sign-out of it leaves the rest', async () => {
    await one.signIn();
    const me = await credentialsOf(serving, join(one.folder, 'me.json'));
    const args = [
      ...['sync', '--once', '--initialize', '--yes', '--data', one.data, '--credentials', me],
      ...['--token-server', serving.world.urls.token, '--remote', 'mine=owa'],
      ...['--credentials', `mine=${one.credentials}`],
    ];
    expect(await run(args)).toMatchObject({ code: 0 });
    await one.install(A);
    await one.on('put', 'history', '{"url":"https://b.example/","title":"B"}');
    const { code, out } = await run(args);
    expect([code, out]).toEqual([0, expect.stringContaining('mine: in sync: apps 0 received, 1')]);
    expect(out).toContain('in sync: history 0 received, 1 sent');
    const [first = '', mine = ''] = (await one.on('status')).out.split('\n\n');
    expect(first).not.toContain('readable by its server');
    expect(mine).toMatch(/^apps +1 held, .*readable by its server$/m);
    expect(
      await run(['doctor', ...args.slice(4).filter((word) => word !== '--yes')]),
    ).toMatchObject({
      code: 0,
    });
    const left = await one.on('sign-out', '--remote', 'mine', '--yes');
    expect([left.code, left.complaints]).toEqual([
      0,
      expect.stringContaining('signed out of mine'),
    ]);
    expect((await one.on('list', 'history')).out).toContain('https://b.example/');
  });
});

test('a sign-out gives the session back', async () => {
  await one.signIn();
  await one.sync();
  const file = readFileSync(one.credentials, 'utf8');
  const { code, complaints } = await one.on(
    ...(['sign-out', '--yes', '--credentials', one.credentials, '--forget-credentials'] as const),
  );
  expect([code, complaints]).toEqual([
    0,
    expect.stringContaining('the accounts server has taken the sign-in back\n'),
  ]);
  writeFileSync(one.credentials, file, { mode: 0o600 });
  expect((await one.sync()).complaints).toContain('sign in again: `kitsync sign-in --owa`');
});
