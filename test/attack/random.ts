// Chance that repeats: the same seed gives the same attack.

export interface Chance {
  /** A whole number from 0 to below `below`. */
  below(below: number): number;
  /** One of them. */
  of<T>(list: readonly T[]): T;
  /** True once in so many times. */
  once(inTimes: number): boolean;
}

/** mulberry32, from a seed and the number of the request. */
export function chanceOf(seed: number, index: number): Chance {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    of: (list) => {
      if (list.length === 0) throw new RangeError('one of nothing');
      return list[below(list.length)] as (typeof list)[number];
    },
    once: (inTimes) => below(inTimes) === 0,
  };
}
