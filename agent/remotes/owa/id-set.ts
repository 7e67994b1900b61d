// Ids of a long listing, remembered in sixteen bytes each and not as texts: of two thousand apps
// these would be a quarter of a small heap. Two ids in 2^64 are taken for one.

export interface IdSet {
  add(id: string): void;
  has(id: string): boolean;
}

export function createIdSet(): IdSet {
  let slots = new Uint32Array(2 * SLOTS_MIN);
  let count = 0;
  /** The place of this pair, or the free one that it would have. */
  const placeOf = (first: number, second: number): number => {
    const mask = slots.length - 1;
    let at = (first * 2) & mask;
    while (slots[at] !== 0 || slots[at + 1] !== 0) {
      if (slots[at] === first && slots[at + 1] === second) break;
      at = (at + 2) & mask;
    }
    return at;
  };
  const put = (first: number, second: number): void => {
    const at = placeOf(first, second);
    if (slots[at] === first && slots[at + 1] === second) return;
    slots[at] = first;
    slots[at + 1] = second;
    count++;
  };
  const grow = (): void => {
    const old = slots;
    slots = new Uint32Array(2 * old.length);
    count = 0;
    for (let at = 0; at < old.length; at += 2) {
      const [first = 0, second = 0] = [old[at], old[at + 1]];
      if (first !== 0 || second !== 0) put(first, second);
    }
  };
  return {
    add(id) {
      if (3 * count > slots.length) grow();
      put(hashOf(id, SEEDS[0]), hashOf(id, SEEDS[1]));
    },
    has(id) {
      const [first, second] = [hashOf(id, SEEDS[0]), hashOf(id, SEEDS[1])];
      const at = placeOf(first, second);
      return slots[at] === first && slots[at + 1] === second;
    },
  };
}

/** A power of two. */
const SLOTS_MIN = 64;
/** The second has all bits that the first has not. */
const SEEDS = [0x811c9dc5, 0x7ee3623a] as const;

/** FNV-1a; never 0, which is a free place. */
function hashOf(id: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  return hash >>> 0 || 1;
}
