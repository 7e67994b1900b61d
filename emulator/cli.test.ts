import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { main } from './cli.ts';

const dir = mkdtempSync(join(tmpdir(), 'kitsync-cli-'));
let out = '';
let complaints = '';

beforeEach(() => {
  out = '';
  complaints = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    complaints += text;
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

/** A firmware of one script. */
function firmwareDir(code: string): string {
  const path = mkdtempSync(join(dir, 'firmware-'));
  writeFileSync(join(path, 'agent.js'), code);
  const sha256 = createHash('sha256').update(code).digest('hex');
  const parts = [{ file: 'agent.js', bytes: code.length, sha256 }];
  writeFileSync(join(path, 'manifest.json'), JSON.stringify({ format: 1, parts }));
  return path;
}

test('0: a run that kept every promise, with all that it can write', async () => {
  const file = (name: string) => join(dir, name);
  const args = ['--records', '5', '--crypto', 'device', '--export', file('export')];
  const more = ['--dump', file('dump'), '--trace', file('trace')];
  // One that everybody can read is no place for keys and passwords.
  for (const name of ['export', 'dump', 'trace']) writeFileSync(file(name), '', { mode: 0o644 });
  expect(await main(['emulate', ...args, ...more])).toBe(0);
  expect(complaints).toBe('');
  expect(out).toMatch(/^ {5}0\.0 s {2}switched on\n/);
  expect(out).toMatch(/\nhistory +5 +0 +0\n/);
  expect(out).toMatch(/Every promise was kept\.\n$/);
  const held = JSON.parse(readFileSync(file('export'), 'utf8')) as { history: unknown[] };
  expect(held.history).toHaveLength(5);
  const dump = JSON.parse(readFileSync(file('dump'), 'utf8')) as { store: { format: string } };
  expect(dump.store.format).toBe('sync15-store');
  for (const name of ['export', 'dump', 'trace']) {
    expect(statSync(file(name)).mode & 0o777, name).toBe(0o600);
  }
  const [head = ''] = readFileSync(file('trace'), 'utf8').split('\n');
  expect(JSON.parse(head)).toMatchObject({ event: 'run', seed: 1, account: null });
  for (const line of readFileSync(file('trace'), 'utf8').trimEnd().split('\n')) {
    expect(JSON.parse(line)).toHaveProperty('event');
  }
});

test('report and trace carry what a replay needs, and no secret', async () => {
  const sum = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
  const account = readFileSync(new URL('../test/fixtures/corpus-a.json', import.meta.url));
  const edits = JSON.stringify([
    { collection: 'passwords', op: 'put', record: { id: 'nothing here', password: 'hunter2' } },
  ]);
  const path = join(dir, "it's edits");
  writeFileSync(path, edits);
  const firmware = firmwareDir('(function () { return () => ({ deliver() {}, command() {} }) })');
  const args = ['--firmware', firmware, '--apply', path, '--seed', '7', '--cut', '3', '--json'];
  const trace = join(dir, 'replay trace');
  const outputs = [`--export=${join(dir, 'replay held')}`, '--trace', trace];
  expect(await main(['emulate', ...args, ...outputs])).toBe(1);
  const { replay } = JSON.parse(out) as { replay: object };
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const quoted = path.replace("'", "'\\''");
  expect(replay).toEqual({
    version,
    firmware: sum(readFileSync(join(firmware, 'agent.js'))),
    seed: 7,
    cut: 3,
    edits: sum(edits),
    account: sum(account),
    command: `kitsync emulate --firmware ${firmware} --apply '${quoted}' --seed 7 --cut 3`,
  });
  const text = readFileSync(trace, 'utf8');
  expect(JSON.parse(text.split('\n')[0] ?? '')).toEqual({ t: 0, event: 'run', ...replay });
  const { kB } = JSON.parse(account.toString()) as { kB: string };
  for (const secret of [kB, 'hunter2']) expect(text + out).not.toContain(secret);
});

test('2: a power cut that never came is no kept promise', async () => {
  const args = ['--records', '2', '--crypto', 'device', '--cut', '999999', '--json'];
  expect(await main(['emulate', ...args])).toBe(2);
  expect(out).toBe('');
  expect(complaints).toMatch(
    /^kitsync: --cut 999999: the power was never cut: the run had \d{2} flash writes\n$/,
  );
});

test('a user who comes with a phone', async () => {
  const args = ['--sign-in', '--records', '2', '--protocol', 'sync15', '--crypto', 'device'];
  expect(await main(['emulate', ...args])).toBe(0);
  expect(out).toContain("the user's phone opens https://accounts.test/authorization\n");
  expect(out).toMatch(/Every promise was kept\.\n$/);
});

test('a user who has an account at one server, and at another a name and a new key', async () => {
  const edits = join(dir, 'edits.json');
  const card = { fn: [{ value: 'Ada' }], tel: [{ value: '1' }] };
  writeFileSync(edits, JSON.stringify([{ collection: 'contacts', op: 'put', record: { card } }]));
  const remotes = ['--protocol', 'sync15', '--records', '2', '--remote', 'k=kinto'];
  const args = ['--sign-in', ...remotes, '--crypto', 'device', '--apply', edits];
  expect(await main(['emulate', ...args])).toBe(0);
  expect(out).toMatch(/Protocol sync15, signed in by an OAuth token: enabled/);
  expect(out).toMatch(/Protocol kinto, signed in by a name and a password: enabled/);
  expect(out).toMatch(/contacts +1 +1 +0\n/);
  expect(out).toMatch(/Every promise was kept\.\n$/);
});

test('1: a promise was broken, here by a program that answers nothing', async () => {
  const firmware = firmwareDir('(function () { return () => ({ deliver() {}, command() {} }) })');
  expect(await main(['emulate', '--firmware', firmware, '--json'])).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    ok: false,
    killed: null,
    problems: ['the run ended early: enable: the agent waits for nothing'],
  });
});

test('3: the device killed the agent, here one that takes all memory', async () => {
  const firmware = firmwareDir(
    '(function () { for (var a = []; ; ) a.push(new Uint8Array(1e5)) })',
  );
  expect(await main(['emulate', '--firmware', firmware, '--json'])).toBe(3);
  expect(JSON.parse(out)).toMatchObject({ ok: false, killed: 'memory' });
});

test.each([
  [['emulate', '--account', '/nonexistent'], 'cannot read /nonexistent: there is no such file'],
  [
    ['emulate', '--firmware', '/nonexistent'],
    '--firmware: /nonexistent: cannot read manifest.json',
  ],
  [
    ['emulate', '--records', '1', '--trace', '/nonexistent/t'],
    'cannot write /nonexistent/t: there',
  ],
  [['emulate', '--profile', 'toaster'], 'unknown profile "toaster"'],
  [['emulate', '--records', '-5'], '--records must be a whole number from 0 to'],
  [['emulate', '--records=-5'], '--records must be a whole number from 0 to'],
  [['emulate', '--apply', '/nonexistent'], 'cannot read /nonexistent: there is no such file'],
  [
    ['emulate', '--records', '1', '--json', '--trace', '/dev/full'],
    'cannot write /dev/full: the disk is full',
  ],
  [['emulate', '--export', dir], `cannot write ${dir}: it is a folder`],
  [['emulate', '--dump', dir], `cannot write ${dir}: it is a folder`],
  [['emulate', '--trace', dir], `cannot write ${dir}: it is a folder`],
  [['emulate', '--account', ''], '--account needs a value, which is empty here'],
  [['emulate', '--account', '/'], 'cannot read /: it is a folder'],
  [['dance'], 'unknown command "dance"'],
])('2: %j gets one clear line', async (args, complaint) => {
  expect(await main(args)).toBe(2);
  expect(complaints).toContain(`kitsync: ${complaint}`);
  expect(complaints.match(/\n/g)).toHaveLength(1);
  expect(out).toBe('');
});

test('a firmware that is not what its manifest says is refused', async () => {
  const firmware = firmwareDir('1');
  writeFileSync(join(firmware, 'agent.js'), '2');
  expect(await main(['emulate', '--firmware', firmware])).toBe(2);
  expect(complaints).toContain('agent.js is not the file that the manifest names');
});

test('the profiles are listed with their assumptions', async () => {
  expect(await main(['profiles'])).toBe(0);
  expect(out).toMatch(
    /^panasonic-cx700\n {2}Panasonic .*\n {2}All hardware figures are assumptions/m,
  );
});

test('help is printed by the command itself', async () => {
  const bin = fileURLToPath(new URL('bin.mjs', import.meta.url));
  const text = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [bin, 'help'], (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });
  expect(text).toMatch(/^Usage: kitsync <command>/);
});

test('2: the firmware that belongs to the command is missing', async () => {
  expect(await main(['emulate'], join(dir, 'none'))).toBe(2);
  expect(complaints).toMatch(/^kitsync: [^\n]*manifest\.json: `kitsync build` says why[^\n]*\n$/);
});
