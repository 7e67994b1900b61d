// The state machine of the agent: disabled, enabling, enabled, syncing, disabling, errored, as in
// the Firefox OS sync manager. It keeps what survives a reboot, and shows every step to the device.
// It runs no pass, and survives a power cut in any state.

import type { Platform } from '../platform/ports.ts';
import type { AgentConfig } from './config.ts';
import type { Contents } from './contents.ts';
import { fromPort, notEnabled, type SyncError } from './errors.ts';
import type { SessionPass } from './session.ts';
import type { Sessions } from './sessions.ts';
import type { Settings } from './settings.ts';
import type { AgentState } from './status.ts';
import type { CollectionState } from './store/collection-state.ts';
import type { Claim } from './store/owner.ts';
import { NEW_STATE, type SavedState, type States } from './store/state.ts';
import type { Abort, ServerNotes } from './wire/http.ts';

/** What an agent is made of, and what is true of it now; the functions below change it. */
export interface Machine extends Pick<SessionPass, 'emit' | 'observes'> {
  readonly platform: Platform;
  readonly config: AgentConfig;
  readonly contents: Contents;
  readonly states: States;
  readonly sessions: Sessions;
  /** Who is signed in on the device. */
  readonly claimed: () => Promise<Claim>;
  /** What the device is to show now: the status, as JSON. */
  readonly show: () => string;
  /** As it will be saved next. */
  saved: SavedState;
  state: AgentState;
  lastError: SyncError | null;
  /**
   * A boot goes on with a sign-in that nobody has asked for since: it is for the account that it
   * began with.
   */
  isResuming: boolean;
  /** Another device has asked this one to sign out. */
  isLeaving: boolean;
  /** By collection, what was shown of it last, and what that was made of. */
  readonly shown: Map<string, Shown>;
  /** What the server has told its users last. */
  told: Pick<ServerNotes, 'alert' | 'quotaRemainingBytes'>;
  /** Of the pass that is running, or was the last one; one with another is void. */
  abort: Abort;
  /** Ends the pass that is running at once: see passes.ts. */
  giveUp?(): void;
}

interface Shown {
  /** A member of JSON: its name and its status. */
  readonly text: string;
  readonly state: CollectionState;
  readonly settings: Settings;
  /** See `RemoteAccount`. */
  readonly heard: unknown;
}

/** Durable with the next `save`. */
export function note(machine: Machine, change: Partial<SavedState>): void {
  machine.saved = { ...machine.saved, ...change };
}

/** Errors: those of `States.save`. */
export function save(machine: Machine, change: Partial<SavedState>): Promise<void> {
  note(machine, change);
  return machine.states.save(machine.saved);
}

/** Errors: why the store could not be read, those of `States.save`. */
export async function enter(
  machine: Machine,
  state: AgentState,
  error: SyncError | null = null,
): Promise<void> {
  const { platform, saved, states } = machine;
  states.check();
  machine.state = state;
  machine.lastError = error;
  const code = error?.code ?? null;
  // A pass that ends as it began leaves nothing to write.
  if (state !== 'syncing' && (saved.state !== state || saved.error !== code)) {
    await save(machine, { state, error: code });
  }
  machine.emit({ kind: 'state', state: machine.state, error: code });
  platform.shell.status(machine.show());
}

/** Enters a state although the storage itself may be what failed. */
export async function settle(
  machine: Machine,
  next: AgentState,
  error: SyncError | null,
): Promise<void> {
  try {
    await enter(machine, next, error);
  } catch (failure) {
    machine.lastError = fromPort(failure);
  }
}

/** What is kept of an account whose data is gone. */
export function forget(machine: Machine): Promise<void> {
  const { settings, generation } = machine.saved;
  machine.saved = { ...NEW_STATE, state: 'disabling', generation: generation + 1, settings };
  return enter(machine, 'disabled');
}

/** Nobody has signed out, or is about to. */
export function isOn({ state }: Machine): boolean {
  return state !== 'disabled' && state !== 'disabling';
}

/** Why there is nothing to work on. */
export function off({ states }: Machine): SyncError {
  return states.refusal ?? notEnabled();
}
