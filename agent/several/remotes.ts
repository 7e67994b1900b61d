// The remotes of a device as its public door sees them, be it one or several: types only.

import type { Platform } from '../../platform/ports.ts';
import type { Strategies } from '../api/conflicts.ts';
import type { Core } from '../api/core.ts';
import type { AgentConfig, Strategy } from '../config.ts';
import type { Part } from '../remotes/parts.ts';
import type { RemoteDriver } from '../remotes/remote.ts';
import type { SignIn } from '../signin/keeper.ts';
import type { AgentState, StatusText } from '../status.ts';
import type { Lock } from '../store/lock.ts';
import type { AppData } from './app-data.ts';
import type { Apps } from './app-place.ts';
import type { Kind } from './instances.ts';

/** One remote with all that is its own. */
export interface RemoteCore extends Core {
  /** Errors: `badInput` where users sign in elsewhere; why the store could not be read. */
  signIn(): SignIn;
  state(): AgentState;
}

export interface OneCore extends RemoteCore {
  statusText(): StatusText;
}

/**
 * The remote of a name. Without one, all of them: what is about a collection goes to the one that
 * has it, what is about an account (`initialize`, `signIn`, `devices`) to the first, and the rest
 * to each, whatever becomes of the others. Errors: `badInput` names those that there are.
 */
export interface Remotes {
  (remote?: string): RemoteCore;
  readonly making?: Making;
}

/** Collections that come and go at run time, where the build has kinds of them. */
export interface Making {
  /**
   * Makes a collection of a kind that the build has (`generic`), and switches it on; once it is
   * there, nothing more. It is the remote's of this name, else the first one's, and goes with the
   * sign-out. `strategy`: what becomes of its conflicts, in a build with strategies. Errors:
   * `badInput` names the member and the limit; `disabled`, those of the storage.
   */
  createCollection(kind: string, name: string, remote?: string, strategy?: Strategy): Promise<void>;
  /**
   * Removes such a collection from the device, what it has not sent as well; the server keeps its
   * own. Errors: `badInput` for one that was not made so, those of the storage.
   */
  removeCollection(name: string): Promise<void>;
  /**
   * What an app has for itself, by its address: nobody sees it but who asks for this origin. Who
   * that is, the device knows. Errors: `badInput` for an address without an origin, and where the
   * build has no collections of apps.
   */
  forApp(address: string): AppData;
}

/** What a build has of several remotes. Throws an Error for a configuration that is none. */
export type Several = <C extends Holding>(
  platform: Platform,
  config: AgentConfig,
  contents: C,
  open: OpenRemote<C>,
) => Remotes;

/** A build with collections, whatever else it has. */
export interface Holding {
  readonly collections: readonly { readonly name: string; readonly letter: string }[];
  readonly kinds?: readonly Kind[];
  readonly apps?: Apps;
  readonly strategies?: Strategies;
  readonly drivers: readonly (RemoteDriver | Part<RemoteDriver>)[];
}

/** Makes the agent of one remote; `show`: what the device shows when that has changed. */
export type OpenRemote<C> = (
  platform: Platform,
  config: AgentConfig,
  contents: C,
  turns: Lock,
  show: () => string,
) => OneCore;
