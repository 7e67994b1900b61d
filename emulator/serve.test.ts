import { mkdirSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, test } from 'vitest';
import { temporaryFolder } from '../test/support/folders.ts';
import { serve } from './serve.ts';
import { UsageError } from './usage.ts';

const { write } = process.stdout;
let out = '';
let folder: string;
beforeEach(() => {
  out = '';
  folder = join(temporaryFolder(), 'data');
  mkdirSync(folder, { mode: 0o700 });
  process.stdout.write = (text) => {
    out += text;
    return true;
  };
});
afterEach(() => {
  process.stdout.write = write;
});

/** Names and values, as they are printed. */
const lines = () =>
  new Map(
    out
      .split('\n')
      .filter((line) => /^\w+ +\S/.test(line))
      .map((line) => [line.slice(0, 9).trimEnd(), line.slice(10)]),
  );

async function refused(args: readonly string[]): Promise<string> {
  const error = await serve(args).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UsageError);
  expect(out).toBe('');
  return (error as Error).message;
}

it('says where the shipped account is, and ends when its time is over', async () => {
  expect(await serve(['--seconds', '1'])).toBe(0);
  const said = lines();
  const origin = said.get('origin') ?? '';
  expect(origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(said.get('token')).toBe(`${origin}/token`);
  expect([said.has('email'), said.has('password'), said.has('port')]).toEqual([true, true, false]);
  expect(said.get('keys')).toContain('for trying only');
  await expect(fetch(origin)).rejects.toThrow();
});

it('says its port and no account where it is called otherwise and begins empty', async () => {
  const args = ['--database', folder, '--sign-up', '--public-url', 'https://sync.example'];
  expect(await serve([...args, '--seconds', '1'])).toBe(0);
  const said = lines();
  expect([said.get('origin'), said.get('token')]).toEqual([
    'https://sync.example',
    'https://sync.example/token',
  ]);
  expect(Number(said.get('port'))).toBeGreaterThan(0);
  expect([said.has('email'), said.has('keys')]).toEqual([false, false]);
  // What was begun once goes on without a word about it.
  out = '';
  expect(await serve(['--database', folder, '--seconds', '1'])).toBe(0);
});

test('a database that nobody could use is refused, and let go', async () => {
  for (let times = 0; times < 2; times++) {
    expect(await refused(['--database', folder])).toBe(
      'nobody has an account: --account FILE, --sign-up, --issuer URL, or --test-accounts to try',
    );
  }
});

test('a port that somebody has is refused, and the database let go', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const args = ['--port', `${port}`, '--database', folder, '--sign-up'];
  for (let times = 0; times < 2; times++) {
    expect(await refused(args)).toMatch(new RegExp(`^cannot listen on port ${port}: .`));
  }
  await new Promise((resolve) => server.close(resolve));
});
