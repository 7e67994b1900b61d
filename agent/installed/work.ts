// What stands behind the work on the system's apps: types only.

import type { Apps, Platform } from '../../platform/ports.ts';
import type { Body } from '../collections/collection.ts';
import type { SyncError } from '../errors.ts';
import type { Lock } from '../store/lock.ts';
import type { CollectionStore } from '../store/store.ts';
import type { Rows } from './row.ts';

export interface Work {
  readonly platform: Platform;
  /** The system's; undefined: it has none, and nothing is installed. */
  readonly apps: Apps | undefined;
  readonly rows: Rows;
  /** Held while an app's row is read, decided on and noted. */
  readonly lock: Lock;
  /** Errors: those of `Core.reading`. */
  reading<T>(work: (store: CollectionStore) => Promise<T>): Promise<T>;
  /** Errors: those of `Agent.put` and `Agent.delete`. */
  put(record: Body): Promise<string>;
  delete(id: string): Promise<void>;
  /** A pass has come to the end of the collection since the boot, or the sign-in. */
  hasBeenRead(): boolean;
  /** Says what went wrong, of one app or (null) of all. */
  complain(origin: string | null, error: SyncError): void;
  /** Errors: `aborted` while a pass is at the collection. */
  check(): void;
}
