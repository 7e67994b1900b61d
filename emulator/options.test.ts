import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseEmulate, parseNothing } from './options.ts';
import { parseServe } from './serve-options.ts';
import { UsageError } from './usage.ts';

const dir = mkdtempSync(join(tmpdir(), 'kitsync-options-'));

function file(name: string, content: string): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

/** The complaint about a command line, or that there is none. */
function complaint(args: readonly string[], parse: (args: readonly string[]) => unknown): string {
  try {
    parse(args);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message;
  }
  return 'no complaint';
}

describe('emulate', () => {
  test('without options is the shipped account on the television, in the worst case', () => {
    expect(parseEmulate([])).toMatchObject({
      profile: { name: 'panasonic-cx700' },
      protocol: 'syncto',
      auth: 'browserid',
      crypto: 'software',
      seed: 1,
      serverUrl: null,
      cutAt: null,
      edits: [],
      json: false,
    });
    const { account } = parseEmulate([]);
    expect(account?.seed.store.users.size).toBe(1);
    expect(account?.expected?.history).toHaveLength(69);
  });

  test('takes every option', () => {
    const edits = [
      { collection: 'history', op: 'put', record: { url: 'https://a.example/' } },
      { collection: 'passwords', op: 'delete', record: { id: '{1}' } },
    ];
    const args = [
      ...['--profile', 'kaios-256mb', '--protocol', 'syncto', '--auth', 'bearer'],
      ...['--crypto', 'device', '--server', 'http://127.0.0.1:8000/', '--seed', '7'],
      ...['--cut', '3', '--records', '50', '--json', '--apply', file('e', JSON.stringify(edits))],
      ...['--export', 'out.json', '--trace', 'trace', '--firmware', 'dist/x'],
    ];
    expect(parseEmulate(args)).toMatchObject({
      profile: { name: 'kaios-256mb' },
      auth: 'bearer',
      crypto: 'device',
      serverUrl: 'http://127.0.0.1:8000',
      seed: 7,
      cutAt: 3,
      account: null,
      records: 50,
      json: true,
      edits,
      exportFile: 'out.json',
      traceFile: 'trace',
      firmwareDir: 'dist/x',
      keepDebug: false,
    });
  });

  test('signs in to Sync 1.5 by an OAuth token', () => {
    expect(parseEmulate(['--protocol', 'sync15'])).toMatchObject({
      protocol: 'sync15',
      auth: 'bearer',
    });
  });

  test.each([
    [['--account', '/nonexistent'], 'cannot read /nonexistent: there is no such file or folder'],
    [['--account', file('text', 'no')], /text is not JSON$/],
    [['--account', file('empty', '{}')], /empty: not a valid account file: kB is not 64 hex/],
    [['--account', 'x', '--records', '1'], '--account and --records exclude each other'],
    [['--server', 'http://a', '--dump', 'x'], /^--dump needs the servers of the emulator/],
    [['--export', '/nonexistent/x'], /^cannot write \/nonexistent\/x: there is no such file/],
    [['--profile', 'toaster'], /^unknown profile "toaster"; there are/],
    [['--auth', 'magic'], '--auth must be browserid or bearer, not "magic"'],
    [['--protocol', 'ftp'], '--protocol must be syncto or sync15, not "ftp"'],
    [
      ['--protocol', 'sync15', '--auth', 'browserid'],
      '--protocol sync15 knows no --auth but bearer',
    ],
    [
      ['--sign-in', '--auth', 'browserid'],
      '--sign-in makes access tokens: it excludes --auth browserid',
    ],
    [['--cut', '0'], '--cut must be a whole number from 1 to 2147483647, not "0"'],
    [['--seed', '1e3'], /^--seed must be a whole number/],
    [['--server', 'ftp://x/'], '--server must be an http or https URL, not "ftp://x/"'],
    [['--server', 'https://u:s3cret@h'], '--server must hold no user name and no password'],
    [['--server', 'http://h'], /^--server: http:\/\/h is not encrypted.* --allow-http$/],
    [['https://u:s3cret@h'], /^Unexpected argument 'https:\/\/\(hidden\)@h'/],
    [['--apply', file('a1', '{}')], /a1: must be a JSON array of edits$/],
    [['--apply', file('a2', '[null]')], /a2: edit 1: record must be an object$/],
    [
      ['--apply', file('a3', '[{"op":"delete","record":{}}]')],
      /edit 1: a deletion needs record.id/,
    ],
    [
      ['--apply', file('a4', '[{"op":"put","collection":"tabs","record":{}}]')],
      /edit 1: collection must be history or passwords, not "tabs"$/,
    ],
    [['--colour'], /^Unknown option '--colour'/],
    [['now'], /^Unexpected argument 'now'/],
  ])('%j is refused in one line', (args, message) => {
    const line = complaint(args, parseEmulate);
    expect(line).toMatch(message);
    expect(line).not.toContain('\n');
    expect(line).not.toContain('s3cret');
  });

  test('an account under another key is refused', () => {
    const seed = parseEmulate([]).account?.seed;
    const user = [...(seed?.store.users.values() ?? [])][0];
    const store = {
      format: 'sync15-store',
      version: 1,
      users: { 1: { keyFingerprint: user?.keyFingerprint, modified: 1, collections: {} } },
    };
    const path = file('key', JSON.stringify({ kB: 'ab'.repeat(32), store }));
    expect(complaint(['--account', path], parseEmulate)).toMatch(/kB is not the key of any user/);
  });

  test('an account with a broken list of what is expected is refused', () => {
    const store = { format: 'sync15-store', version: 1, users: {} };
    const expected = { history: [{ guid: 'a', url: 5 }], logins: [] };
    const path = file('expected', JSON.stringify({ kB: 'ab'.repeat(32), store, expected }));
    expect(complaint(['--account', path], parseEmulate)).toMatch(/: expected\.history\[0\]/);
  });
});

test('serve takes a port, an account and a time', () => {
  expect(parseServe(['--port', '8080', '--seconds', '5'])).toMatchObject({
    port: 8080,
    seconds: 5,
  });
  const more = ['--host', 'kitchen.local', '--host', 'tv', '--allow-origin', 'https://app.example'];
  expect(parseServe(more)).toMatchObject({
    hosts: ['kitchen.local', 'tv'],
    origins: ['https://app.example'],
  });
  expect(parseServe(['--allow-origin', '*']).origins).toEqual(['*']);
  for (const origin of ['**', 'null', 'https://app.example/', 'app.example']) {
    const line = complaint(['--allow-origin', origin], parseServe);
    expect(line).toMatch(/^--allow-origin must be an origin such as/);
  }
  const urls = ['https://sync.example', 'https://sync.example/kitsync', 'http://127.0.0.1:8100'];
  for (const url of urls) expect(parseServe(['--public-url', url]).publicUrl).toBe(url);
  for (const url of ['sync.example', 'https://a.example/', 'ftp://a.example', 'https://a?b'])
    expect(complaint(['--public-url', url], parseServe)).toMatch(/^--public-url must be a URL/);
  expect(complaint(['--host', 'tv:80'], parseServe)).toMatch(/^--host must be a name without a/);
  expect(complaint(['--port', '65536'], parseServe)).toMatch(/^--port must be a whole number/);
});

test('a command without options takes none', () => {
  expect(complaint([], parseNothing)).toBe('no complaint');
  expect(complaint(['--json'], parseNothing)).toMatch(/^Unknown option/);
});

describe('the remotes of a device', () => {
  const remotesOf = (...args: string[]) => {
    const { name, protocol, collections, others } = parseEmulate(args);
    return [{ name, protocol, collections }, ...others].map((one) =>
      [one.name, one.protocol, ...one.collections].join(' '),
    );
  };

  test('are one, with history and passwords, unless more are named', () => {
    expect(remotesOf()).toEqual(['first syncto history passwords']);
    expect(remotesOf('--remote', 'notes=sync15:notes')).toEqual([
      'first syncto history passwords',
      'notes sync15 notes',
    ]);
  });

  test('take from the first what they name; where nothing is left, one of them is it', () => {
    const named = [
      '--remote',
      'home=syncto:history,passwords',
      '--remote',
      'n=sync15:a.b,generic(c)',
    ];
    expect(remotesOf(...named)).toEqual(['home syncto history passwords', 'n sync15 a.b c']);
    expect(remotesOf('--remote', 'n=sync15:passwords', '--protocol', 'sync15')).toEqual([
      'first sync15 history',
      'n sync15 passwords',
    ]);
    expect(remotesOf('--remote', 'a=sync15', '--remote', 'n=syncto:n')).toEqual([
      'a sync15 history passwords',
      'n syncto n',
    ]);
    expect(remotesOf('--remote', 'n=syncto:n', '--remote', 'first=sync15:history')).toEqual([
      'first sync15 history',
      'n syncto n',
    ]);
  });

  test('have accounts, records, sign-ins and servers of their own', () => {
    const args = [
      ...['--remote', 'notes=sync15:notes', '--records', '3', '--records', 'notes=5'],
      ...['--auth', 'bearer', '--auth', 'notes=bearer'],
      ...['--off', 'notes=2-3', '--off', 'first=1', '--off', 'notes', '--sign-out', 'notes'],
    ];
    expect(parseEmulate(args)).toMatchObject({
      ...{ name: 'first', auth: 'bearer', records: 3, account: null, signOut: ['notes'] },
      others: [{ name: 'notes', auth: 'bearer', records: 5, account: null, serverUrl: null }],
      off: [
        { name: 'notes', rounds: [2, 3] },
        { name: 'first', rounds: [1] },
        { name: 'notes', rounds: [1, 2, 3] },
      ],
    });
  });

  const notes = ['--remote', 'notes=sync15:notes'];
  test.each<[args: string[], complaint: string]>([
    [['--remote', 'notes'], '--remote must be NAME=PROTOCOL[:COLLECTIONS], NAME of'],
    [['--remote', 'No=sync15:x'], '--remote must be NAME=PROTOCOL[:COLLECTIONS], NAME of'],
    [['--remote', 'a=kinto:x'], '--remote a must be syncto or sync15, not "kinto"'],
    [['--remote', 'a=sync15:'], '--remote a: "" is neither history nor passwords'],
    [['--remote', 'a=sync15:meta'], '--remote a: "meta" is neither history nor passwords'],
    [['--remote', 'a=sync15:x', '--remote', 'a=sync15:y'], '--remote a is there twice'],
    [['--remote', 'a=sync15:x', '--remote', 'b=syncto:x'], '--remote: x is of a and of b'],
    [['--remote', 'a=sync15', '--remote', 'b=syncto'], '--remote b: no collection is left'],
    [['--protocol', 'sync15', '--remote', 'a=sync15'], 'no collection is left for the first'],
    [['--protocol', 'sync15', '--remote', 'first=sync15'], '--remote first and --protocol excl'],
    [[...notes, '--auth', 'notes=browserid'], '--protocol sync15 knows no --auth but bearer'],
    [[...notes, '--off', 'note'], '--off: there is no remote "note", but first, notes'],
    [[...notes, '--off', 'notes=4'], '--off notes: "4" must be one sync of 1 to 3, or two'],
    [[...notes, '--off', 'notes=3-1'], '--off notes: "3-1" must be one sync of 1 to 3, or'],
    [[...notes, '--sign-out', 'x'], '--sign-out: there is no remote "x", but first, notes'],
    [[...notes, '--server', 'http://127.0.0.1:1'], '--server notes=URL is missing: all or none'],
    [[...notes, '--server', 'notes=http://127.0.0.1:1'], '--server URL is missing: all or none'],
    [
      [...notes, ...['--server', 'http://127.0.0.1:1', '--server', 'notes=http://127.0.0.1:2']],
      '--account notes=FILE is missing: whose data that server has',
    ],
    [[...notes, '--records', 'notes=x'], '--records must be a whole number from 0'],
  ])('%j are refused', (args, words) => {
    expect(complaint(args, parseEmulate)).toContain(words);
  });
});
