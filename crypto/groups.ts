// Base64 as an interpreter reads it fastest: 64 characters are one block of SHA-256 and, decoded,
// three of AES. A character costs it a thousand instructions, so each is looked at once, for both.

// biome-ignore-all lint/suspicious/noVar: an interpreter checks every use of a `let`

/**
 * Reads 64 characters at once as what they are to the hash, 16 words of character codes, and as
 * the 12 words that they mean in base64, which go to `words` from `to` on. The answer is a number,
 * or NaN when one of the characters is no digit of base64.
 */
export function readGroup(
  tables: DigitTables,
  text: string,
  at: number,
  block: Int32Array,
  words: Int32Array,
  to: number,
): number {
  var [d0, d1, d2, d3] = tables;
  var i = 0;
  var a = 0;
  var b = 0;
  var c = 0;
  var d = 0;
  var n0 = 0;
  var n1 = 0;
  var n2 = 0;
  var n3 = 0;
  var checksum = 0;
  for (i = 0; i < 16; i += 4) {
    a = text.charCodeAt(at);
    b = text.charCodeAt(at + 1);
    c = text.charCodeAt(at + 2);
    d = text.charCodeAt(at + 3);
    block[i] = (a << 24) | (b << 16) | (c << 8) | d;
    n0 = (d0[a] as number) + (d1[b] as number) + (d2[c] as number) + (d3[d] as number);
    a = text.charCodeAt(at + 4);
    b = text.charCodeAt(at + 5);
    c = text.charCodeAt(at + 6);
    d = text.charCodeAt(at + 7);
    block[i + 1] = (a << 24) | (b << 16) | (c << 8) | d;
    n1 = (d0[a] as number) + (d1[b] as number) + (d2[c] as number) + (d3[d] as number);
    a = text.charCodeAt(at + 8);
    b = text.charCodeAt(at + 9);
    c = text.charCodeAt(at + 10);
    d = text.charCodeAt(at + 11);
    block[i + 2] = (a << 24) | (b << 16) | (c << 8) | d;
    n2 = (d0[a] as number) + (d1[b] as number) + (d2[c] as number) + (d3[d] as number);
    a = text.charCodeAt(at + 12);
    b = text.charCodeAt(at + 13);
    c = text.charCodeAt(at + 14);
    d = text.charCodeAt(at + 15);
    block[i + 3] = (a << 24) | (b << 16) | (c << 8) | d;
    n3 = (d0[a] as number) + (d1[b] as number) + (d2[c] as number) + (d3[d] as number);
    words[to] = (n0 << 8) | (n1 >>> 16);
    words[to + 1] = (n1 << 16) | (n2 >>> 8);
    words[to + 2] = (n2 << 24) | n3;
    checksum += n0 + n1 + n2 + n3;
    at += 16;
    to += 3;
  }
  return checksum;
}

export type DigitTables = [number[], number[], number[], number[]];

/** What a character means as the first, second, third and fourth of four digits; NaN: nothing. */
export function digitTables(digits: string): DigitTables {
  const tableFor = (shift: number) => {
    const table: number[] = new Array(128).fill(Number.NaN);
    for (let digit = 0; digit < 64; digit++) table[digits.charCodeAt(digit)] = digit << shift;
    return table;
  };
  return [tableFor(18), tableFor(12), tableFor(6), tableFor(0)];
}

export function digitCodes(digits: string): number[] {
  return Array.from(digits, (digit) => digit.charCodeAt(0));
}

/** Three words as 16 digits; `codes` are those of the digits. */
export function writeGroup(codes: readonly number[], a: number, b: number, c: number): string {
  return fromCharCode(
    codes[a >>> 26] as number,
    codes[(a >>> 20) & 63] as number,
    codes[(a >>> 14) & 63] as number,
    codes[(a >>> 8) & 63] as number,
    codes[(a >>> 2) & 63] as number,
    codes[((a << 4) | (b >>> 28)) & 63] as number,
    codes[(b >>> 22) & 63] as number,
    codes[(b >>> 16) & 63] as number,
    codes[(b >>> 10) & 63] as number,
    codes[(b >>> 4) & 63] as number,
    codes[((b << 2) | (c >>> 30)) & 63] as number,
    codes[(c >>> 24) & 63] as number,
    codes[(c >>> 18) & 63] as number,
    codes[(c >>> 12) & 63] as number,
    codes[(c >>> 6) & 63] as number,
    codes[c & 63] as number,
  );
}

const { fromCharCode } = String;
