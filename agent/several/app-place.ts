// What stands behind the data that an app has for itself: types only.

import type { Platform } from '../../platform/ports.ts';
import type { Strategies } from '../api/conflicts.ts';
import type { Core } from '../api/core.ts';
import type { Strategy } from '../config.ts';
import type { AgentState } from '../status.ts';
import type { Lock } from '../store/lock.ts';
import type { AppData, AppQuota } from './app-data.ts';
import type { Instances, Kind } from './instances.ts';

/** The remote that has it. */
export interface AppRemote {
  readonly core: Core & { state(): AgentState };
  readonly instances: Instances;
  readonly turns: Lock;
}

/** Whose data it is, and where: what the door of one app stands on. */
export interface AppPlace {
  readonly platform: Platform;
  readonly one: AppRemote;
  readonly origin: string;
  readonly quota: AppQuota;
  /** Makes a collection for an app. Errors: `badInput`, those of the storage. */
  create(name: string, strategy?: Strategy): Promise<void>;
  /** Of a build that has them. */
  readonly strategies?: Strategies | undefined;
}

/** What a build has of apps' own collections. */
export interface Apps {
  readonly kind: Kind;
  /** The origin of an app's address; null: it has none. */
  originOf(address: unknown): string | null;
  open(place: AppPlace): AppData;
  /** Ends what is leaving, and has nothing more to send. */
  endLeaving(platform: Platform, one: AppRemote): Promise<void>;
  /** See remotes/app-secret.ts. */
  secret(platform: Platform, generation: string): Promise<Uint8Array>;
  followKey(platform: Platform, generation: string): Promise<boolean>;
}
