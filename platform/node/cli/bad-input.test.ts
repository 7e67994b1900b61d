import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { run, temporaryFolder } from '../../../test/support/commands.ts';
import { openNodePlatform } from '../platform.ts';
import { nobody } from './identity.ts';

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

describe('a credentials file that cannot be used is refused in a line that names what is wrong', () => {
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
  [['sync', '--token-server', 'http://h'], '--credentials is missing'],
  [['sync', '--token-server', 'http://h', '--credentials', 'f'], '--data is missing'],
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
  [['put', 'history', '{', '--data', data], 'the record is not JSON'],
  [['put', 'history', '[7]', '--data', data], 'a record must be a JSON object'],
  [['delete', 'history', '{}', '--data', data], 'a record to delete needs its id or guid'],
  [['sign-in', '--accounts', 'http://h'], '--client-id is missing'],
  [['import', '--accounts', 'http://h', '--client-id', 'c'], '--credentials is missing'],
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
  const rest = ['--token-server', 'http://h', '--credentials', file, '--data', data];
  const { code, complaints } = await run(['sync', ...rest, name, value]);
  expect([code, complaints]).toEqual([2, expect.stringContaining(complaint)]);
});

test('sync into a place where no folder can be', async () => {
  const place = join(file, 'data');
  writeFileSync(file, JSON.stringify({ accessToken: 't', key: KEY }), { mode: 0o600 });
  chmodSync(file, 0o600);
  const rest = ['--token-server', 'http://h', '--credentials', file, '--data', place];
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
