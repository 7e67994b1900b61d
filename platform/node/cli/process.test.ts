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
  serving = await serveAccount(1500);
  await credentialsOf(serving, join(folder, 'credentials.json'));
});
afterAll(() => serving.close());
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

const syncArgs = () => [
  ...['sync', '--token-server', serving.world.urls.token, '--data', data],
  ...['--credentials', join(folder, 'credentials.json')],
];

/** The command as a process of its own; `saw` resolves when it has printed the text. */
function start(args: readonly string[]) {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const ended = once(child, 'exit').then(([code, signal]) => {
    running.delete(child);
    return code ?? signal;
  });
  let printed = '';
  const saw = (text: string): Promise<void> =>
    new Promise((resolve) => {
      child.stdout.on('data', (bytes) => {
        printed += bytes;
        if (printed.includes(text)) resolve();
      });
    });
  return { child, ended, saw, printed: () => printed };
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
    collections: { history: { held: 1500, pending: 0 }, passwords: { held: 12 } },
  });
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
