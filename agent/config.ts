// What the device decides: where the server is, what is synced, how much the device can hold.
// The device is trusted, so nothing here is checked twice; users' switches are in settings.ts.

import { type HeapLimits, SMALL_HEAP, WRITTEN_CHARS_MAX } from './limits.ts';

export interface RemoteConfig {
  /** Which driver speaks to the server; the firmware must have been built with it. */
  readonly protocol: string;
  /**
   * Without a trailing slash; which of a service's servers it is, and with which path, its driver
   * says.
   */
  readonly serverUrl: string;
  /** Whom an assertion of the user's is for: an origin with a trailing slash. */
  readonly audience: string;
  /** `basic`: a name and a password, as `Identity.credentials` has them. */
  readonly auth: 'browserid' | 'bearer' | 'basic';
}

/**
 * What becomes of a conflict, which is a record that was changed on both sides (see
 * collections/strategy.ts). `remoteWins`: the server's version stays, `localWins`: this device's,
 * be it a deletion. `merge`: each member as the side has it that has changed it, where both have as
 * the younger one has it; an edit outlives a deletion; records whose members the collection
 * understands are merged by its own rule. `manual`: both versions stay until somebody decides; apps
 * see this device's.
 */
export type Strategy = 'remoteWins' | 'localWins' | 'merge' | 'manual';

export interface CollectionSettings {
  readonly enabled: boolean;
  readonly readOnly: boolean;
}

/** What the account's other devices are told of this one. */
export interface DeviceConfig {
  readonly name: string;
  readonly type: 'tv' | 'mobile' | 'tablet' | 'desktop';
  /** Of the program that syncs. */
  readonly version: string;
  readonly os: string;
  /** `Kitsync` if it is not given. */
  readonly application?: string;
}

/** For a device whose system has no account manager: where its users sign in. */
export interface SignInConfig {
  /**
   * Of the accounts server's pages, without a slash at the end (`https://accounts.firefox.com`).
   */
  readonly accountsUrl: string;
  /**
   * As it is registered at the accounts server: a public client that may have keys. Empty where
   * users have a name and a password on the server itself.
   */
  readonly clientId: string;
  /** One of those that are registered for the client; empty where there is none. */
  readonly redirectUrl: string;
}

/** What the device's own remote is called beside further ones. */
export const FIRST_REMOTE = 'first';

/** A further server of the device, with an account, a key and a schedule of its own. */
export interface NamedRemote {
  readonly remote: RemoteConfig;
  /** As in `AgentConfig`. A collection that is named here is this remote's, and no other's. */
  readonly collections: { readonly [name: string]: CollectionSettings };
  /** Without it the device is not among the devices of this remote's account. */
  readonly device?: DeviceConfig;
  /** Without it `Platform.identityOf` is asked. */
  readonly signIn?: SignInConfig;
  /** Between its scheduled passes; the device's own `intervalMs` if it is not given. */
  readonly intervalMs?: number;
}

export interface AgentConfig {
  readonly profile: string;
  /**
   * Without it the device is not among the account's devices, takes no commands and shares no tabs.
   */
  readonly device?: DeviceConfig;
  /** The device's first remote; where there are several it is called `first`. */
  readonly remote: RemoteConfig;
  /**
   * Further remotes by name: 1 to 16 characters of `a` to `z`, digits and `-`, and not `first`.
   * Each has the collections that it names; the first one has all others of the build. What a user
   * has in one is nothing to another: a remote that is down, signed out or told to wait stops its
   * own collections only. A collection that an update binds to another remote is read there anew;
   * what was synced with the one before is removed from the device, and kept there where something
   * of it was not sent.
   */
  readonly remotes?: { readonly [name: string]: NamedRemote };
  /**
   * Where the collections are that apps have for themselves, and what an app may keep there. The
   * first remote, and `APP_QUOTA` of limits.ts, if it is not given.
   */
  readonly apps?: { readonly remote?: string } & {
    readonly [limit in 'collectionsMax' | 'recordsMax' | 'bytesMax']?: number;
  };
  /** Without it the platform's own Identity is asked. */
  readonly signIn?: SignInConfig;
  /** By collection name; one that is not named is off. */
  readonly collections: { readonly [name: string]: CollectionSettings };
  /**
   * What becomes of conflicts, by collection name, where that is not the collection's own rule; the
   * build must have `strategies`.
   */
  readonly strategies?: { readonly [name: string]: Strategy };
  /** Time between scheduled passes. */
  readonly intervalMs: number;
  /**
   * After a boot, and when a network is back, scheduled passes wait a random part of this; 600,000
   * if it is not given. 0 is for what has no fleet. What a person asks for (`enable`, `sync`) never
   * waits for it.
   */
  readonly spreadMs?: number;
  /** Scheduled passes wait for a network that costs nothing. */
  readonly wifiOnly: boolean;
  /** Pages of history that the device keeps; the oldest go first, and only from the device. */
  readonly historyRecordsMax: number;
  /**
   * Longest record accepted from the wire, in characters of its JSON; 400,000 take what others
   * send: 256 KB of cleartext grow to 350 KB in base64.
   */
  readonly recordCharsMax: number;
  /** For a device with more memory than the least: over `SMALL_HEAP`. */
  readonly heap?: Partial<HeapLimits>;
}

/** What one record's body may take of memory, its values and not only their text, in bytes. */
export function bodyBytesMax(config: Pick<AgentConfig, 'heap' | 'recordCharsMax'>): number {
  return heapOf(config).charBytesMax * config.recordCharsMax;
}

/** What the device may have in memory at a time. */
export function heapOf({ heap }: Pick<AgentConfig, 'heap'>): HeapLimits {
  return { ...SMALL_HEAP, ...heap };
}

/** What a device may make of its records. */
export interface SizeLimits {
  /** Of the whole record on the wire. */
  readonly recordCharsMax: number;
  /** Not looked at when left out. */
  readonly bodyBytesMax?: number;
}

/** A server takes no longer record from this device, whatever others may have stored there. */
export function sizeLimitsOf(config: AgentConfig): SizeLimits {
  const recordCharsMax = Math.min(config.recordCharsMax, WRITTEN_CHARS_MAX);
  return { recordCharsMax, bodyBytesMax: bodyBytesMax(config) };
}
