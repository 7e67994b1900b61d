// What survives a reboot beside the data: the agent's state, whose account it is, the user's
// switches, waits. One value, written whole; `syncing` is stored as `enabled`, so a pass that finds
// nothing writes nothing and a device that lost power in a pass starts with a new one.

import { isObject } from '../../crypto/engine.ts';
import type { Clock, Storage, Value } from '../../platform/ports.ts';
import { fromPort, ported, SyncError, type SyncErrorCode } from '../errors.ts';
import { type Backoff, NO_BACKOFF } from '../schedule/backoff.ts';
import { NO_SETTINGS, type Settings } from '../settings.ts';
import type { AgentState } from '../status.ts';
import { DAMAGE_KEY, STATE_KEY } from './layout.ts';
import { removeRange, repairing } from './mend.ts';
import {
  damaged,
  isOldForm,
  jsonStored,
  type RemoteMemory,
  storedObject,
  unreadable,
} from './stored.ts';

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

export interface States {
  /** Why the state could not be read: nothing is written over it. */
  readonly refusal: SyncError | null;
  /** Errors: the refusal. */
  check(): void;
  /**
   * What was saved last, a new device's state if there is none. In a store of an older form it is
   * the first value that is written anew: from then on the versions that know no newer form refuse
   * the store.
   * Errors: `storageFailed`, `damaged`, `clientTooOld` for a store that a newer version has
   * written.
   */
  load(): Promise<SavedState>;
  /** Errors: `storageFull`, `storageFailed`, and what `load` failed with. */
  save(state: SavedState): Promise<void>;
  /**
   * Gives a state up that is lost, and all that is stored with it: whose it was is not known any
   * more. False if there is nothing to give up. Cut in the middle, it is still lost. Errors: those
   * of the storage.
   */
  giveUp(clock: Clock): Promise<boolean>;
}

export function openStates(storage: Storage): States {
  let refusal: SyncError | null = null;

  const check = (): void => {
    if (refusal !== null) throw refusal;
  };

  const save = async (state: SavedState): Promise<void> => {
    check();
    await ported(storage.commit([[STATE_KEY, jsonStored(state)]]));
  };

  return {
    get refusal() {
      return refusal;
    },
    check,
    async load() {
      try {
        const [stored, isDamaged] = await repairing(storage, () =>
          ported(storage.get([STATE_KEY, DAMAGE_KEY])),
        );
        // The device is not a new one: its state was lost.
        if (stored === null && isDamaged != null) throw damaged('state');
        const state = stored == null ? NEW_STATE : readState(stored);
        refusal = null;
        if (isOldForm(stored)) await save(state).catch(unlessFull);
        return state;
      } catch (error) {
        refusal = fromPort(error);
        throw refusal;
      }
    },
    save,
    async giveUp(clock) {
      if (refusal?.code !== 'damaged') return false;
      const marks = [STATE_KEY, DAMAGE_KEY];
      for (const [at, from] of ['', ...marks].entries()) {
        await removeRange({ storage, clock }, `${from}!`, marks[at] ?? '~');
      }
      await ported(storage.commit(marks.map((key) => [key, null] as const)));
      refusal = null;
      return true;
    },
  };
}

function readState(stored: Value): SavedState {
  const state = storedObject(NEW_STATE, stored);
  if (state?.settings.collections.every(isSetting)) return state;
  throw unreadable('state', stored);
}

function isSetting(item: unknown): boolean {
  return Array.isArray(item) && isObject(item[1]);
}

/** A full device goes on, and says so when it has something to write. */
function unlessFull(error: unknown): void {
  if (!(error instanceof SyncError) || error.code !== 'storageFull') throw error;
}
