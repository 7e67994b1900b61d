// What a build of the agent holds: a firmware carries only what its device needs.

import type { Collection } from './collections/collection.ts';
import type { AgentConfig } from './config.ts';
import type { Devices } from './remotes/devices.ts';
import type { RemoteDriver } from './remotes/remote.ts';
import type { Kind } from './several/instances.ts';
import type { Several } from './several/remotes.ts';
import type { openKeeper, PasswordSignIn } from './signin/keeper.ts';

/** Something that is loaded when it is first used: see lazy.ts. */
export interface Part<T> {
  /** Of a protocol or a collection: its own. */
  readonly name: string;
  /** Errors: `deviceFailed` names what the device could not load; it can be tried again. */
  load(): Promise<T>;
}

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
  readonly clients?: Devices | Part<Devices>;
  /**
   * Signing in, for a device whose system has no account manager; used where the configuration has
   * `signIn`.
   */
  readonly signIn?: typeof openKeeper;
  /** Signing in with a password beside that. */
  readonly passwordSignIn?: PasswordSignIn;
  /** More remotes than one; used where the configuration has `remotes`. */
  readonly several?: Several;
  /** Of which collections can be made at run time; used by `several`. */
  readonly kinds?: readonly Kind[];
  /** Before the collections of a generation are opened: says which there are. */
  opening?(generation: string): Promise<void>;
}

/** What is there, or is loaded now. Errors: those of `Part.load`. */
export async function loaded<T extends object>(held: T | Part<T>): Promise<T> {
  return isPart(held) ? held.load() : held;
}

export function isPart<T extends object, P extends Part<T>>(held: T | P): held is P {
  return 'load' in held;
}

/**
 * The driver that a device is configured for. Errors: those of `Part.load`; an Error if the build
 * does not have it.
 */
export async function driverOf(
  { drivers }: Contents,
  { remote: { protocol } }: AgentConfig,
): Promise<RemoteDriver> {
  const found = drivers.find((one) => (isPart(one) ? one.name : one.protocol) === protocol);
  if (found === undefined) throw new Error(`this build has no remote for ${protocol}`);
  return loaded(found);
}
