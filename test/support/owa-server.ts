// An OWA server among the servers of a world in this process, and another client of its one user.

import { memoryBsos } from '../../emulator/servers/memory-bsos.ts';
import type { OwaOptions } from '../../emulator/servers/owa/owa.ts';
import { type OwaUser, signIn } from '../../emulator/servers/owa/testing.ts';
import { memoryPlaces } from '../../emulator/servers/place-storage.ts';
import type { ServerStorage } from '../../emulator/servers/storage/server-storage.ts';
import { emptyAccount, startWorld, type TestWorld } from '../../emulator/servers/testing.ts';

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

/** With no document yet, or with what is in `kept`. */
export function startOwa(options: Partial<OwaOptions> = {}, kept?: ServerStorage): OwaServer {
  const account = emptyAccount();
  const { store } = account;
  const storage = kept && { bsos: memoryBsos(store), places: memoryPlaces(store), owa: kept };
  const world = startWorld({ owa: options, account, ...(storage && { storage }) });
  const { owa } = world.urls;
  return {
    world,
    verifyUrl: `${owa}/verify`,
    audience: new URL(owa).origin,
    other: () => signIn(world),
  };
}
