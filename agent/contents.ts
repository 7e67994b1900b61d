// What a build of the agent holds: a firmware carries only what its device needs.

import type { Collection } from './collections/collection.ts';
import type { AgentConfig } from './config.ts';
import type { Devices } from './remotes/devices.ts';
import type { RemoteDriver } from './remotes/remote.ts';
import type { openKeeper, PasswordSignIn } from './signin/keeper.ts';

export interface Contents {
  /** The protocols that it speaks. */
  readonly drivers: readonly RemoteDriver[];
  /** The kinds of data that it syncs, in the order of a pass. */
  readonly collections: readonly Collection[];
  /**
   * The account's devices and their commands; used where the configuration describes this one
   * (`device`).
   */
  readonly clients?: Devices;
  /**
   * Signing in, for a device whose system has no account manager; used where the configuration has
   * `signIn`.
   */
  readonly signIn?: typeof openKeeper;
  /** Signing in with a password beside that. */
  readonly passwordSignIn?: PasswordSignIn;
}

/** The driver that a device is configured for. Throws an Error if the build does not have it. */
export function driverOf({ drivers }: Contents, { remote }: AgentConfig): RemoteDriver {
  const found = drivers.find(({ protocol }) => protocol === remote.protocol);
  if (found === undefined) throw new Error(`this build has no remote for ${remote.protocol}`);
  return found;
}
