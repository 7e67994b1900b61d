import { resolve } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { UsageError } from './complaint.ts';
import {
  parseCheck,
  parseDoctor,
  parseExport,
  parseImport,
  parseList,
  parseLocal,
  parseOfService,
  parseSignIn,
  parseSignOut,
  parseSync,
} from './options.ts';

const SERVER = ['--token-server', 'https://h/', '--credentials', 'f'];
const SYNC = [...SERVER, '--data', 'd'];
const ACCOUNT = ['--accounts', 'https://a', '--client-id', 'c', '--credentials', 'f'];

describe('kitsync sync', () => {
  it('runs every 15 minutes as one of the devices of the account, unless it is told else', () => {
    expect(parseSync(SYNC)).toEqual({
      services: [
        {
          name: null,
          remote: {
            protocol: 'sync15',
            serverUrl: 'https://h',
            audience: 'https://h/',
            auth: 'bearer',
          },
          credentialsFile: 'f',
          collections: ['history', 'passwords'],
        },
      ],
      ...{ allowHttp: false, directory: resolve('d'), readOnly: false, initialize: false },
      strategies: new Map(),
      device: expect.objectContaining({ type: 'desktop' }),
      ...{ yes: false, intervalMs: 900_000, json: false },
    });
  });

  it('may run once, at another interval, without a device, or with a name of its own', () => {
    const more = (...args: string[]) => parseSync([...SYNC, ...args]);
    expect(more('--once').intervalMs).toBeNull();
    expect(more('--interval', '1').intervalMs).toBe(60_000);
    expect(more('--interval=10080').intervalMs).toBe(604_800_000);
    expect(more('--no-device').device).toBeNull();
    // A reader writes nothing, its own record neither.
    expect(more('--read-only')).toMatchObject({ device: null, readOnly: true });
    expect(more('--device-name', 'x'.repeat(128)).device?.name).toHaveLength(128);
    const flags = more('--initialize', '--yes', '--json', '--allow-http');
    expect(flags).toMatchObject({ initialize: true, yes: true, json: true, allowHttp: true });
  });

  it('has a remote that is asked for the scope of its origin', () => {
    const at = ['--token-server', 'https://h:8000/path/', '--credentials', 'f', '--data', 'd'];
    const [{ remote }] = parseSync(at).services;
    expect(remote).toMatchObject({
      serverUrl: 'https://h:8000/path',
      audience: 'https://h:8000/',
    });
  });

  test.each([
    [[], '--token-server is missing'],
    [['--token-server', 'x'], '--token-server must be an http or https URL, not "x"'],
    [['--token-server', 'http://h'], 'is not encrypted'],
    [['--token-server', 'https://h'], '--credentials is missing'],
    [SERVER, '--data is missing'],
    [[...SERVER, '--data', ''], '--data is missing'],
    [['--once', '--interval', '5'], '--once and --interval exclude each other'],
    [['--no-device', '--device-name', 'x'], '--no-device and --device-name exclude each other'],
    [['--read-only', '--device-name', 'x'], '--read-only and --device-name exclude each other'],
    [['--read-only', '--initialize'], '--read-only and --initialize exclude each other'],
    [['--colour'], "Unknown option '--colour'"],
    [['--data'], "Option '--data <value>' argument missing"],
    [['--interval', '0'], '--interval must be a whole number from 1 to 10080, not "0"'],
    [['--interval', '10081'], 'from 1 to 10080, not "10081"'],
    [['--interval', '-5'], 'from 1 to 10080, not "-5"'],
    [['--interval', '1.5'], 'from 1 to 10080, not "1.5"'],
    [[...SYNC, '--device-name', ''], '--device-name must be 1 to 128 characters in one line'],
    [[...SYNC, '--device-name', 'x'.repeat(129)], '--device-name must be 1 to 128 characters'],
    [[...SYNC, '--device-name', 'a\nb'], '--device-name must be 1 to 128 characters in one line'],
    [[...SYNC, 'more'], 'one word too many: "more"'],
    [[...SYNC, 'https://u:s3cret@h'], 'one word too many behind the options'],
    [[...SYNC, 'x'.repeat(41)], 'one word too many behind the options'],
  ])('%j is refused: %s', (args, complaint) => {
    const work = () => parseSync(args);
    expect(work).toThrow(complaint);
    expect(work).toThrow(UsageError);
    expect(work).not.toThrow(/\n|s3cret/);
  });
});

describe('the commands on what was synced', () => {
  it('have a folder, and words as they are called', () => {
    const plain = { directory: resolve('d'), json: false, remote: null };
    expect(parseLocal(['--data', 'd'], [])).toEqual({ ...plain, words: [] });
    const two = parseLocal(['a', '--json', '--data', 'd', 'b'], ['A', 'B?']);
    expect(two).toEqual({ ...plain, json: true, words: ['a', 'b'] });
    expect(parseLocal(['a', '--data', 'd'], ['A', 'B?']).words).toEqual(['a']);
    expect(parseLocal(['a', 'b', 'c', '--data', 'd'], ['A', 'B...?']).words).toHaveLength(3);
    expect(parseOfService(['--data', 'd', '--remote', 'work'], []).remote).toBe('work');
  });

  it('take what is behind -- for words', () => {
    expect(parseLocal(['--data', 'd', '--', '-5', '--x'], ['A', 'B']).words).toEqual(['-5', '--x']);
    const behind = parseLocal(['--data', 'd', '--', '--limit', '-5'], ['A', 'B']);
    expect(behind.words).toEqual(['--limit', '-5']);
  });

  it('list 20 records, or as many as is wished', () => {
    const list = (...args: string[]) => parseList(['history', '--data', 'd', ...args]);
    expect(list()).toMatchObject({ limit: 20, prefix: null, words: ['history'] });
    const both = list('--limit', '10000000', '--prefix', 'https://');
    expect(both).toMatchObject({ limit: 10_000_000, prefix: 'https://' });
    for (const limit of ['0', '10000001', '-5', 'x', '1e3', '']) {
      expect(() => list(`--limit=${limit}`)).toThrow(
        `--limit must be a whole number from 1 to 10000000, not "${limit}"`,
      );
    }
    expect(() => list('--limit', '-5')).toThrow('not "-5"');
  });

  it('export to the output or to a file, and repair where they are told to', () => {
    expect(parseExport(['--data', 'd']).file).toBeNull();
    expect(parseExport(['--data', 'd', '--output', 'f']).file).toBe('f');
    expect(parseCheck(['--data', 'd'])).toMatchObject({ isRepair: false, words: [] });
    const some = parseCheck(['a', 'b', '--repair', '--remote', 'w', '--data', 'd']);
    expect(some).toMatchObject({ isRepair: true, words: ['a', 'b'], remote: 'w' });
  });

  test.each([
    [() => parseLocal([], []), '--data is missing'],
    [() => parseLocal(['--data', 'd'], ['COLLECTION', 'JSON?']), 'COLLECTION is missing'],
    [() => parseLocal(['a', '--data', 'd'], ['A', 'B']), 'B is missing'],
    [() => parseLocal(['--data', 'd', '--remote', 'w'], []), "Unknown option '--remote'"],
    [() => parseList(['--data', 'd']), 'COLLECTION is missing'],
    [() => parseExport(['more', '--data', 'd']), 'one word too many: "more"'],
  ])('are refused: %#: %s', (work, complaint) => {
    expect(work).toThrow(complaint);
  });
});

describe('kitsync doctor', () => {
  it('looks at a folder where one is named', () => {
    expect(parseDoctor(SERVER).directory).toBeNull();
    expect(parseDoctor(SYNC).directory).toBe(resolve('d'));
    expect(() => parseDoctor([...SERVER, '--data', ''])).toThrow('--data is missing');
  });
});

describe('a sign-in', () => {
  const redirect = ['--redirect', 'urn:ietf:wg:oauth:2.0:oob'];

  it('goes by a browser, or with a password for an address', () => {
    expect(parseSignIn([...ACCOUNT, ...redirect])).toEqual({
      accountsUrl: 'https://a',
      clientId: 'c',
      allowHttp: false,
      credentialsFile: 'f',
      email: null,
      redirectUrl: 'urn:ietf:wg:oauth:2.0:oob',
    });
    const byPassword = parseSignIn([...ACCOUNT, '--password', '--email', 'e']);
    expect(byPassword).toMatchObject({ redirectUrl: null, email: 'e' });
  });

  it('may come from the input or from a file', () => {
    expect(parseImport(ACCOUNT).file).toBeNull();
    expect(parseImport([...ACCOUNT, 'file']).file).toBe('file');
  });

  test.each([
    [[], '--accounts is missing'],
    [['--accounts', 'https://u:s3cret@h'], '--accounts must hold no user name and no password'],
    [['--accounts', 'http://h'], 'is not encrypted'],
    [['--accounts', 'https://a'], '--client-id is missing'],
    [['--accounts', 'https://a', '--client-id', 'c'], '--credentials is missing'],
    [ACCOUNT, '--redirect is missing'],
    [[...ACCOUNT, '--redirect', 'https://u:s3cret@h'], '--redirect must hold no user name'],
    [[...ACCOUNT, '--password'], '--email is missing'],
    [[...ACCOUNT, ...redirect, '--password'], '--password and --redirect exclude each other'],
  ])('%j is refused: %s', (args, complaint) => {
    expect(() => parseSignIn(args)).toThrow(complaint);
    expect(() => parseSignIn(args)).not.toThrow(/s3cret/);
  });
});

describe('a sign-out', () => {
  it('leaves all of a folder, tells nobody, and keeps files, unless it is told else', () => {
    expect(parseSignOut(['--data', 'd'])).toEqual({
      directory: resolve('d'),
      remote: null,
      credentials: [],
      forgetCredentials: false,
      allowHttp: false,
      yes: false,
    });
    const files = ['--credentials', 'f', '--credentials', 'work=g', '--forget-credentials'];
    const told = parseSignOut(['--data', 'd', '--remote', 'work', '--yes', ...files]);
    expect(told).toMatchObject({ remote: 'work', credentials: ['f', 'work=g'], yes: true });
  });

  it('forgets only files that are named', () => {
    const args = ['--data', 'd', '--forget-credentials'];
    expect(() => parseSignOut(args)).toThrow('--credentials is missing');
    expect(() => parseSignOut(['--yes'])).toThrow('--data is missing');
  });
});
