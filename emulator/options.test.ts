import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseEmulate, parseNothing } from './options.ts';
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

  test('backs up a phone on a Kinto of whose data nothing else is said', () => {
    const backupOf = (...args: string[]) => parseEmulate(['--protocol', 'kinto', ...args]);
    const phone = { name: 'firefox-os-phone-128mb' };
    expect(backupOf()).toMatchObject({ backup: 5_000, collections: ['contacts'], profile: phone });
    expect(backupOf('--backup', '7', '--profile', 'kaios-256mb')).toMatchObject({
      ...{ backup: 7, profile: { name: 'kaios-256mb' } },
    });
    expect(parseEmulate(['--remote', 'first=kinto:settings', '--backup', '7'])).toMatchObject({
      ...{ backup: 7, collections: ['settings'] },
    });
    expect([backupOf('--records', '3').backup, parseEmulate([]).backup]).toEqual([null, null]);
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
    [
      ['--protocol', 'kinto', '--backup', '1', '--remote', 'a=sync15'],
      '--backup is of one remote, and there are several',
    ],
    [['--compacted'], '--compacted is on a PiCL storage of the emulator: --protocol picl'],
    [
      ['--protocol', 'picl', '--compacted', '--server', 'http://127.0.0.1:1/'],
      '--compacted is on a PiCL storage of the emulator: --protocol picl',
    ],
    [['--backup', '1'], '--backup is on a Kinto: --protocol kinto'],
    [
      ['--protocol', 'kinto', '--backup', '1', '--records', '2'],
      '--backup and --records exclude each other',
    ],
    [['--protocol', 'kinto', '--backup', '0'], '--backup must be a whole number from 1 to 1000000'],
    [['--profile', 'toaster'], /^unknown profile "toaster"; there are/],
    [['--auth', 'magic'], '--auth must be browserid or bearer or basic, not "magic"'],
    [
      ['--protocol', 'ftp'],
      '--protocol must be syncto or sync15 or kinto or picl or owa, not "ftp"',
    ],
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

test('a command without options takes none', () => {
  expect(complaint([], parseNothing)).toBe('no complaint');
  expect(complaint(['--json'], parseNothing)).toMatch(/^Unknown option/);
});
