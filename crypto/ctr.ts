// AES-256 in counter mode (SP 800-38A 6.5), for blocks that begin with the same 12 bytes and end
// with a counter. As long as only its last byte counts on, most of the first two rounds is the same
// for every block, and is done once for 256 of them.
// Written for an interpreter, as aes.ts is, with its tables.

// biome-ignore-all lint/suspicious/noVar: an interpreter checks every use of a `let`
// biome-ignore-all lint/style/noNonNullAssertion: what is read is within bounds, by construction

import { type AesKey, tablesOf } from './aes.ts';

/** The words of a key's schedule, a list for each place in a block: by it a round is one number. */
export type Rounds = readonly (readonly number[])[];

export function roundsOf({ schedule }: AesKey): Rounds {
  const rounds: number[][] = [[], [], [], []];
  schedule.forEach((word, at) => {
    rounds[at & 3]![at >> 2] = word;
  });
  return rounds;
}

/**
 * Adds the key stream to the words between `from` and `to`, whole blocks, in place. `rounds`: of
 * the key; `iv`: three words; `counter`: of the first block.
 */
export function ctr(
  rounds: Rounds,
  words: Int32Array,
  from: number,
  to: number,
  iv: Int32Array,
  counter: number,
): void {
  var k0 = rounds[0]!;
  var k1 = rounds[1]!;
  var k2 = rounds[2]!;
  var k3 = rounds[3]!;
  var { box, columns } = tablesOf(false);
  var [a, b, c, d] = columns;
  var last = k3[0]!;
  var at: number, i: number;
  var s0: number, s1: number, s2: number, s3: number;
  var t0: number, t1: number, t2: number, t3: number;
  // What all of them have in common after one round and two.
  var c0 = 0;
  var e0 = 0;
  var e1 = 0;
  var e2 = 0;
  var e3 = 0;
  for (at = from; at < to; at += 4, counter++) {
    if (at === from || (counter & 255) === 0) {
      s0 = iv[0]! ^ k0[0]!;
      s1 = iv[1]! ^ k1[0]!;
      s2 = iv[2]! ^ k2[0]!;
      s3 = counter ^ last;
      c0 = a[s0 >>> 24]! ^ b[(s1 >>> 16) & 255]! ^ c[(s2 >>> 8) & 255]! ^ k0[1]!;
      t1 = a[s1 >>> 24]! ^ b[(s2 >>> 16) & 255]! ^ c[(s3 >>> 8) & 255]! ^ d[s0 & 255]! ^ k1[1]!;
      t2 = a[s2 >>> 24]! ^ b[(s3 >>> 16) & 255]! ^ c[(s0 >>> 8) & 255]! ^ d[s1 & 255]! ^ k2[1]!;
      t3 = a[s3 >>> 24]! ^ b[(s0 >>> 16) & 255]! ^ c[(s1 >>> 8) & 255]! ^ d[s2 & 255]! ^ k3[1]!;
      e0 = b[(t1 >>> 16) & 255]! ^ c[(t2 >>> 8) & 255]! ^ d[t3 & 255]! ^ k0[2]!;
      e1 = a[t1 >>> 24]! ^ b[(t2 >>> 16) & 255]! ^ c[(t3 >>> 8) & 255]! ^ k1[2]!;
      e2 = a[t2 >>> 24]! ^ b[(t3 >>> 16) & 255]! ^ d[t1 & 255]! ^ k2[2]!;
      e3 = a[t3 >>> 24]! ^ c[(t1 >>> 8) & 255]! ^ d[t2 & 255]! ^ k3[2]!;
    }
    t0 = c0 ^ d[(counter ^ last) & 255]!;
    s0 = e0 ^ a[t0 >>> 24]!;
    s1 = e1 ^ d[t0 & 255]!;
    s2 = e2 ^ c[(t0 >>> 8) & 255]!;
    s3 = e3 ^ b[(t0 >>> 16) & 255]!;
    for (i = 3; ; i++) {
      t0 = a[s0 >>> 24]! ^ b[(s1 >>> 16) & 255]! ^ c[(s2 >>> 8) & 255]! ^ d[s3 & 255]! ^ k0[i]!;
      t1 = a[s1 >>> 24]! ^ b[(s2 >>> 16) & 255]! ^ c[(s3 >>> 8) & 255]! ^ d[s0 & 255]! ^ k1[i]!;
      t2 = a[s2 >>> 24]! ^ b[(s3 >>> 16) & 255]! ^ c[(s0 >>> 8) & 255]! ^ d[s1 & 255]! ^ k2[i]!;
      t3 = a[s3 >>> 24]! ^ b[(s0 >>> 16) & 255]! ^ c[(s1 >>> 8) & 255]! ^ d[s2 & 255]! ^ k3[i]!;
      if (i === 13) break;
      i++;
      s0 = a[t0 >>> 24]! ^ b[(t1 >>> 16) & 255]! ^ c[(t2 >>> 8) & 255]! ^ d[t3 & 255]! ^ k0[i]!;
      s1 = a[t1 >>> 24]! ^ b[(t2 >>> 16) & 255]! ^ c[(t3 >>> 8) & 255]! ^ d[t0 & 255]! ^ k1[i]!;
      s2 = a[t2 >>> 24]! ^ b[(t3 >>> 16) & 255]! ^ c[(t0 >>> 8) & 255]! ^ d[t1 & 255]! ^ k2[i]!;
      s3 = a[t3 >>> 24]! ^ b[(t0 >>> 16) & 255]! ^ c[(t1 >>> 8) & 255]! ^ d[t2 & 255]! ^ k3[i]!;
    }
    s0 = (box[t0 >>> 24]! << 24) ^ (box[(t1 >>> 16) & 255]! << 16) ^ k0[14]!;
    s1 = (box[t1 >>> 24]! << 24) ^ (box[(t2 >>> 16) & 255]! << 16) ^ k1[14]!;
    s2 = (box[t2 >>> 24]! << 24) ^ (box[(t3 >>> 16) & 255]! << 16) ^ k2[14]!;
    s3 = (box[t3 >>> 24]! << 24) ^ (box[(t0 >>> 16) & 255]! << 16) ^ k3[14]!;
    words[at] = words[at]! ^ s0 ^ (box[(t2 >>> 8) & 255]! << 8) ^ box[t3 & 255]!;
    words[at + 1] = words[at + 1]! ^ s1 ^ (box[(t3 >>> 8) & 255]! << 8) ^ box[t0 & 255]!;
    words[at + 2] = words[at + 2]! ^ s2 ^ (box[(t0 >>> 8) & 255]! << 8) ^ box[t1 & 255]!;
    words[at + 3] = words[at + 3]! ^ s3 ^ (box[(t1 >>> 8) & 255]! << 8) ^ box[t2 & 255]!;
  }
}
