import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Serving } from '../../../emulator/servers/serve.ts';
import { credentialsOf, run, serveAccount } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
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

it('says that the disk is full, goes on when it is not, and prints only what is read', async () => {
  const args = [
    ...['sync', '--token-server', serving.world.urls.token, '--data', data, '--once'],
    ...['--credentials', join(folder, 'credentials.json')],
  ];
  // Files of at most 600 KiB.
  const limited = ['bash', '-c', 'trap "" XFSZ; ulimit -f 600; exec "$@"', 'bash'];
  const full = startCommand(args, limited);
  expect(await full.ended).toBe(1);
  expect(full.complained()).toMatch(
    /sync failed: .* \(storageFull\) - make room on the disk that has the folder\n/,
  );
  const { code, out } = await run(args);
  expect([code, out]).toEqual([0, expect.stringContaining('in sync')]);
  const { out: status } = await run(['status', '--data', data]);
  expect(status).toMatch(/^history +900 held/m);

  const list = ['list', 'history', '--data', data, '--limit', '900'];
  const cut = startCommand(list, ['bash', '-c', '"$@" | head -n 1', 'bash']);
  expect(await cut.ended).toBe(0);
  expect([cut.printed().split('\n').length, cut.complained()]).toEqual([2, '']);
});

it('takes a password from an input that stays open, and ends', async () => {
  const { account, urls } = serving.world;
  const credentials = join(folder, 'password.json');
  const signIn = startCommand([
    ...['sign-in', '--password', '--accounts', urls.accounts, '--client-id', 'c11e27'],
    ...['--credentials', credentials, '--email', account.email],
  ]);
  signIn.child.stdin.write(`${account.password}\n`);
  expect(await signIn.ended).toBe(0);
  expect(signIn.complained()).toBe(`Signed in: ${credentials} is written.\n`);
});
