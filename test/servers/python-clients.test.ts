// Clients from PyPI against `kitsync serve` as a household starts it.

import { execFile, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TRIED_WITH } from '../../emulator/servers/examples.ts';
import { pythonWith } from '../support/python.ts';

const run = promisify(execFile);
const KITSYNC = new URL('../../emulator/bin.mjs', import.meta.url).pathname;

/** With the last versions of its signer that sign a request without a body. */
const SYNCCLIENT = ['syncclient==0.8.0', 'requests-hawk==1.0.1', 'mohawk==0.3.4'];

let server: ReturnType<typeof spawn>;
let printed = '';

beforeAll(async () => {
  const database = join(mkdtempSync(join(tmpdir(), 'kitsync-')), 'database');
  const options = ['--database', database, '--test-accounts', '--sign-up', '--seconds', '300'];
  server = spawn(process.execPath, [KITSYNC, 'serve', ...options]);
  await new Promise<void>((resolve, reject) => {
    server.once('exit', () => reject(new Error(`serve ended: ${printed}`)));
    server.stdout?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      // The last line may come in two pieces.
      if (printed.match(/^http .*\n/gm)?.length === 2) resolve();
    });
  });
});
afterAll(() => server?.kill());

const originOf = () => /^origin +(\S+)$/m.exec(printed)?.[1] ?? '';
const user = () => ['user@example.test', /^password +(.+)$/m.exec(printed)?.[1] ?? ''];

/** The steps of a script, each with what went wrong or null. */
async function stepsOf(packages: readonly string[], name: string, args: readonly string[]) {
  const script = new URL(name, import.meta.url).pathname;
  const python = join(await pythonWith(packages), 'python');
  // `-B`: nothing is compiled into the sources.
  const { stdout } = await run(python, ['-B', script, ...args]);
  const lines = stdout.trim().split('\n');
  // PyFxA itself says there when it goes on with version 1.
  const steps = lines.filter((line) => line.startsWith('['));
  return steps.map((line) => JSON.parse(line) as [step: string, problem: string | null]);
}

test('PyFxA signs up and in, gets tokens, changes the password and takes it all away', async () => {
  const steps = await stepsOf(TRIED_WITH.token, 'pyfxa.py', [`${originOf()}/accounts`]);
  expect(steps.filter(([, problem]) => problem !== null)).toEqual([]);
  console.log(`PyFxA: ${steps.length} of ${steps.length} steps`);
});

test.each(['TOKEN', 'ASSERTION'])('the printed lines with %s are answered', async (variable) => {
  const lines = printed.split('\n');
  const at = lines.findIndex((line) => line.startsWith(`${variable}=`));
  const bin = await pythonWith(lines[at - 1]?.replace('# pip install ', '').split(' ') ?? []);
  // What makes the token must have worked, too.
  const script = ['set -e', ...lines.slice(at, at + 2)].join('\n');
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  const { stdout } = await run('bash', ['-c', script], { env });
  const { data } = JSON.parse(stdout) as { data: { id: string; payload: string }[] };
  expect(data, stdout).toHaveLength(2);
  expect(JSON.parse(data[0]?.payload ?? '')).toHaveProperty('ciphertext');
});

test('kinto-http reads and writes through the Syncto API', async () => {
  const packages = [TRIED_WITH.token[0], 'kinto-http==11.11.0'];
  const to = [`${originOf()}/accounts`, `${originOf()}/syncto`, ...user()];
  const steps = await stepsOf(packages, 'kinto_client.py', to);
  expect(steps.filter(([, problem]) => problem !== null)).toEqual([]);
  console.log(`kinto-http: ${steps.length} of ${steps.length} steps`);
});

// The last one: it deletes all that there is.
test('syncclient reads, writes and deletes', async () => {
  const packages = [...TRIED_WITH.assertion.slice(0, 2), ...SYNCCLIENT];
  const to = [`${originOf()}/accounts`, `${originOf()}/token`, ...user()];
  const steps = await stepsOf(packages, 'sync_client.py', to);
  expect(steps.filter(([, problem]) => problem !== null)).toEqual([]);
  console.log(`syncclient: ${steps.length} of ${steps.length} steps`);
});
