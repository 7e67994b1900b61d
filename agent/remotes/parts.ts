// What a build holds at once, and what it loads when it is first used: protocols, collections, the
// account's devices. It holds nothing itself.

import type { AgentConfig } from '../config.ts';
import type { RemoteDriver } from './remote.ts';

/** Something that is loaded when it is first used: see lazy.ts. */
export interface Part<T> {
  /** Of a protocol or a collection: its own. */
  readonly name: string;
  /** Errors: `deviceFailed` names what the device could not load; it can be tried again. */
  load(): Promise<T>;
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
  { drivers }: { readonly drivers: readonly (RemoteDriver | Part<RemoteDriver>)[] },
  { remote: { protocol } }: Pick<AgentConfig, 'remote'>,
): Promise<RemoteDriver> {
  const found = drivers.find((one) => (isPart(one) ? one.name : one.protocol) === protocol);
  if (found === undefined) throw new Error(`this build has no remote for ${protocol}`);
  return loaded(found);
}
