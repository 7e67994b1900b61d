// The data that an app has for itself, as it is said to apps: types only.

import type { Conflicts, Resolution } from '../api/conflicts.ts';
import type { ListQuery, ListResult } from '../api/records.ts';
import type { Body } from '../collections/collection.ts';
import type { Strategy } from '../config.ts';

/**
 * The collections of one app, by the app's own names. Errors of all: `disabled` while nobody is
 * signed in to the remote that has them, `badInput` names the member, or the quota and what of it
 * is used; those of the storage.
 */
export interface AppData {
  /**
   * Makes a collection, or comes upon the one that the app has made on another device; once it is
   * there, nothing more. It goes with the sign-out. `strategy`: what becomes of its conflicts here,
   * in a build with strategies.
   */
  create(name: string, strategy?: Strategy): Promise<void>;
  /** Those that were made on this device. */
  list(): Promise<string[]>;
  get(name: string, id: string): Promise<Body | null>;
  /** As `Agent.list`: by id, or those whose id starts with `prefix`. */
  records(name: string, query: ListQuery): Promise<ListResult>;
  /** Resolves to the id when the change is durable. Errors: those of `Agent.put`, the quota. */
  put(name: string, record: Body): Promise<string>;
  /** For all devices. Errors: those of `Agent.delete`. */
  delete(name: string, id: string): Promise<void>;
  /**
   * Turns `record` events of a collection on or off; their `changes` are `{app, name}`, the origin
   * and the app's name for it.
   */
  watch(name: string, on: boolean): Promise<void>;
  /** As `Agent.conflicts` and `Agent.resolve`, the quota beside it. */
  conflicts(name: string, query: ListQuery): ReturnType<Conflicts['conflicts']>;
  resolve(name: string, id: string, resolution: Resolution, tag?: string): Promise<void>;
  usage(): Promise<AppUsage>;
  /**
   * Removes a collection from the device, what it has not sent as well; the server keeps its own.
   * `everywhere`: all that the device knows of it is deleted for all devices instead, and it goes
   * when the server has the deletions.
   */
  drop(name: string, everywhere?: boolean): Promise<void>;
  /** The app was removed: drops all of its collections. */
  remove(everywhere?: boolean): Promise<void>;
  /** One of these, as the bridge has it. */
  call(call: AppCall): Promise<object>;
}

export interface AppCall {
  readonly call: string;
  readonly name?: string;
  readonly id?: string;
  readonly record?: Body;
  readonly on?: boolean;
  readonly everywhere?: boolean;
  readonly prefix?: string;
  readonly limit?: number;
  readonly after?: string | null;
  readonly strategy?: Strategy;
  readonly resolution?: Resolution;
  readonly tag?: string;
}

/** What an app may have in all its collections. */
export interface AppQuota {
  readonly collectionsMax: number;
  readonly recordsMax: number;
  /** Of the JSON of its records, in UTF-8. */
  readonly bytesMax: number;
}

export interface AppUsage extends AppQuota {
  readonly collections: number;
  readonly records: number;
  readonly bytes: number;
}
