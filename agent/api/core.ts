// What the agent's public door may ask of its state machine: types only.

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
  /** A pass that first creates the account's data: see initialize.ts. */
  initialize(): Promise<PassReport>;
  cancel(): void;
  configure(change: SettingsChange): Promise<void>;
  connectionChanged(): void;
  status(): Status;
  /** Errors: why the store could not be read at the start; nothing may be written to it. */
  check(): void;
  /**
   * Does some work on collections; where it meets damage, that is mended before the error is given
   * to the caller.
   */
  mended<T>(work: () => Promise<T>): Promise<T>;
  /** Errors: `disabled`, `badInput`. */
  store(name: unknown): Promise<CollectionStore>;
  /** The collection for a local change. Errors: `readOnly` too. */
  writable(name: unknown): Promise<Writable>;
  /** Null where the device is not among the account's devices. Errors: `disabled`. */
  company(): Promise<Company | null>;
  /** A local change is durable: the next pass will be soon. */
  changed(collection: string, id: string, change: 'put' | 'delete', changes?: Body): void;
  observe(collection: string, on: boolean): void;
}
