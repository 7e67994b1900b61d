// The package as its users get it: packed, installed into an empty folder outside of the checkout,
// and used there for what it is for. Needs a registry of packages, or npm's cache of them.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'kitsync-package-'));
const app = join(folder, 'app');
/** What a compiler would trust: a folder for temporary files that others can write to. */
const shared = join(folder, 'tmp');
const env = { ...process.env, TMPDIR: shared };
let server: ChildProcess | null = null;

beforeAll(() => {
  mkdirSync(app);
  mkdirSync(shared);
  chmodSync(shared, 0o777);
  execFileSync('npm', ['pack', '--pack-destination', folder], { cwd: ROOT, stdio: 'pipe' });
  const [tarball = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  execFileSync('npm', ['init', '-y'], { cwd: app, stdio: 'pipe' });
  const install = ['install', '--no-audit', '--no-fund', '--prefer-offline', join(folder, tarball)];
  execFileSync('npm', install, { cwd: app, stdio: 'pipe' });
});
afterAll(() => {
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the installed command. */
function kitsync(args: readonly string[], input = '') {
  const bin = join(app, 'node_modules/.bin/kitsync');
  const { status, stdout, stderr } = spawnSync(bin, args, {
    ...{ cwd: app, env, input, encoding: 'utf8', maxBuffer: 1e8 },
  });
  return { code: status, out: stdout, complaints: stderr };
}

test('has no tests and no compiler in it', () => {
  const files = readdirSync(join(app, 'node_modules/kitsync'), { recursive: true }).map(String);
  expect(files.filter((name) => /\.test\.ts$|\.tgz$/.test(name))).toEqual([]);
  expect(existsSync(join(app, 'node_modules/tsx'))).toBe(false);
});

test('runs the shipped account through the shipped firmware', () => {
  const { code, out, complaints } = kitsync(['emulate', '--json', '--crypto', 'device']);
  expect([code, complaints]).toEqual([0, '']);
  expect(JSON.parse(out)).toMatchObject({ ok: true, problems: [], killed: null });
});

test('builds another firmware, and runs it', () => {
  const built = kitsync(['build', '--with', 'sync15,history', 'panasonic-cx700']);
  expect([built.code, built.complaints]).toEqual([0, '']);
  const firmware = join(app, 'dist/panasonic-cx700');
  const args = ['emulate', '--firmware', firmware, '--records', '5', '--protocol', 'sync15'];
  const run = kitsync([...args, '--crypto', 'device']);
  expect(run.out).toMatch(/\nhistory +5 +0 +0\n/);
});

test('syncs a folder with its own servers', async () => {
  const bin = join(app, 'node_modules/.bin/kitsync');
  server = spawn(bin, ['serve'], { cwd: app, env, stdio: ['ignore', 'pipe', 'inherit'] });
  let told = '';
  server.stdout?.on('data', (bytes) => {
    told += bytes;
  });
  while (!/password +.+\n/.test(told)) await once(server.stdout as NodeJS.ReadableStream, 'data');
  const of = (name: string) => new RegExp(`^${name} +(.+)$`, 'm').exec(told)?.[1] ?? '';
  const who = ['--accounts', of('accounts'), '--client-id', 'any', '--email', of('email')];
  const signIn = kitsync(
    ['sign-in', '--password', ...who, '--credentials', 'me.json'],
    of('password'),
  );
  expect(signIn).toMatchObject({ code: 0, complaints: 'Signed in: me.json is written.\n' });
  const where = ['--token-server', of('token'), '--credentials', 'me.json', '--data', 'data'];
  const synced = kitsync(['sync', '--once', ...where]);
  expect(synced.code).toBe(0);
  const { out } = kitsync(['status', '--data', 'data', '--json']);
  expect(JSON.parse(out)).toMatchObject({ collections: { history: { held: 64 } } });
});

test('leaves nothing in the folder for temporary files', () => {
  expect(readdirSync(shared)).toEqual([]);
});
