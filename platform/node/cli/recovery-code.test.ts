// A recovery code between a person at a terminal and a computer.

import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keyOfCode } from '../../../agent/signin/user-data.ts';
import { testTerminal } from '../../../test/support/commands.ts';
import { readQr } from '../../../test/support/qr.ts';
import { computerOf, type ServedKinto, serveKinto } from '../../../test/support/served-kinto.ts';
import { main } from './main.ts';

let kinto: ServedKinto;
let one: ReturnType<typeof computerOf>;
beforeEach(async () => {
  kinto = await serveKinto();
  one = computerOf(kinto);
});
afterEach(() => kinto.close());

const fileOf = ({ credentials }: { readonly credentials: string }) =>
  JSON.parse(readFileSync(credentials, 'utf8'));
const buckets = () => [...kinto.server.store.buckets.keys()];

test('a person types all in secret but the code, and shows that it is written', async () => {
  const asked: [string, boolean | undefined][] = [];
  const answers: ((said: string) => string)[] = [];
  const terminal = testTerminal();
  const readLine = async (isSecret?: boolean) => {
    await Promise.resolve();
    const question = terminal.complaints.split('\n').at(-1) ?? '';
    asked.push([question, isSecret]);
    return answers.shift()?.(question) ?? '';
  };
  const here = Object.assign(terminal, { isInteractive: true, readLine, columns: 80 });
  const wordOf = (question: string) =>
    terminal.out.trim().split('-')[Number(/Word (\d)/.exec(question)?.[1]) - 1] ?? '';
  answers.push(
    () => 'secret',
    () => 'hello',
    wordOf,
  );
  const args = ['sign-in', '--kinto', kinto.url, '--user', 'bob', '--credentials', one.credentials];
  expect(await main(args, here)).toBe(0);
  expect(asked.map(([, isSecret]) => isSecret)).toEqual([true, undefined, undefined]);
  expect(asked[0]?.[0]).toBe('Password of bob: ');
  expect(terminal.complaints).toContain('That is not word');
  expect(keyOfCode(readQr(terminal.complaints) ?? '')).toEqual({ kB: fileOf(one).kB });
  expect(terminal.complaints + terminal.out).not.toContain('secret\n');
  expect(fileOf(one)).toMatchObject({ name: 'bob' });

  const two = computerOf(kinto);
  answers.push(
    () => 'secret',
    () => 'one two',
    () => terminal.out.split('\n')[0] ?? '',
  );
  const again = [
    'sign-in',
    '--kinto',
    kinto.url,
    '--user',
    'bob',
    '--credentials',
    two.credentials,
  ];
  expect(await main(again, here)).toBe(0);
  expect(terminal.complaints).toContain('code: the code has 2 words, and not nine\n');
  expect(fileOf(two).kB).toBe(fileOf(one).kB);
});

test('a code whose words nobody has written down is not used', async () => {
  const terminal = testTerminal({ input: async () => 'secret' });
  const here = Object.assign(terminal, { isInteractive: true });
  const args = ['sign-in', '--kinto', kinto.url, '--user', 'bob', '--credentials', one.credentials];
  expect(await main(args, here)).toBe(1);
  expect(terminal.complaints).toContain('nothing was written: the next sign-in shows another code');
  // What no camera can be held to would only stay in a file.
  expect(terminal.complaints).not.toMatch(/camera|\u2588/);
  expect([buckets(), () => fileOf(one)]).toEqual([[], expect.any(Function)]);
  expect(() => fileOf(one)).toThrow('ENOENT');
});
