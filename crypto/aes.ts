// AES-256 in CBC mode (FIPS 197, SP 800-38A) over big-endian words: whole blocks, no padding.
// A round reads one table entry a byte, which folds substitution, shifting and mixing together.
// `var` spares an interpreter the check that a `let` has at every use.
// The tables of a direction take 10 KB (an interpreter reads plain arrays of small integers faster
// than typed ones); they are computed at first use, so that a device with
// crypto of its own never pays for them.
// The time of a look-up depends on the processor's cache, as with every AES of this kind: this is
// for a device of one's own, never for a machine that strangers share.

// biome-ignore-all lint/suspicious/noVar: see above
// biome-ignore-all lint/style/noNonNullAssertion: what is read is within bounds, by construction

export interface AesKey {
  readonly decrypts: boolean;
  readonly schedule: Int32Array;
}

/** A key for encrypting, from the 8 words of a key of 32 bytes. */
export function encryptionKey(key: Int32Array): AesKey {
  const box = substitutionBox();
  const schedule = new Int32Array(scheduleWords);
  schedule.set(key);
  let roundConstant = 1;
  for (let at = 8; at < scheduleWords; at++) {
    let word = schedule[at - 1] as number;
    if (at % 8 === 0) {
      word = substitute(box, (word << 8) | (word >>> 24)) ^ (roundConstant << 24);
      roundConstant <<= 1;
    } else if (at % 8 === 4) word = substitute(box, word);
    schedule[at] = (schedule[at - 8] as number) ^ word;
  }
  return { decrypts: false, schedule };
}

/**
 * A key for decrypting: the rounds of encrypting backwards, all but the first and the last unmixed,
 * as FIPS 197 section 5.3.5 has it. Columns 1 and 3 change places, because rows shift the other
 * way: both directions are then one and the same computation.
 */
export function decryptionKey(key: Int32Array): AesKey {
  const forward = encryptionKey(key).schedule;
  const box = substitutionBox();
  const [x0, x1, x2, x3] = tablesOf(true).columns;
  const schedule = forward.map((_, at) => {
    const round = at >> 2;
    const word = forward[lastRound - 4 * round + (-at & 3)] as number;
    if (round === 0 || round === lastRound / 4) return word;
    const bytes = substitute(box, word);
    return (
      (x0[bytes >>> 24] as number) ^
      (x1[(bytes >>> 16) & 255] as number) ^
      (x2[(bytes >>> 8) & 255] as number) ^
      (x3[bytes & 255] as number)
    );
  });
  return { decrypts: true, schedule };
}

/**
 * Encrypts or decrypts the words between `from` and `to`, whole blocks, in place. `chain` is the
 * IV before the first call; it carries the last cipher block from one call to the next.
 */
export function cbc(
  key: AesKey,
  words: Int32Array,
  from: number,
  to: number,
  chain: Int32Array,
): void {
  var k = key.schedule;
  var { box, columns } = tablesOf(key.decrypts);
  var [a, b, c, d] = columns;
  var second = key.decrypts ? 3 : 1;
  var fourth = 4 - second;
  var at: number, i: number;
  var s0: number, s1: number, s2: number, s3: number;
  var t0: number, t1: number, t2: number, t3: number;
  for (at = from; at < to; at += 4) {
    s0 = words[at]! ^ k[0]!;
    s1 = words[at + second]! ^ k[1]!;
    s2 = words[at + 2]! ^ k[2]!;
    s3 = words[at + fourth]! ^ k[3]!;
    if (second === 1) {
      s0 ^= chain[0]!;
      s1 ^= chain[1]!;
      s2 ^= chain[2]!;
      s3 ^= chain[3]!;
    }
    // Two rounds a turn, from s to t and back to s, so that nothing has to be moved.
    for (i = 4; ; i += 8) {
      t0 = a[s0 >>> 24]! ^ b[(s1 >>> 16) & 255]! ^ c[(s2 >>> 8) & 255]! ^ d[s3 & 255]! ^ k[i]!;
      t1 = a[s1 >>> 24]! ^ b[(s2 >>> 16) & 255]! ^ c[(s3 >>> 8) & 255]! ^ d[s0 & 255]! ^ k[i + 1]!;
      t2 = a[s2 >>> 24]! ^ b[(s3 >>> 16) & 255]! ^ c[(s0 >>> 8) & 255]! ^ d[s1 & 255]! ^ k[i + 2]!;
      t3 = a[s3 >>> 24]! ^ b[(s0 >>> 16) & 255]! ^ c[(s1 >>> 8) & 255]! ^ d[s2 & 255]! ^ k[i + 3]!;
      if (i === lastRound - 4) break;
      s0 = a[t0 >>> 24]! ^ b[(t1 >>> 16) & 255]! ^ c[(t2 >>> 8) & 255]! ^ d[t3 & 255]! ^ k[i + 4]!;
      s1 = a[t1 >>> 24]! ^ b[(t2 >>> 16) & 255]! ^ c[(t3 >>> 8) & 255]! ^ d[t0 & 255]! ^ k[i + 5]!;
      s2 = a[t2 >>> 24]! ^ b[(t3 >>> 16) & 255]! ^ c[(t0 >>> 8) & 255]! ^ d[t1 & 255]! ^ k[i + 6]!;
      s3 = a[t3 >>> 24]! ^ b[(t0 >>> 16) & 255]! ^ c[(t1 >>> 8) & 255]! ^ d[t2 & 255]! ^ k[i + 7]!;
    }
    s0 = (box[t0 >>> 24]! << 24) ^ (box[(t1 >>> 16) & 255]! << 16) ^ k[lastRound]!;
    s1 = (box[t1 >>> 24]! << 24) ^ (box[(t2 >>> 16) & 255]! << 16) ^ k[lastRound + 1]!;
    s2 = (box[t2 >>> 24]! << 24) ^ (box[(t3 >>> 16) & 255]! << 16) ^ k[lastRound + 2]!;
    s3 = (box[t3 >>> 24]! << 24) ^ (box[(t0 >>> 16) & 255]! << 16) ^ k[lastRound + 3]!;
    s0 ^= (box[(t2 >>> 8) & 255]! << 8) ^ box[t3 & 255]!;
    s1 ^= (box[(t3 >>> 8) & 255]! << 8) ^ box[t0 & 255]!;
    s2 ^= (box[(t0 >>> 8) & 255]! << 8) ^ box[t1 & 255]!;
    s3 ^= (box[(t1 >>> 8) & 255]! << 8) ^ box[t2 & 255]!;
    if (second === 1) {
      chain[0] = s0;
      chain[1] = s1;
      chain[2] = s2;
      chain[3] = s3;
    } else {
      s0 ^= chain[0]!;
      s1 ^= chain[3]!;
      s2 ^= chain[2]!;
      s3 ^= chain[1]!;
      chain[0] = words[at]!;
      chain[1] = words[at + 1]!;
      chain[2] = words[at + 2]!;
      chain[3] = words[at + 3]!;
    }
    words[at] = s0;
    words[at + second] = s1;
    words[at + 2] = s2;
    words[at + fourth] = s3;
  }
}

/** For each row of a column: what a byte, substituted, adds to the column once it is mixed. */
type Columns = readonly [number[], number[], number[], number[]];

interface Tables {
  /** The substitution of a byte. */
  readonly box: readonly number[];
  readonly columns: Columns;
}

const scheduleWords = 60;
const lastRound = 56;
let forwardBox: number[] | undefined;
let forwardTables: Tables | undefined;
let backwardTables: Tables | undefined;

function substitutionBox(): readonly number[] {
  forwardBox ??= makeBox();
  return forwardBox;
}

export function tablesOf(decrypts: boolean): Tables {
  const box = substitutionBox();
  if (decrypts) backwardTables ??= makeTables(inverted(box), [14, 9, 13, 11]);
  else forwardTables ??= makeTables(box, [2, 1, 1, 3]);
  return (decrypts ? backwardTables : forwardTables) as Tables;
}

/** `factors`: those by which a byte of the first row goes into the four bytes of its column. */
function makeTables(box: readonly number[], factors: readonly number[]): Tables {
  const mixed = linearTable(factors);
  const columns: Columns = [[], [], [], []];
  for (let byte = 0; byte < 256; byte++) {
    let column = mixed[box[byte] as number] as number;
    for (const table of columns) {
      table[byte] = column;
      column = (column << 24) | (column >>> 8);
    }
  }
  return { box, columns };
}

/**
 * Every byte times the factors, as a word. Products of sums are sums of products: eight suffice.
 */
function linearTable(factors: readonly number[]): number[] {
  const table = [0];
  for (let bit = 1; bit < 256; bit <<= 1) {
    const word = factors.reduce((bytes, factor) => (bytes << 8) | product(bit, factor), 0);
    for (let low = 0; low < bit; low++) table[bit + low] = word ^ (table[low] as number);
  }
  return table;
}

/** Every byte's inverse in the field, then the affine map of FIPS 197 section 5.1.1. */
function makeBox(): number[] {
  // 3 generates the field, so the inverse of its nth power is its (255 - n)th.
  const powers = [1];
  for (let n = 1; n < 256; n++) {
    const power = powers[n - 1] as number;
    powers[n] = power ^ twice(power);
  }
  const box = new Array(256).fill(0x63);
  for (let n = 0; n < 255; n++) {
    const inverse = (powers[255 - n] as number) * 0x101;
    const sum = inverse ^ (inverse >> 4) ^ (inverse >> 5) ^ (inverse >> 6) ^ (inverse >> 7);
    box[powers[n] as number] = (sum ^ 0x63) & 255;
  }
  return box;
}

function inverted(box: readonly number[]): number[] {
  const inverse = new Array(256).fill(0);
  box.forEach((substituted, byte) => {
    inverse[substituted] = byte;
  });
  return inverse;
}

/** The product of two elements of the field of FIPS 197 section 4.2. */
function product(one: number, other: number): number {
  let sum = 0;
  for (let bits = other, power = one; bits !== 0; bits >>= 1, power = twice(power)) {
    if (bits & 1) sum ^= power;
  }
  return sum;
}

function twice(element: number): number {
  return (element << 1) ^ (element & 0x80 ? 0x11b : 0);
}

function substitute(box: readonly number[], word: number): number {
  return (
    ((box[word >>> 24] as number) << 24) |
    ((box[(word >>> 16) & 255] as number) << 16) |
    ((box[(word >>> 8) & 255] as number) << 8) |
    (box[word & 255] as number)
  );
}
