// A process that works on many records, one after the other, makes garbage all the time. V8 lets
// some 48 MiB of it gather where a twentieth is enough, and what has lived for a little while until
// there is four times as much as is in use: a sync takes a tenth more of the processor with less,
// and half of the memory. Node takes such limits itself on its command line only, which is not
// ours; how fast V8 moves towards them can be said at any time.

import { setFlagsFromString } from 'node:v8';

/** Newer ones may not know the flags, and would complain of them before people's eyes. */
const NODE_MAX = 24;

/** From now on new objects have the room that they have now, and old ones twice what they need. */
export function keepHeapSmall(nodeVersion = process.versions.node): void {
  if (Number.parseInt(nodeVersion, 10) > NODE_MAX) return;
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=100');
}
