// The part of a build that knows of the account's other devices, as the rest of the agent sees it:
// types only.

import type { Platform } from '../../platform/ports.ts';
import type { Body, Collection } from '../collections/collection.ts';
import type { DeviceConfig } from '../config.ts';
import type { AgentEvent } from '../status.ts';
import type { CollectionState } from '../store/collection-state.ts';
import type { CollectionStore } from '../store/store.ts';

/** A pull, if something has `moved` or a listing has not ended, and a push, if something waits. */
export type Round = (moved: boolean) => Promise<void>;

/** This device, as its own record describes it. */
export interface OwnDevice extends DeviceConfig {
  /** Its id in the account's list of devices, whose tabs browsers show; null: it is not known. */
  readonly fxaDeviceId: string | null;
}

/** What is remembered while the device is on: to look again would be a third of an idle pass. */
export interface DevicesMemory {
  /** The last state in which there was nothing to do, and what is known of the own record there. */
  settled: {
    readonly state: CollectionState;
    /** When the own record was written. */
    readonly writtenMs: number;
    readonly fxaDeviceId: string | null;
  } | null;
}

export interface DevicesInput {
  readonly platform: Platform;
  readonly store: CollectionStore;
  /** The own record's. */
  readonly clientId: string;
  readonly device: OwnDevice;
  readonly memory: DevicesMemory;
  /** The collections that a command may be about. */
  readonly others: readonly CollectionStore[];
  /** The server's time; the device's own if it does not say. */
  serverNowMs(): number;
  emit(event: AgentEvent): void;
  /** This device is to be signed out when the pass is over. */
  signOut(): void;
}

export interface Devices {
  readonly collection: Collection;
  /** An exchange would find nothing to do, if nothing has come in. */
  isSettled(input: DevicesInput): boolean;
  /**
   * One look, around the exchanges that it asks for. Errors: theirs; `aborted` after a command to
   * sign out.
   */
  sync(input: DevicesInput, moved: boolean, exchange: () => Promise<void>): Promise<void>;
  /** The other devices, the one seen last first, with `lastSeenMs` (server time). */
  devices(store: CollectionStore, clientId: string, device: DeviceConfig): Promise<Body[]>;
}
