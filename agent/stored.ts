// Reading back what this device has written itself: a flash may have worn.

import { jsonOf } from '../crypto/engine.ts';
import type { Value } from '../platform/ports.ts';
import { SyncError } from './errors.ts';

/**
 * A stored JSON object over what it is without one. Errors: `storageFailed` if the value is not what was written:
 * going on as if it had never been there would lose what it stands for.
 */
export function storedOver<T extends object>(
  defaults: T,
  key: string,
  stored: Value | null | undefined,
): T {
  if (typeof stored !== 'string') return defaults;
  const value = jsonOf(stored);
  if (typeof value === 'object' && value !== null) return { ...defaults, ...value };
  throw new SyncError('storageFailed', `the store's value at ${key} is damaged`);
}
