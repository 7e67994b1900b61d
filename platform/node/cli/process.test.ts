import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Serving } from '../../../emulator/servers/serve.ts';
import { credentialsOf, run, serveAccount, testTerminal } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { openNodeStorage } from '../storage.ts';
import { connectControl } from './control.ts';
import { main } from './main.ts';
import { killCommands, startCommand } from './testing.ts';

let serving: Serving;
const folder = temporaryFolder();
const data = join(folder, 'data');

beforeAll(async () => {
  serving = await serveAccount(900);
  await credentialsOf(serving, join(folder, 'credentials.json'));
});
afterAll(() => serving.close());
afterEach(killCommands);

const syncArgs = (directory = data) => [
  ...['sync', '--token-server', serving.world.urls.token, '--data', directory],
  ...['--credentials', join(folder, 'credentials.json')],
];

it('goes on where it was killed, and stops in order when it is told to', async () => {
  for (let isOver = true; isOver; ) {
    rmSync(data, { recursive: true, force: true });
    const killed = startCommand([...syncArgs(), '--json']);
    await killed.saw('"progress"');
    killed.child.kill('SIGKILL');
    expect(await killed.ended).toBe('SIGKILL');
    // It may have been quicker than this process.
    isOver = killed.printed().includes('"pass"');
  }
  expect(readdirSync(data)).toContain('lock');

  const service = startCommand(syncArgs());
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
  const stopped = startCommand([...args, '--json']);
  await stopped.saw('"progress"');
  const second = startCommand([...args, '--once']);
  expect(await second.ended).toBe(1);
  expect(second.complained()).toBe(`kitsync: ${shared} is in use\n`);
  stopped.child.kill('SIGTERM');
  expect(await stopped.ended).toBe(0);
  expect(readdirSync(shared)).not.toContain('lock');
});

function pagesOnServer(): number {
  const [user] = serving.world.store.users.values();
  return user?.collections.get('history')?.count(Date.now()) ?? 0;
}

const CONTAINER = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
const hasContainers = spawnSync('unshare', [...CONTAINER.slice(1), 'true']).status === 0;

it.skipIf(!hasContainers)(
  'keeps what is put beside a sync in a container, and refuses a second sync outside',
  async () => {
    const shared = join(folder, 'container');
    const service = startCommand(syncArgs(shared), CONTAINER);
    await service.saw('in sync');
    const outside = await run([...syncArgs(shared), '--once']);
    expect([outside.code, outside.complaints]).toEqual([1, `kitsync: ${shared} is in use\n`]);
    const pages = Array.from({ length: 300 }, (_, n) => ({ url: `https://put.example/${n}` }));
    const put = await run(['put', 'history', '--data', shared], JSON.stringify(pages));
    expect([put.code, put.out.trim().split('\n').length]).toEqual([0, 300]);
    service.child.kill('SIGKILL');
    await service.ended;
    const args = ['list', 'history', '--data', shared, '--prefix', 'https://put.example/'];
    const { out } = await run([...args, '--limit', '400', '--json']);
    expect(JSON.parse(out)).toHaveLength(300);
  },
);

it('ends when another process has taken its folder over', async () => {
  const taken = join(folder, 'taken');
  const terminal = testTerminal();
  const ended = main(syncArgs(taken), terminal);
  await terminal.saw('in sync');
  rmSync(join(taken, 'lock'), { recursive: true });
  const heir = await openNodeStorage(taken);
  expect(await ended).toBe(1);
  expect(terminal.complaints).toContain(`kitsync: ${taken} is in use\n`);
  heir.close();
  const { out } = await run(['status', '--data', taken, '--json']);
  // What a killed sync of another folder had sent by then is there, too.
  const held = pagesOnServer();
  expect(JSON.parse(out)).toMatchObject({ collections: { history: { held, pending: 0 } } });
});

it('waits for its turn while a short command has the folder', async () => {
  const busy = join(folder, 'busy');
  const short = await openNodeStorage(busy);
  chmodSync(busy, 0o700);
  const syncing = run([...syncArgs(busy), '--once']);
  await setTimeout(500);
  short.close();
  const { code, out } = await syncing;
  expect([code, out]).toEqual([0, expect.stringContaining('in sync')]);
});

it('does not wait for ever for a sync that says nothing', async () => {
  const path = join(folder, 'silent');
  const silent = createServer().listen(path);
  await once(silent, 'listening');
  const api = await connectControl(path, 200);
  await expect(api?.status()).rejects.toThrow('has not answered for 0.2 seconds');
  api?.close();
  silent.close();
});

it('stops within seconds although the server says nothing', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const asked = once(silent, 'connection');
  const { port } = silent.address() as AddressInfo;
  const [command = '', , , ...others] = syncArgs();
  const url = `http://127.0.0.1:${port}`;
  const hung = startCommand([command, '--token-server', url, ...others, '--once']);
  await asked;
  hung.child.kill('SIGINT');
  expect(await hung.ended).toBe(1);
  silent.close();
});

it('signs out within seconds although no server says anything', async () => {
  const left = join(folder, 'left');
  expect(await run([...syncArgs(left), '--once'])).toMatchObject({ code: 0 });
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const notes = JSON.parse(readFileSync(join(left, 'notes.json'), 'utf8'));
  notes.remote.serverUrl = url;
  writeFileSync(join(left, 'notes.json'), JSON.stringify(notes), { mode: 0o600 });
  const { email, key } = JSON.parse(readFileSync(join(folder, 'credentials.json'), 'utf8'));
  const renewal = { refreshToken: 'ab'.repeat(32), clientId: '12'.repeat(8), oauthUrl: url };
  const credentials = join(folder, 'silent.json');
  writeFileSync(credentials, JSON.stringify({ email, key, ...renewal }), { mode: 0o600 });
  const beganMs = performance.now();
  const out = startCommand(['sign-out', '--data', left, '--credentials', credentials, '--yes']);
  expect([await out.ended, out.complained()]).toEqual([
    0,
    expect.stringContaining('has not answered for 10 seconds'),
  ]);
  expect(performance.now() - beganMs).toBeLessThan(40_000);
  expect(readdirSync(left)).toEqual([]);
  silent.close();
});
