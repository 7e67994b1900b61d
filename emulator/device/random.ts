// Pseudo-random numbers from a seed (xoshiro128**), so that a run can be repeated.
// For the emulator's devices and servers only: nothing that has to stay secret may come from here.

export interface Random {
  /** An integer of 32 bits, 0 to 2^32 - 1. */
  uint32(): number;
  bytes(count: number): Uint8Array;
  /** A second, independent sequence; `name` tells it from the others of the same seed. */
  fork(name: string): Random;
}

export function createRandom(seed: number, name = ''): Random {
  const [a, b, c, d] = [0, 1, 2, 3].map((word) => hash(`${seed}/${name}/${word}`));
  const state = Uint32Array.of(a ?? 0, b ?? 0, c ?? 0, (d ?? 0) | 1);
  const uint32 = () => next(state);
  return {
    uint32,
    bytes(count) {
      const words = new Uint32Array(Math.ceil(count / 4)).map(uint32);
      return new Uint8Array(words.buffer, 0, count);
    },
    fork: (child) => createRandom(seed, `${name}/${child}`),
  };
}

function next(state: Uint32Array): number {
  const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = state;
  const result = Math.imul(rotate(Math.imul(s1, 5), 7), 9) >>> 0;
  state[0] = s0 ^ s3 ^ s1;
  state[1] = s0 ^ s1 ^ s2;
  state[2] = s0 ^ s2 ^ (s1 << 9);
  state[3] = rotate(s1 ^ s3, 11);
  return result;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** FNV-1a with a final mix: spreads seeds that differ in one bit. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
