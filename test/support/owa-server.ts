// An OWA server among the servers of a world in this process, and another client of its one user.

import type { OwaOptions } from '../../emulator/servers/owa/owa.ts';
import { type OwaUser, signIn } from '../../emulator/servers/owa/testing.ts';
import { startWorld, type TestWorld } from '../../emulator/servers/testing.ts';

interface OwaServer {
  /** Its clock, its `fetch`, and the account manager of the user's device. */
  readonly world: TestWorld;
  /** Where a client logs in. */
  readonly verifyUrl: string;
  /** An origin of the whitelist. */
  readonly audience: string;
  /** Another client of the user, logged in. */
  other(): Promise<OwaUser>;
}

/** With no document yet. */
export function startOwa(options: Partial<OwaOptions> = {}): OwaServer {
  const world = startWorld({ owa: options });
  const { owa } = world.urls;
  return {
    world,
    verifyUrl: `${owa}/verify`,
    audience: new URL(owa).origin,
    other: () => signIn(world),
  };
}
