import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { SyncError } from '../../../agent/index.ts';
import { StorageError } from '../../storage-rules.ts';
import { ServerUrlRefused } from '../server-url.ts';
import {
  complaintOf,
  duration,
  Failure,
  failureLine,
  isRefusal,
  systemReason,
  UsageError,
} from './complaint.ts';
import { InputRefused } from './terminal.ts';

function systemError(code: string, more: object = {}): Error {
  return Object.assign(new Error(`${code}: its own words`), { code, syscall: 'open', ...more });
}

describe('the line and the exit code', () => {
  test.each<[string, Error, object]>([
    ['what was typed', new UsageError('--data is missing'), { line: '--data is missing' }],
    ['an address that is refused', new ServerUrlRefused('no'), { line: 'no' }],
    ['an input without an end', new InputRefused('too much'), { line: 'too much' }],
  ])('of %s: 2', (_, error, expected) => {
    expect(complaintOf(error)).toEqual({ ...expected, exitCode: 2 });
  });

  test.each<[string, Error, string]>([
    ['what could be run, and failed', new Failure('a sync is running'), 'a sync is running'],
    ['a storage', new StorageError('full', 'there is no room left'), 'there is no room left'],
    ['the agent', new SyncError('conflict', 'it is there'), 'it is there (conflict)'],
  ])('of %s: 1', (_, error, line) => {
    expect(complaintOf(error)).toEqual({ line, exitCode: 1 });
  });

  it('of the agent have what can be done, where there is something', () => {
    const { line } = complaintOf(new SyncError('signedOut', 'the token is refused'));
    expect(line).toMatch(/^the token is refused \(signedOut\) - ./);
  });

  it('of a system call name the place, and whether other words would help', () => {
    const missing = complaintOf(systemError('ENOENT', { path: '/x' }));
    expect(missing).toEqual({
      line: 'cannot use /x: there is no such file or folder',
      exitCode: 2,
    });
    expect(complaintOf(systemError('ENOSPC', { path: '/x' }))).toEqual({
      line: 'cannot use /x: the disk is full',
      exitCode: 1,
    });
    expect(complaintOf(systemError('EMFILE')).line).toBe(
      "cannot use the system's open: too many files are open",
    );
  });

  it('of a mistake of ours are none: it is thrown again', () => {
    const mistake = new TypeError('x is not a function');
    expect(() => complaintOf(mistake)).toThrow(mistake);
  });
});

describe('a system call that fails', () => {
  it('has words without a path, and its own where there are none', () => {
    expect(systemReason(systemError('EROFS'))).toBe('the file system is read-only');
    expect(systemReason(systemError('ESTRANGE'))).toBe('ESTRANGE: its own words');
    expect(systemReason(new Error('no code, then'))).toBe('no code, then');
    const real = (path: string) => {
      try {
        return readFileSync(path);
      } catch (error) {
        return error;
      }
    };
    expect([systemReason(real('/')), isRefusal(real('/'))]).toEqual(['it is a folder', false]);
    const long = real(`/${'x'.repeat(300)}`);
    expect(systemReason(long)).toBe('name too long');
  });

  it('is a refusal where the place is right', () => {
    const refused = ['EACCES', 'EPERM', 'EROFS', 'EIO', 'EDQUOT', 'EFBIG', 'ENFILE'];
    expect(refused.map((code) => isRefusal(systemError(code)))).toEqual(refused.map(() => true));
    expect(['ENOENT', 'ENOTDIR', 'ELOOP'].some((code) => isRefusal(systemError(code)))).toBe(false);
  });
});

test('an error of the agent is told with its cause, times as people say them, on one line', () => {
  expect(failureLine({ code: 'offline', message: 'no way', cause: 'ENOTFOUND h' })).toBe(
    'no way: ENOTFOUND h (offline)',
  );
  expect(failureLine({ code: 'timeout', message: 'nothing for 120000 ms' })).toBe(
    'nothing for 2 minutes (timeout)',
  );
  // Neither a number that is no time, nor what a terminal obeys.
  expect(failureLine({ code: 'backoff', message: '404 12 ms\n\u001b[2J' })).toBe(
    '404 12 ms \\u001b[2J (backoff)',
  );
});

test.each([
  [0, '1 second'],
  [999, '1 second'],
  [1_500, '2 seconds'],
  [119_999, '120 seconds'],
  [120_000, '2 minutes'],
  [7_199_999, '120 minutes'],
  [7_200_000, '2 hours'],
  [172_799_999, '48 hours'],
  [172_800_000, '2 days'],
])('%i ms are %s', (timeMs, words) => {
  expect(duration(timeMs)).toBe(words);
});
