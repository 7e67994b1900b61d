// What a build of the agent holds: a firmware carries only what its device needs.

import type { Strategies } from './api/conflicts.ts';
import type { Collection } from './collections/collection.ts';
import type { installed } from './installed/installed.ts';
import type { Devices } from './remotes/devices.ts';
import type { Part } from './remotes/parts.ts';
import type { RemoteDriver } from './remotes/remote.ts';
import type { Apps } from './several/app-place.ts';
import type { Kind } from './several/instances.ts';
import type { Several } from './several/remotes.ts';
import type { openKeeper, PasswordSignIn } from './signin/keeper.ts';

/** `letter`: as the collection has it, so that what is stored of it is found without its code. */
export type CollectionPart<C extends Collection = Collection> = Part<C> & Pick<C, 'letter'>;

export interface Contents {
  /** The protocols that it speaks. */
  readonly drivers: readonly (RemoteDriver | Part<RemoteDriver>)[];
  /** The kinds of data that it syncs, in the order of a pass. */
  readonly collections: readonly (Collection | CollectionPart)[];
  /**
   * The account's devices and their commands; used where the configuration describes this one
   * (`device`).
   */
  readonly devices?: Devices | Part<Devices>;
  /**
   * Signing in, for a device whose system has no account manager; used where the configuration has
   * `signIn`.
   */
  readonly signIn?: typeof openKeeper;
  /** Signing in with a password beside that. */
  readonly passwordSignIn?: PasswordSignIn;
  /** Strategies for conflicts, where the device or an app says which; and deciding them by hand. */
  readonly strategies?: Strategies;
  /** More remotes than one; used where the configuration has `remotes`. */
  readonly several?: Several;
  /** Of which collections can be made at run time; used by `several`. */
  readonly kinds?: readonly Kind[];
  /** Collections that apps have for themselves; used by `several`. */
  readonly apps?: Apps;
  /** The user's apps on the system of the device; goes with the collection `apps`. */
  readonly installed?: typeof installed;
  /** Before the collections of a generation are opened: says which there are. */
  opening?(generation: string): Promise<void>;
}
