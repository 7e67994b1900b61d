// A rule of docs/picl.md, by the number of its behaviour.

import type { Asking, Server } from './asking.ts';

export interface Rule {
  readonly id: string;
  readonly says: string;
  /** Throws Broken. */
  run(asking: Asking, server: Server): Promise<void>;
}
