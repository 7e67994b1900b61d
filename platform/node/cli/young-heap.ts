// A process that works on many records, one after the other, makes garbage all the time. V8 lets
// some 48 MiB of it gather where a twentieth is enough: a sync takes a tenth more of the processor
// then, and half of the memory. Node takes the limit itself on its command line only, which is not
// ours; how fast V8 moves towards it can be said at any time.

import { setFlagsFromString } from 'node:v8';

/** Newer ones may not know the flag, and would complain of it before people's eyes. */
const NODE_MAX = 24;

/** From now on new objects have the room that they have now. */
export function keepYoungHeapSmall(nodeVersion = process.versions.node): void {
  if (Number.parseInt(nodeVersion, 10) > NODE_MAX) return;
  setFlagsFromString('--semi-space-growth-factor=1');
}
