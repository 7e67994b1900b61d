import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { run, temporaryFolder, testTerminal } from '../../../test/support/commands.ts';
import { nodeMachine, openNodePlatform } from '../platform.ts';
import { nobody } from './identity.ts';
import { main } from './main.ts';

const KB = '0f'.repeat(32);
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

describe('a credentials file that cannot be used is refused, and the line names why', () => {
  test.each([
    ['{', 'is not JSON'],
    ['[]', 'must be a JSON object'],
    [{ key: KEY }, 'accessToken or refreshToken is missing'],
    [{ accessToken: 7, key: KEY }, 'accessToken must be a token'],
    [{ accessToken: 'secret one', key: KEY }, 'accessToken must be a token'],
    [{ ...REFRESH, clientId: undefined, key: KEY }, 'clientId is missing'],
    [{ ...REFRESH, oauthUrl: 'ftp://x', key: KEY }, 'oauthUrl must be an http or https URL'],
    [{ accessToken: 't' }, 'key (an object) or kB is missing'],
    [{ accessToken: 't', key: { ...KEY, kty: 'RSA' } }, 'key.kty must be "oct"'],
    [{ accessToken: 't', key: { ...KEY, kid: 'x' } }, 'key.kid must be a time'],
    [{ accessToken: 't', key: { ...KEY, k: 'secret' } }, 'key.k must be 64 bytes of base64url'],
    [{ accessToken: 't', kB: 'secret' }, 'kB must be 64 hex digits'],
    [{ accessToken: 't', kB: KB }, 'keysChangedAt must be milliseconds'],
    [{ accessToken: 't', key: KEY, email: 7 }, 'email must be an address'],
    [{ accessToken: 't', key: KEY, uid: '' }, 'uid must be'],
    [{ ...REFRESH, key: KEY, deviceId: 'secret' }, 'deviceId must be 32 hex digits'],
  ])('%j: %s', async (credentials, complaint) => {
    const { code, out, complaints } = await syncWith(credentials);
    expect([code, out]).toEqual([2, '']);
    expect(complaints).toMatch(/^kitsync: [^\n]*\n$/);
    expect(complaints).toContain(file);
    expect(complaints).toContain(complaint);
    expect(complaints).not.toContain('secret');
    expect(readdirSync(folder)).toEqual(['credentials.json']);
  });

  it('is refused when others can read it, with the command that mends it', async () => {
    for (const mode of [0o640, 0o604]) {
      const { code, complaints } = await syncWith({ accessToken: 't', key: KEY }, mode);
      expect([code, complaints]).toEqual([
        2,
        `kitsync: ${file} can be read by others; mend it with: chmod 600 ${file}\n`,
      ]);
    }
  });
});

test.each([
  [['sync'], '--token-server is missing'],
  [['sync', '--token-server', 'x'], '--token-server must be an http or https URL, not "x"'],
  [['sync', '--token-server', 'https://h'], '--credentials is missing'],
  [['sync', '--token-server', 'https://h', '--credentials', 'f'], '--data is missing'],
  [['sync', '--once', '--interval', '5'], '--once and --interval exclude each other'],
  [['sync', '--no-device', '--device-name', 'x'], '--no-device and --device-name exclude'],
  [['sync', '--read-only', '--device-name', 'x'], '--read-only and --device-name exclude'],
  [['sync', '--read-only', '--initialize'], '--read-only and --initialize exclude each other'],
  [['sync', '--colour'], "Unknown option '--colour'"],
  [['status'], '--data is missing'],
  [['status', '--data', data, 'more'], 'one word too many: "more"'],
  [['status', '--data', data], `${data} holds no data yet`],
  [['list', '--data', data], 'COLLECTION is missing'],
  [['list', 'history', '--data', data, '--limit', '0'], '--limit must be a whole number from 1'],
  [['list', 'history', '--data', data, '--limit', '-5'], '10000000, not "-5"'],
  [['sync', '--interval', '-5', '--token-server', 'https://h'], 'from 1 to 10080, not "-5"'],
  [['put', 'history', '{', '--data', data], 'the record is not JSON'],
  [['put', 'history', '[7]', '--data', data], 'a record must be a JSON object'],
  [['delete', 'history', '{}', '--data', data], 'a record to delete needs its id or guid'],
  [['sign-in', '--accounts', 'https://h'], '--client-id is missing'],
  [['import', '--accounts', 'https://h', '--client-id', 'c'], '--credentials is missing'],
  [['sign-out', '--yes'], '--data is missing'],
  [['devices', '--data', data], `${data} holds no data yet`],
  [['status', '--data', `/${'x'.repeat(91)}`], '--data must be a path of at most 86 bytes'],
])('%j: %s', async (args, complaint) => {
  const { code, out, complaints } = await run(args);
  expect([code, out]).toEqual([2, '']);
  expect(complaints).toMatch(/^kitsync: [^\n]*\n$/);
  expect(complaints).toContain(complaint);
});

test.each([
  ['--protocol', 'http', '--protocol: "http" is not one of sync15, syncto'],
  ['--collections', 'history,recipes', '--collections: "recipes" is not one of'],
  ['--device-name', 'a\nb', '--device-name must be 1 to 128 characters in one line'],
  ['--interval', '0', '--interval must be a whole number from 1 to 10080, not "0"'],
])('sync %s %s', async (name, value, complaint) => {
  const rest = ['--token-server', 'https://h', '--credentials', file, '--data', data];
  const { code, complaints } = await run(['sync', ...rest, name, value]);
  expect([code, complaints]).toEqual([2, expect.stringContaining(complaint)]);
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
  const open = (directory: string) =>
    openNodePlatform({
      directory,
      identity: (_, deviceKey) => nobody(deviceKey),
      shell: { status: () => undefined, event: () => undefined },
    });

  it('is for its owner only, and refused when it is not', async () => {
    const directory = join(folder, 'wide');
    mkdirSync(directory);
    chmodSync(directory, 0o755);
    const { code, complaints } = await run(['status', '--data', directory]);
    expect([code, complaints]).toEqual([2, expect.stringContaining(`chmod 700 ${directory}`)]);
  });

  it('keeps one key for ever, and is not opened without it', async () => {
    const directory = join(folder, 'keyed');
    const first = await open(directory);
    const key = await first.identity.deviceKey();
    await first.storage.commit([['k', 'v']]);
    first.close();
    const file = join(directory, 'device.key');
    expect([key.length, statSync(file).mode & 0o777]).toEqual([32, 0o600]);
    const second = await open(directory);
    expect(await second.identity.deviceKey()).toEqual(key);
    second.close();
    writeFileSync(file, 'short');
    await expect(open(directory)).rejects.toThrow('has 5 bytes, not 32');
    rmSync(file);
    await expect(open(directory)).rejects.toThrow('device.key is missing: the data needs it');
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
