// What a build of the agent holds: a firmware carries only what its device needs.

import type { Collection } from './collections/collection.ts';
import type { RemoteDriver } from './remotes/remote.ts';

export interface Contents {
  /** The protocols that it speaks. */
  readonly drivers: readonly RemoteDriver[];
  /** The kinds of data that it syncs, in the order of a pass. */
  readonly collections: readonly Collection[];
}
