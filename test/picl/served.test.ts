// Over the network: `npm run conformance:picl` at our server, and `kitsync picl` at what it holds.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Serving } from '../../emulator/servers/serve.ts';
import { main } from '../../platform/node/picl/command.ts';
import { readSign } from '../../platform/node/picl/keys.ts';
import { Asking, conditionOn, login } from '../conformance/picl/asking.ts';
import { RULES } from '../conformance/picl/hold.ts';
import { credentialsOf, serveNewAccount } from '../support/commands.ts';
import { logOf } from '../support/picl-log.ts';

const ROOT = new URL('../..', import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'picl-served-'));
let serving: Serving;
let url = '';
let credentials = '';

beforeAll(async () => {
  serving = await serveNewAccount();
  url = serving.world.urls.picl;
  credentials = await credentialsOf(serving, join(folder, 'credentials.json'));
});
afterAll(() => serving.close());

async function conformance(...args: string[]) {
  const command = ['--import', 'tsx', 'test/conformance/picl/run.ts', ...args];
  return promisify(execFile)(process.execPath, command, { cwd: ROOT }).then(
    ({ stdout }) => ({ code: 0, out: stdout }),
    ({ code, stdout, stderr }) => ({ code: Number(code), out: `${stdout}${stderr}` }),
  );
}

async function picl(...args: string[]) {
  const lines: string[] = [];
  const write = (text: string) => void lines.push(text);
  const code = await main(args, { write, complain: write });
  return { code, out: lines.join('') };
}

test('our server holds to the specification over the network', async () => {
  const { accessToken } = JSON.parse(readFileSync(credentials, 'utf8'));
  const token = join(folder, 'token');
  writeFileSync(token, accessToken);
  const { code, out } = await conformance(url, '--token', token, '--collection', 'forms');
  expect(out.split('\n').filter((line) => line.startsWith('BROKEN'))).toEqual([]);
  expect(out).toMatch(new RegExp(`^ok {5}P1 [^]*\n${RULES.length} rules hold, 0 are broken\n$`));
  expect(code).toBe(0);
});

test('what cannot be held to it is said', async () => {
  const nowhere = await conformance();
  expect([nowhere.code, nowhere.out]).toEqual([2, expect.stringMatching(/URL is missing/)]);
  const token = join(folder, 'bad');
  writeFileSync(token, 'forged');
  expect(await conformance(url, '--token', token)).toEqual({
    code: 2,
    out: 'conformance:picl: the login answers 401\n',
  });
});

test('kitsync picl proves and shows what a device has written there', async () => {
  const { accessToken } = JSON.parse(readFileSync(credentials, 'utf8'));
  const server = { url, proof: { bearer: accessToken }, fetch, nowMs: Date.now };
  const asking = new Asking(server, (await login(server)).json);
  asking.name = 'settings';
  const { root } = readSign(credentials);
  expect(root).not.toBeNull();
  const writes = Array.from({ length: 30 }, (_, at) => [`k${at}`, `{"id":"${at}"}`] as const);
  const changes = logOf('settings', [...writes, ['k0', null]], undefined, root ?? undefined);
  const answer = await asking.post(changes, conditionOn(await asking.head()));
  expect(answer.status).toBe(204);
  const at = ['settings', '--server', url, '--credentials', credentials];
  const head = `31-${changes[30]?.changeid}`;
  expect(await picl('verify', ...at)).toEqual({
    code: 0,
    out: `head: ${head}\nchanges: 31\nrecords compared: 29\n`,
  });
  const log = await picl('log', ...at);
  expect(log.code).toBe(0);
  expect(log.out.split('\n').slice(29)).toEqual([
    '30 unknown k29 {"id":"29"}',
    '31 unknown k0 deleted',
    '',
  ]);
  const { code, out } = await picl('verify', ...at, '--head', `31-${changes[29]?.changeid}`);
  expect([code, out.split(',')[0]]).toEqual([1, 'violation: fork']);
});
