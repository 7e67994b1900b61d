// The Entropy port on Node: the system's own generator, asked for many bytes at a time. Each record
// that is stored sealed takes some, and a call costs more than they do. No byte is given twice, and
// none is kept that was given.

import { randomFillSync } from 'node:crypto';
import type { Entropy } from '../ports.ts';

const POOL_BYTES = 4_096;

export function nodeEntropy(): Entropy {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  return {
    random(count) {
      if (count > POOL_BYTES) return randomFillSync(new Uint8Array(count));
      if (used + count > POOL_BYTES) {
        randomFillSync(pool);
        used = 0;
      }
      const bytes = pool.slice(used, used + count);
      pool.fill(0, used, used + count);
      used += count;
      return bytes;
    },
  };
}
