// What survives a reboot beside the data: the agent's state, whose account it is, the user's switches, waits.
// One value, written whole; `syncing` is stored as `enabled`, so a pass that finds nothing writes nothing and a
// device that lost power in a pass starts with a new one.

import type { Storage } from '../platform/ports.ts';
import { type Backoff, NO_BACKOFF } from './backoff.ts';
import { ported, type SyncErrorCode } from './errors.ts';
import { STATE_KEY } from './keys.ts';
import type { RemoteMemory } from './remotes/remote.ts';
import { NO_SETTINGS, type Settings } from './settings.ts';
import type { AgentState } from './status.ts';
import { storedOver } from './stored.ts';

export interface SavedState {
  readonly state: Exclude<AgentState, 'syncing'>;
  readonly error: SyncErrorCode | null;
  readonly lastSyncMs: number | null;
  readonly uid: string | null;
  readonly email: string | null;
  readonly clientState: string | null;
  /** Of the user's scoped key; null if there was none. */
  readonly kid: string | null;
  /** This device among the account's devices; another one for every sign-in. */
  readonly clientId: string;
  /** Names the account's keys in the store; a new account gets a new one. */
  readonly generation: number;
  readonly backoff: Backoff;
  /** What the protocol's driver has learned of the server and wants to keep. */
  readonly remote: RemoteMemory;
  /** The user's switches, over the device's configuration. */
  readonly settings: Settings;
}

export const NEW_STATE: SavedState = {
  state: 'disabled',
  error: null,
  lastSyncMs: null,
  uid: null,
  email: null,
  clientState: null,
  kid: null,
  clientId: '',
  generation: 0,
  backoff: NO_BACKOFF,
  remote: {},
  settings: NO_SETTINGS,
};

/** Errors: `storageFailed`. */
export async function loadState(storage: Storage): Promise<SavedState> {
  const [stored] = await ported(storage.get([STATE_KEY]));
  return storedOver(NEW_STATE, STATE_KEY, stored);
}

/** Errors: `storageFull`, `storageFailed`. */
export async function saveState(storage: Storage, state: SavedState): Promise<void> {
  await ported(storage.commit([[STATE_KEY, JSON.stringify(state)]]));
}
