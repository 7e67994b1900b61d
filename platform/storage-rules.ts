// What every implementation of the Storage port checks and how it fails, written once.
// A breach of a limit is a programming error and throws a RangeError; a StorageError is the
// device's own trouble. Nothing here stores anything.

import type { Change, Value } from './ports.ts';

/** What one commit may hold. */
export interface CommitLimits {
  readonly changesMax: number;
  readonly valueBytesMax: number;
}

/** Of a device. */
const DEVICE_LIMITS: CommitLimits = { changesMax: 1024, valueBytesMax: 2 * 1024 * 1024 };

/**
 * How a storage fails: no room (nothing was written), stored data that does not prove itself, or
 * anything else.
 * `key`: of the value that is damaged, or where the range begins; undefined where it may be all of
 * them.
 */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code: 'full' | 'damaged' | 'failed';
  readonly key: string | undefined;

  constructor(code: 'full' | 'damaged' | 'failed', message: string, cause?: unknown, key?: string) {
    super(message, { cause });
    this.code = code;
    this.key = key;
  }
}

export function isKey(text: string): boolean {
  return KEY.test(text);
}

/** Throws a RangeError unless every key is 1 to 240 printable ASCII characters. */
export function checkKeys(keys: readonly string[]): void {
  for (const key of keys) {
    if (!isKey(key)) throw new RangeError(`not a storage key: ${JSON.stringify(key)}`);
  }
}

/**
 * The changes of one commit by key, the last change of a key winning.
 * Throws a RangeError when a limit of the port is broken.
 */
export function lastChanges(
  changes: readonly Change[],
  { changesMax, valueBytesMax }: CommitLimits = DEVICE_LIMITS,
): Map<string, Value | null> {
  if (changes.length > changesMax) throw new RangeError(`${changes.length} changes in one commit`);
  checkKeys(changes.map(([key]) => key));
  for (const [key, value] of changes) {
    if (value !== null && valueBytes(value) > valueBytesMax) {
      throw new RangeError(`the value of ${key} is too long`);
    }
  }
  return new Map(changes);
}

/** Bytes a value takes at rest: UTF-8 for text. */
export function valueBytes(value: Value): number {
  return typeof value === 'string' ? utf8Length(value) : value.length;
}

const KEY = /^[!-~]{1,240}$/;

function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // A surrogate pair is two units and four bytes: each half adds one byte.
    if (unit >= 0x80) length += unit < 0x800 || (unit & 0xf800) === 0xd800 ? 1 : 2;
  }
  return length;
}
