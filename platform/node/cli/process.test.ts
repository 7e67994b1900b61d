import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Serving } from '../../../emulator/servers/serve.ts';
import {
  credentialsOf,
  run,
  serveAccount,
  temporaryFolder,
} from '../../../test/support/commands.ts';

const BIN = fileURLToPath(new URL('../../../emulator/bin.mjs', import.meta.url));

let serving: Serving;
const folder = temporaryFolder();
const data = join(folder, 'data');
const running = new Set<ChildProcess>();

beforeAll(async () => {
  serving = await serveAccount(900);
  await credentialsOf(serving, join(folder, 'credentials.json'));
});
afterAll(() => serving.close());
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

const syncArgs = (directory = data) => [
  ...['sync', '--token-server', serving.world.urls.token, '--data', directory],
  ...['--credentials', join(folder, 'credentials.json')],
];

/** The command as a process of its own; `saw` resolves when it has printed the text. */
function start(args: readonly string[], [command = '', ...before]: readonly string[] = []) {
  const program = [process.execPath, BIN, ...args];
  const [file = '', ...rest] = command === '' ? program : [command, ...before, ...program];
  const child = spawn(file, rest, { stdio: 'pipe' });
  running.add(child);
  const ended = once(child, 'exit').then(([code, signal]) => {
    running.delete(child);
    return code ?? signal;
  });
  let printed = '';
  let complained = '';
  child.stdout.on('data', (bytes) => {
    printed += bytes;
  });
  child.stderr.on('data', (bytes) => {
    complained += bytes;
  });
  const saw = async (text: string): Promise<void> => {
    while (!printed.includes(text)) await once(child.stdout, 'data');
  };
  return { child, ended, saw, printed: () => printed, complained: () => complained };
}

it('goes on where it was killed, and stops in order when it is told to', async () => {
  const killed = start([...syncArgs(), '--json']);
  await killed.saw('"progress"');
  killed.child.kill('SIGKILL');
  expect(await killed.ended).toBe('SIGKILL');
  expect(killed.printed()).not.toContain('"pass"');
  expect(readdirSync(data)).toContain('lock');

  const service = start(syncArgs());
  await service.saw('in sync');
  service.child.kill('SIGTERM');
  expect(await service.ended).toBe(0);
  expect(readdirSync(data).sort()).toEqual(['device.key', 'notes.json', 'store']);

  const { out } = await run(['status', '--data', data, '--json']);
  expect(JSON.parse(out)).toMatchObject({
    collections: { history: { held: 900, pending: 0 }, passwords: { held: 12 } },
  });
});

it('stops in order in the middle of a sync, and two never share a folder', async () => {
  const shared = join(folder, 'shared');
  const args = syncArgs(shared);
  const stopped = start([...args, '--json']);
  await stopped.saw('"progress"');
  const second = start([...args, '--once']);
  expect(await second.ended).toBe(1);
  expect(second.complained()).toBe(`kitsync: ${shared} is in use\n`);
  stopped.child.kill('SIGTERM');
  expect(await stopped.ended).toBe(0);
  expect(readdirSync(shared)).not.toContain('lock');
});

it('says that the disk is full, and goes on when there is room', async () => {
  const small = join(folder, 'small');
  // Files of at most 600 KiB.
  const limited = ['bash', '-c', 'trap "" XFSZ; ulimit -f 600; exec "$@"', 'bash'];
  const full = start([...syncArgs(small), '--once'], limited);
  expect(await full.ended).toBe(1);
  expect(full.complained()).toMatch(/sync failed: .* \(storageFull\) - make room on the disk\n/);
  const { code, out } = await run([...syncArgs(small), '--once']);
  expect([code, out]).toEqual([0, expect.stringContaining('in sync')]);
  const { out: status } = await run(['status', '--data', small]);
  expect(status).toMatch(/^history +900 held/m);
});

it('stops within seconds although the server says nothing', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const asked = once(silent, 'connection');
  const { port } = silent.address() as AddressInfo;
  const [command = '', , , ...others] = syncArgs();
  const url = `http://127.0.0.1:${port}`;
  const hung = start([command, '--token-server', url, ...others, '--once']);
  await asked;
  hung.child.kill('SIGINT');
  expect(await hung.ended).toBe(1);
  silent.close();
});

it('takes a password from an input that stays open, and ends', async () => {
  const { account, urls } = serving.world;
  const credentials = join(folder, 'password.json');
  const signIn = start([
    ...['sign-in', '--password', '--accounts', urls.accounts, '--client-id', 'c11e27'],
    ...['--credentials', credentials, '--email', account.email],
  ]);
  signIn.child.stdin.write(`${account.password}\n`);
  expect(await signIn.ended).toBe(0);
  expect(signIn.complained()).toBe(`Signed in: ${credentials} is written.\n`);
});
