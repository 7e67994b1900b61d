// The remotes of a device as its public door sees them, be it one or several: types only.

import type { Platform } from '../../platform/ports.ts';
import type { Core } from '../api/core.ts';
import type { AgentConfig } from '../config.ts';
import type { SignIn } from '../signin/keeper.ts';
import type { Lock } from '../store/lock.ts';

/** One remote with all that is its own. */
export interface RemoteCore extends Core {
  /** Errors: `badInput` where users sign in elsewhere; why the store could not be read. */
  signIn(): SignIn;
}

/**
 * The remote of a name. Without one, all of them: what is about a collection goes to the one that
 * has it, what is about an account (`initialize`, `signIn`, `devices`) to the first, and the rest
 * to each, whatever becomes of the others. Errors: `badInput` names those that there are.
 */
export type Remotes = (remote?: string) => RemoteCore;

/** What a build has of several remotes. Throws an Error for a configuration that is none. */
export type Several = <C extends Holding>(
  platform: Platform,
  config: AgentConfig,
  contents: C,
  open: OpenRemote<C>,
) => Remotes;

/** A build with collections, whatever else it has. */
export interface Holding {
  readonly collections: readonly { readonly name: string }[];
}

/** Makes the agent of one remote. */
export type OpenRemote<C> = (
  platform: Platform,
  config: AgentConfig,
  contents: C,
  turns: Lock,
) => RemoteCore;
