// What the commands say when they cannot do what was asked: one line, and an exit code.
// Complaints name files, fields and limits; they never hold a token, a key or a password.

import { SyncError } from '../../../agent/index.ts';
import { StorageError } from '../../storage-rules.ts';

/** The command cannot be run as it was typed, or with the files that it names: exit code 2. */
export class UsageError extends Error {}

/** It could be run, and failed: exit code 1. */
export class Failure extends Error {}

/** The line and the exit code for an error. A programming error is thrown again as it is. */
export function complaintOf(error: unknown): { readonly line: string; readonly exitCode: number } {
  if (error instanceof UsageError) return { line: error.message, exitCode: 2 };
  if (error instanceof Failure || error instanceof StorageError) {
    return { line: error.message, exitCode: 1 };
  }
  if (error instanceof SyncError) return { line: failureLine(error), exitCode: 1 };
  const { syscall, path } = error as NodeJS.ErrnoException;
  if (syscall !== undefined && path !== undefined) {
    return { line: `cannot use ${path}: ${systemReason(error)}`, exitCode: 2 };
  }
  throw error;
}

/** An error of the agent for people. */
export function failureLine({ code, message }: Pick<SyncError, 'code' | 'message'>): string {
  return `${message.replace(/[\p{Cc}\p{Cf}]+/gu, ' ')} (${code})`;
}

/** The words of a failed system call, without its path. */
export function systemReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const words = new Map([
    ['ENOENT', 'there is no such file or folder'],
    ['EISDIR', 'it is a folder'],
    ['ENOTDIR', 'a part of the path is not a folder'],
    ['EACCES', 'permission denied'],
    ['ENOSPC', 'the disk is full'],
    ['EROFS', 'the file system is read-only'],
  ]);
  return words.get(code ?? '') ?? message;
}
