// What the agent's public door may ask of the state machine of one remote: types only.

import type { Body } from '../collections/collection.ts';
import type { SettingsChange } from '../settings.ts';
import type { PassReport, Status } from '../status.ts';
import type { CollectionStore } from '../store/store.ts';
import type { Company } from './devices.ts';
import type { Writable } from './records.ts';

export interface Core {
  /** Reads what survived the last run and goes on from there. Call it once, first. */
  start(): Promise<void>;
  /** Signs in with the device's account and syncs. */
  enable(): Promise<PassReport>;
  /** Signs out: this account's keys and data leave the device. */
  disable(): Promise<void>;
  /** Syncs now, whatever the schedule says; a pass that is running is waited for. */
  sync(): Promise<PassReport>;
  cancel(): void;
  configure(change: SettingsChange): Promise<void>;
  connectionChanged(): void;
  status(): Status;
  /** A pass that first creates the account's data: see initialize.ts. */
  initialize(): Promise<PassReport>;
  /**
   * Does some work on a collection; where it meets damage, that is mended before the error is given
   * to the caller. `company` is null where the device is not among the account's devices. Errors:
   * `disabled`, `badInput`, those of the work.
   */
  reading<T>(
    name: unknown,
    work: (store: CollectionStore, company: () => Promise<Company | null>) => Promise<T>,
  ): Promise<T>;
  /** The same for a local change. Errors: `readOnly` too. */
  writing<T>(name: unknown, work: (writable: Writable) => Promise<T>): Promise<T>;
  /** The account's other devices. Errors: `disabled`, `badInput`. */
  devices(): Promise<Body[]>;
  /** A local change is durable: the next pass will be soon. */
  changed(collection: string, id: string, change: 'put' | 'delete', changes?: Body): void;
  observe(collection: string, on: boolean): void;
  /**
   * Opens the collections anew: the storage has lost values, or there are others. Errors: those of
   * the storage.
   */
  reopen(): Promise<void>;
}
