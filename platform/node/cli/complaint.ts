// What the commands say when they cannot do what was asked: one line, and an exit code.
// Complaints name files, fields and limits; they never hold a token, a key or a password.

import { type Status, SyncError } from '../../../agent/index.ts';
import { StorageError } from '../../storage-rules.ts';
import { ServerUrlRefused } from '../server-url.ts';
import { adviceFor } from './advice.ts';
import { InputRefused, printable } from './terminal.ts';

/** The command cannot be run as it was typed, or with the files that it names: exit code 2. */
export class UsageError extends Error {}

/** It could be run, and failed: exit code 1. */
export class Failure extends Error {}

/** The line and the exit code for an error. A programming error is thrown again as it is. */
export function complaintOf(error: unknown): { readonly line: string; readonly exitCode: number } {
  const isTyped = [UsageError, ServerUrlRefused, InputRefused].some((of) => error instanceof of);
  if (isTyped && error instanceof Error) {
    return { line: error.message, exitCode: 2 };
  }
  if (error instanceof Failure || error instanceof StorageError) {
    return { line: error.message, exitCode: 1 };
  }
  if (error instanceof SyncError) {
    const advice = adviceFor(error.shown);
    const more = advice === null ? '' : ` - ${advice}`;
    return { line: failureLine(error.shown) + more, exitCode: 1 };
  }
  const { syscall, path } = error as NodeJS.ErrnoException;
  if (syscall === undefined) throw error;
  const what = path === undefined ? `the system's ${syscall}` : path;
  return { line: `cannot use ${what}: ${systemReason(error)}`, exitCode: isRefusal(error) ? 1 : 2 };
}

/**
 * The place is right, and the system does not do it: no other words on the command line would help.
 */
export function isRefusal(error: unknown): boolean {
  return REFUSALS.includes((error as NodeJS.ErrnoException).code);
}

const REFUSALS: readonly unknown[] = [
  ...['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EIO'],
  ...['EACCES', 'EPERM', 'EMFILE', 'ENFILE'],
];

/** An error of the agent for people, with what lies below it. */
export function failureLine({ code, message, cause }: NonNullable<Status['error']>): string {
  const whole = cause === undefined ? message : `${message}: ${cause}`;
  const text = whole.replace(/\b(\d{4,12}) ms\b/g, (_, delayMs) => duration(Number(delayMs)));
  return `${printable(text)} (${code})`;
}

/** About how long, as people say it. */
export function duration(timeMs: number): string {
  const [unit, unitMs] = UNITS.find(([, lengthMs]) => timeMs >= 2 * lengthMs) ?? LAST_UNIT;
  const count = Math.max(1, Math.round(timeMs / unitMs));
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

const LAST_UNIT = ['second', 1_000] as const;
const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** The words of a failed system call, without its path. */
export function systemReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const words = new Map([
    ['ENOENT', 'there is no such file or folder'],
    ['EISDIR', 'it is a folder'],
    ['ENOTDIR', 'a part of the path is not a folder'],
    ['EACCES', 'permission denied'],
    ['EPERM', 'permission denied'],
    ['ENOSPC', 'the disk is full'],
    ['EDQUOT', 'the room that this user has on the disk is used up'],
    ['EFBIG', 'the file may not become that large'],
    ['EIO', 'the disk fails'],
    ['EMFILE', 'too many files are open'],
    ['ENFILE', 'too many files are open'],
    ['EROFS', 'the file system is read-only'],
  ]);
  // Node's own end in the call and the path.
  return words.get(code ?? '') ?? message.replace(/^E\w+: (.*), \w+(?: '.*)?$/s, '$1');
}
