import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { run, testTerminal } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { nodeMachine } from '../platform.ts';
import { main } from './main.ts';

const KEY = { kty: 'oct', kid: `1-${'A'.repeat(22)}`, k: 'A'.repeat(86) };
const REFRESH = { refreshToken: 'r', clientId: 'c', oauthUrl: 'http://127.0.0.1:9' };

const folder = temporaryFolder();
const data = join(folder, 'data');
const file = join(folder, 'credentials.json');

function syncWith(credentials: unknown, mode = 0o600) {
  const text = typeof credentials === 'string' ? credentials : JSON.stringify(credentials);
  writeFileSync(file, text);
  chmodSync(file, mode);
  const server = ['--token-server', 'http://127.0.0.1:9'];
  return run(['sync', ...server, '--credentials', file, '--data', data, '--once']);
}

test('a credentials file that cannot be used is named, and nothing is made', async () => {
  const { code, out, complaints } = await syncWith({ accessToken: 'secret one', key: KEY });
  const complaint = `kitsync: ${file}: accessToken must be a token\n`;
  expect([code, out, complaints]).toEqual([2, '', complaint]);
  expect(readdirSync(folder)).toEqual(['credentials.json']);
});

test.each([
  [['sync'], '--token-server is missing'],
  [['status'], '--data is missing'],
  [['status', '--data', data, 'more'], 'one word too many: "more"'],
  [['status', '--data', data], `${data} holds no data yet`],
  [['list', '--data', data], 'COLLECTION is missing'],
  [['put', 'history', '{', '--data', data], 'the record is not JSON'],
  [['put', 'history', '', '--data', data], 'no record was given'],
  [['put', 'history', '[7]', '--data', data], 'a record must be a JSON object'],
  [['delete', 'history', '{}', '--data', data], 'a record to delete needs its id or guid'],
  [['sign-in', '--accounts', 'https://h'], '--client-id is missing'],
  [['sign-out', '--yes'], '--data is missing'],
  [['devices', '--data', data], `${data} holds no data yet`],
  [['status', '--data', `/${'x'.repeat(91)}`], '--data must be a path of at most 86 bytes'],
])('%j: %s', async (args, complaint) => {
  const { code, out, complaints } = await run(args);
  expect([code, out]).toEqual([2, '']);
  expect(complaints).toMatch(/^kitsync: [^\n]*\n$/);
  expect(complaints).toContain(complaint);
});

test('a login in the arguments is taken, with a warning and without being shown', async () => {
  const login = '{"origin":"https://h","formActionOrigin":"","password":"s3cret"}';
  const words = ['put', 'passwords', login, '--data', data];
  const { complaints } = await run(words);
  expect(complaints).toMatch(/^kitsync: other users can see the arguments .* on the input\n/);
  expect(complaints).not.toContain('s3cret');
  expect((await run(['put', 'passwords', '--data', data], login)).complaints).not.toContain(
    'other',
  );
});

test('sync into a place where no folder can be', async () => {
  const place = join(file, 'data');
  writeFileSync(file, JSON.stringify({ accessToken: 't', key: KEY }), { mode: 0o600 });
  chmodSync(file, 0o600);
  const rest = ['--token-server', 'https://h', '--credentials', file, '--data', place];
  const { code, complaints } = await run(['sync', ...rest]);
  expect([code, complaints]).toEqual([
    2,
    `kitsync: cannot use ${place}: a part of the path is not a folder\n`,
  ]);
});

test('help is there, and exits with 0', async () => {
  expect(await run(['sync', '--help'])).toMatchObject({ code: 0, complaints: '' });
});

describe('the folder of a machine', () => {
  it('is for its owner only, and refused when it is not', async () => {
    const directory = join(folder, 'wide');
    mkdirSync(directory);
    chmodSync(directory, 0o755);
    const { code, complaints } = await run(['status', '--data', directory]);
    expect([code, complaints]).toEqual([2, expect.stringContaining(`chmod 700 ${directory}`)]);
  });
});

describe('a server is never asked with a password in its address, nor in the open', () => {
  const secret = 'https://user:s3cret@sync.example';
  const account = ['--client-id', 'c', '--credentials', file];
  const rest = ['--credentials', file, '--data', data];
  const PLAIN =
    'http://sync.example:8000 is not encrypted: use https, or allow it with --allow-http';

  test.each([
    [['sync', '--token-server', secret, ...rest], '--token-server must hold no user name'],
    [['sync', '--token-server', 'user:s3cret@h', ...rest], '--token-server must hold no user name'],
    [['sync', '--token-server', 'ftp://u:s3cret@h', ...rest], '--token-server must hold no user'],
    [
      ['sync', '--token-server', 'https://h?t=s3cret', ...rest],
      '--token-server must have no query',
    ],
    [['sync', secret], 'one word too many'],
    [['put', 'passwords', '{}', '{"password":"s3cret"}', '--data', data], 'one word too many'],
    [['sign-in', '--accounts', secret, ...account], '--accounts must hold no user name'],
    [
      ['sign-in', '--accounts', 'https://h', '--redirect', secret, ...account],
      '--redirect must hold no user name',
    ],
    [['import', '--accounts', secret, ...account], '--accounts must hold no user name'],
    [['sync', '--token-server', 'http://sync.example:8000', ...rest], `--token-server: ${PLAIN}`],
    [['sign-in', '--accounts', 'http://sync.example:8000', ...account], `--accounts: ${PLAIN}`],
    [['import', '--accounts', 'http://sync.example:8000', ...account], `--accounts: ${PLAIN}`],
    [['sync', '--token-server', 'http://127.0.0.1.example', ...rest], 'is not encrypted'],
    [['sync', '--token-server', 'http://localhost.example', ...rest], 'is not encrypted'],
  ])('%j: %s', async (args, complaint) => {
    const { code, complaints } = await run(args);
    expect([code, complaints]).toEqual([2, expect.stringContaining(complaint)]);
    expect(complaints).toMatch(/^kitsync: [^\n]*\n$/);
    expect(complaints).not.toContain('s3cret');
  });

  test.each([
    ['https://u:s3cret@h', 'oauthUrl must hold no user name'],
    ['http://accounts.example', 'oauthUrl: http://accounts.example is not encrypted'],
  ])('oauthUrl %s in the credentials file: %s', async (oauthUrl, complaint) => {
    const { code, complaints } = await syncWith({ ...REFRESH, oauthUrl, key: KEY });
    expect([code, complaints]).toEqual([2, expect.stringContaining(complaint)]);
    expect(complaints).not.toContain('s3cret');
  });

  it('but this machine is', async () => {
    writeFileSync(file, JSON.stringify({ accessToken: 't', key: KEY }));
    for (const host of ['localhost:9', '127.1:9', '[::1]:9']) {
      const url = `http://${host}`;
      const { code, complaints } = await run(['sync', '--token-server', url, ...rest, '--once']);
      expect([code, complaints]).toEqual([1, expect.stringContaining('(offline)')]);
    }
  });

  it('nor is the one that the token server names', async () => {
    writeFileSync(file, JSON.stringify({ accessToken: 't', key: KEY }));
    const asked: string[] = [];
    const machine = {
      async fetch({ url }: Request) {
        asked.push(new URL(url).host);
        const api_endpoint = 'http://node.example/1.5/1';
        return Response.json({ id: 'i', key: 'k', api_endpoint, uid: 1, duration: 300 });
      },
    };
    for (const more of [[], ['--once']]) {
      const terminal = testTerminal({ machine });
      const args = ['sync', '--token-server', 'http://127.0.0.1:9', ...rest, ...more];
      expect(await main(args, terminal)).toBe(2);
      expect(terminal.complaints).toContain('kitsync: http://node.example is not encrypted');
    }
    const allowed = testTerminal({ machine });
    const args = ['sync', '--token-server', 'http://127.0.0.1:9', ...rest, '--once'];
    expect(await main([...args, '--allow-http'], allowed)).toBe(1);
    expect(asked).toEqual(['127.0.0.1:9', '127.0.0.1:9', '127.0.0.1:9', 'node.example']);
  });

  it('also by a program that takes no care', async () => {
    const { network, stop } = nodeMachine();
    const limits = { timeoutMs: 1_000, windowMs: 1_000, windowBytesMin: 1, longestMs: 1_000 };
    const ask = (url: string) => network.request({ method: 'GET', url, headers: [], ...limits });
    await expect(ask(secret)).rejects.toThrow('a request needs a URL without user and password');
    await expect(ask('http://sync.example')).rejects.toMatchObject({
      code: 'offline',
      cause: 'ENOTENCRYPTED sync.example',
    });
    stop();
  });
});
