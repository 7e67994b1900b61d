// What runs the pages of docs/ tells a page that lies from one that does not.

import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { commandsIn, ROOT } from './markdown.ts';

test('every kind of lie is told, with its line, and nothing else', () => {
  const args = ['--import', 'tsx', 'test/docs/run.ts', 'test/docs/fixtures/lies.md'];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  const told = stdout.split('\n').filter((line) => line.startsWith('test/docs/'));
  expect(told).toEqual([
    'test/docs/fixtures/lies.md: 8 commands, 5 lies',
    'test/docs/fixtures/lies.md:15: exit code 1 and not 0: false',
    'test/docs/fixtures/lies.md:16: exit code 0 and not 3: true # exit code 3',
    'test/docs/fixtures/lies.md:17: does not print "another": echo other',
    expect.stringMatching(/lies\.md:26: does not print "b": printf/),
    'test/docs/fixtures/lies.md:35: never ended: exit 0',
  ]);
  expect(status).toBe(1);
});

test('a command may have several lines', () => {
  const [first, second] = commandsIn('x\n```sh\nkitsync a \\\n  b # exit code 2\nkitsync c\n```\n');
  expect([first?.text, first?.exitCode, first?.line]).toEqual([
    'kitsync a \\\n  b # exit code 2\n',
    2,
    3,
  ]);
  expect(second).toMatchObject({ text: 'kitsync c\n', exitCode: 0, line: 5 });
});
