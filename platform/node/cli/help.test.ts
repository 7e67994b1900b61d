import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { main } from '../../../emulator/command.ts';
import { COMMAND_LINES, helpOf, wishOf } from './help.ts';
import { COMMAND_NAMES } from './main.ts';

let out = '';
let complaints = '';

beforeEach(() => {
  out = '';
  complaints = '';
  const into = (take: (text: string) => void) => (text: string | Uint8Array) => {
    take(`${text}`);
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(
    into((text) => {
      out += text;
    }),
  );
  vi.spyOn(process.stderr, 'write').mockImplementation(
    into((text) => {
      complaints += text;
    }),
  );
  vi.spyOn(console, 'log').mockImplementation((text) => {
    out += `${text}\n`;
  });
});
afterEach(() => vi.restoreAllMocks());

const EMULATED = ['emulate', 'serve', 'profiles', 'build'];
const { version } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
);

test.each([...COMMAND_NAMES, ...EMULATED])(
  '%s has a help and a version, beside whatever options',
  async (name) => {
    for (const args of [[name, '--version'], [name, '--json', '--version'], ['--version']]) {
      out = '';
      expect([await main(args), out, complaints]).toEqual([0, `kitsync ${version}\n`, '']);
    }
    for (const args of [
      [name, '--help'],
      [name, '-h'],
      [name, '--nonsense', '--help'],
      ['help', name],
    ]) {
      out = '';
      expect([await main(args), complaints]).toEqual([0, '']);
      expect(out).toContain(name);
      expect(out).toMatch(/--\w+/);
    }
  },
);

test('each command of the machine is in the list, with a text of its own', () => {
  const listed = [...COMMAND_LINES.matchAll(/^ {2}(\S.*?) {2,}/gm)].flatMap(([, names = '']) =>
    names.split(', '),
  );
  expect(listed.sort()).toEqual([...COMMAND_NAMES].sort());
  for (const name of COMMAND_NAMES) expect(helpOf(name)).toMatch(`Usage: kitsync ${name}`);
});

test('the help of a command that is none is refused', async () => {
  expect([await main(['bogus', '--help']), out]).toEqual([2, '']);
  expect(complaints).toBe('kitsync: unknown command "bogus"; `kitsync help` lists them\n');
});

test('what stands behind -- is a word', () => {
  expect(wishOf(['delete', 'history', '--', '--help'])).toBe(null);
});
