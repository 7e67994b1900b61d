// What is read of a name on the command line.

import { spawnSync } from 'node:child_process';
import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { UsageError } from './complaint.ts';
import { readGiven } from './given-files.ts';

const fileOf = (text: string): string => {
  const path = join(temporaryFolder(), 'given');
  writeFileSync(path, text);
  return path;
};
/** A pipe with a text in it, whose writer is gone; the name is good for this process. */
const pipeOf = (text: string): string => {
  const path = join(temporaryFolder(), 'pipe');
  expect(spawnSync('mkfifo', [path]).status).toBe(0);
  const file = openSync(path, 'r+');
  writeFileSync(file, text);
  return path;
};

describe('a file', () => {
  test('is read as a whole, and an empty one is nothing', () => {
    expect(`${readGiven(fileOf('abc'), 3)}`).toBe('abc');
    expect(readGiven(fileOf(''), 3)).toHaveLength(0);
  });

  test('past the limit is refused before it is read', () => {
    const path = fileOf('abcd');
    expect(() => readGiven(path, 3)).toThrow(
      new UsageError(`${path} has 4 bytes, at most 3 are read`),
    );
  });

  test('that is none, or a folder, is told', () => {
    const path = join(temporaryFolder(), 'missing');
    expect(() => readGiven(path, 3)).toThrow(
      new UsageError(`cannot read ${path}: there is no such file or folder`),
    );
    const folder = temporaryFolder();
    expect(() => readGiven(folder, 1 << 20)).toThrow(
      new UsageError(`cannot read ${folder}: it is a folder`),
    );
  });
});

describe.skipIf(process.platform === 'win32')('what does not say how long it is', () => {
  test('is read to the limit and no further, be it without an end', () => {
    expect(() => readGiven('/dev/zero', 200_000)).toThrow(
      new UsageError('/dev/zero has more than 200000 bytes, at most 200000 are read'),
    );
    expect(readGiven('/dev/null', 3)).toHaveLength(0);
  });

  test('is refused in a pipe as well', () => {
    const path = pipeOf('abcd');
    expect(() => readGiven(path, 3)).toThrow(/has more than 3 bytes/);
  });

  test('is read to its end', () => {
    expect(`${readGiven('/proc/self/status', 1 << 20)}`).toMatch(/^Name:/);
  });
});
