// AES-256 in counter mode (SP 800-38A 6.5), for blocks that begin with the same 12 bytes and end
// with a counter. As long as only its last byte counts on, most of the first two rounds is the same
// for every block, and is done once for 256 of them.
// Written for an interpreter, as aes.ts is, with its tables.

// biome-ignore-all lint/suspicious/noVar: an interpreter checks every use of a `let`
// biome-ignore-all lint/style/noNonNullAssertion: what is read is within bounds, by construction

import { type AesKey, tablesOf } from './aes.ts';

/**
 * Adds the key stream to the words between `from` and `to`, whole blocks, in place. `iv`: three
 * words; `counter`: of the first block.
 */
export function ctr(
  key: AesKey,
  words: Int32Array,
  from: number,
  to: number,
  iv: Int32Array,
  counter: number,
): void {
  var k = key.schedule;
  var { box, columns } = tablesOf(false);
  var [a, b, c, d] = columns;
  var last = k[3]!;
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
      s0 = iv[0]! ^ k[0]!;
      s1 = iv[1]! ^ k[1]!;
      s2 = iv[2]! ^ k[2]!;
      s3 = counter ^ last;
      c0 = a[s0 >>> 24]! ^ b[(s1 >>> 16) & 255]! ^ c[(s2 >>> 8) & 255]! ^ k[4]!;
      t1 = a[s1 >>> 24]! ^ b[(s2 >>> 16) & 255]! ^ c[(s3 >>> 8) & 255]! ^ d[s0 & 255]! ^ k[5]!;
      t2 = a[s2 >>> 24]! ^ b[(s3 >>> 16) & 255]! ^ c[(s0 >>> 8) & 255]! ^ d[s1 & 255]! ^ k[6]!;
      t3 = a[s3 >>> 24]! ^ b[(s0 >>> 16) & 255]! ^ c[(s1 >>> 8) & 255]! ^ d[s2 & 255]! ^ k[7]!;
      e0 = b[(t1 >>> 16) & 255]! ^ c[(t2 >>> 8) & 255]! ^ d[t3 & 255]! ^ k[8]!;
      e1 = a[t1 >>> 24]! ^ b[(t2 >>> 16) & 255]! ^ c[(t3 >>> 8) & 255]! ^ k[9]!;
      e2 = a[t2 >>> 24]! ^ b[(t3 >>> 16) & 255]! ^ d[t1 & 255]! ^ k[10]!;
      e3 = a[t3 >>> 24]! ^ c[(t1 >>> 8) & 255]! ^ d[t2 & 255]! ^ k[11]!;
    }
    t0 = c0 ^ d[(counter ^ last) & 255]!;
    s0 = e0 ^ a[t0 >>> 24]!;
    s1 = e1 ^ d[t0 & 255]!;
    s2 = e2 ^ c[(t0 >>> 8) & 255]!;
    s3 = e3 ^ b[(t0 >>> 16) & 255]!;
    for (i = 12; ; i += 8) {
      t0 = a[s0 >>> 24]! ^ b[(s1 >>> 16) & 255]! ^ c[(s2 >>> 8) & 255]! ^ d[s3 & 255]! ^ k[i]!;
      t1 = a[s1 >>> 24]! ^ b[(s2 >>> 16) & 255]! ^ c[(s3 >>> 8) & 255]! ^ d[s0 & 255]! ^ k[i + 1]!;
      t2 = a[s2 >>> 24]! ^ b[(s3 >>> 16) & 255]! ^ c[(s0 >>> 8) & 255]! ^ d[s1 & 255]! ^ k[i + 2]!;
      t3 = a[s3 >>> 24]! ^ b[(s0 >>> 16) & 255]! ^ c[(s1 >>> 8) & 255]! ^ d[s2 & 255]! ^ k[i + 3]!;
      if (i === 52) break;
      s0 = a[t0 >>> 24]! ^ b[(t1 >>> 16) & 255]! ^ c[(t2 >>> 8) & 255]! ^ d[t3 & 255]! ^ k[i + 4]!;
      s1 = a[t1 >>> 24]! ^ b[(t2 >>> 16) & 255]! ^ c[(t3 >>> 8) & 255]! ^ d[t0 & 255]! ^ k[i + 5]!;
      s2 = a[t2 >>> 24]! ^ b[(t3 >>> 16) & 255]! ^ c[(t0 >>> 8) & 255]! ^ d[t1 & 255]! ^ k[i + 6]!;
      s3 = a[t3 >>> 24]! ^ b[(t0 >>> 16) & 255]! ^ c[(t1 >>> 8) & 255]! ^ d[t2 & 255]! ^ k[i + 7]!;
    }
    s0 = (box[t0 >>> 24]! << 24) ^ (box[(t1 >>> 16) & 255]! << 16) ^ k[56]!;
    s1 = (box[t1 >>> 24]! << 24) ^ (box[(t2 >>> 16) & 255]! << 16) ^ k[57]!;
    s2 = (box[t2 >>> 24]! << 24) ^ (box[(t3 >>> 16) & 255]! << 16) ^ k[58]!;
    s3 = (box[t3 >>> 24]! << 24) ^ (box[(t0 >>> 16) & 255]! << 16) ^ k[59]!;
    words[at] = words[at]! ^ s0 ^ (box[(t2 >>> 8) & 255]! << 8) ^ box[t3 & 255]!;
    words[at + 1] = words[at + 1]! ^ s1 ^ (box[(t3 >>> 8) & 255]! << 8) ^ box[t0 & 255]!;
    words[at + 2] = words[at + 2]! ^ s2 ^ (box[(t0 >>> 8) & 255]! << 8) ^ box[t1 & 255]!;
    words[at + 3] = words[at + 3]! ^ s3 ^ (box[(t1 >>> 8) & 255]! << 8) ^ box[t2 & 255]!;
  }
}
