// Ids of a long listing, remembered as four bytes each and not as texts: of two thousand apps these
// would be a quarter of a small heap. One id in a million counts as one that was added although it
// was not.

export interface IdSet {
  add(id: string): void;
  has(id: string): boolean;
}

export function createIdSet(): IdSet {
  let slots = new Uint32Array(SLOTS_MIN);
  let count = 0;
  /** Where this hash is, or would be. */
  const placeOf = (hash: number): number => {
    let at = hash & (slots.length - 1);
    while (slots[at] !== 0 && slots[at] !== hash) at = (at + 1) & (slots.length - 1);
    return at;
  };
  const grow = (): void => {
    const old = slots;
    slots = new Uint32Array(2 * old.length);
    for (const hash of old) if (hash !== 0) slots[placeOf(hash)] = hash;
  };
  return {
    add(id) {
      // A third stays free, so that no search is long.
      if (3 * count > 2 * slots.length) grow();
      const hash = hashOf(id);
      const at = placeOf(hash);
      if (slots[at] === 0) count++;
      slots[at] = hash;
    },
    has(id) {
      const hash = hashOf(id);
      return slots[placeOf(hash)] === hash;
    },
  };
}

/** A power of two. */
const SLOTS_MIN = 64;

/** FNV-1a, mixed so that all bits of the place differ; never 0, which is a free place. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0 || 1;
}
