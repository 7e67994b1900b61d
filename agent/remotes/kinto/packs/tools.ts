// What sends packs has beside what it sends.

import type { Collection } from '../../../collections/collection.ts';
import type { AgentConfig } from '../../../config.ts';
import type { Outgoing } from '../../remote.ts';
import type { Stamp } from './place.ts';
import type { PackSeal } from './seal.ts';
import type { Shelf } from './shelf.ts';

export interface PackTools {
  readonly shelf: Shelf;
  readonly seal: PackSeal;
  readonly stamp: Stamp;
  readonly config: AgentConfig;
  readonly outgoing: Collection['outgoing'];
  /** The record as it lies alone: its payload is JSON, or empty for a deletion. */
  sealAlone(record: Outgoing): Promise<Outgoing>;
  serverNowMs(): number | null;
  pause(): Promise<void>;
}
