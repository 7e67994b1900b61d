// Records in JavaScript alone, for a device that has no crypto of its own.
// Everything is done in groups of 64 characters of base64, which are one block of SHA-256 and three
// of AES. Between slices of groups the device gets its turn (`pause`), so that no record, however
// long, holds it up. A long record is read twice, once for its MAC and once for its text, rather
// than kept a second time in memory.

// biome-ignore-all lint/suspicious/noVar: an interpreter checks every use of a `let`

import type { CipherParts, CipherRefusal, DeviceCrypto, Entropy } from '../platform/ports.ts';
import { type AesKey, cbc, decryptionKey, encryptionKey } from './aes.ts';
import { type BsoCrypto, bsoCrypto } from './bso.ts';
import {
  bytesOfWords,
  concatBytes,
  decodeBase64,
  decodeHex,
  encodeBase64,
  encodeHex,
  equalBytes,
  standardDigits,
  wordsOfBytes,
} from './bytes.ts';
import { finishHmac, type HmacKey, hmacKey, startHmac } from './hmac.ts';
import { padded, unpaddedLength } from './pkcs7.ts';
import { hashBlock } from './sha256.ts';
import { type Turn, turnTaker } from './turn.ts';
import { encodeUtf8, utf8Decoder } from './utf8.ts';

/** `pause` and `bodyBytesMax`: see `bsoCrypto`. */
export function softwareCrypto(
  entropy: Entropy,
  pause: () => Promise<void>,
  bodyBytesMax?: number,
): BsoCrypto {
  return bsoCrypto(softwareCipher(pause), entropy, pause, bodyBytesMax);
}

/** The same as a device's own crypto would be. */
export function softwareCipher(pause: () => Promise<void>): DeviceCrypto {
  const turn = turnTaker(pause);
  const keysOf = keyCache(turn);
  return {
    async open(encKey, macKey, items) {
      const keys = keysOf(encKey, macKey);
      const answers: ({ text: string } | { code: CipherRefusal })[] = [];
      for (const item of items) answers.push(await openOne(keys, item, turn));
      return answers;
    },
    async seal(encKey, macKey, texts, ivs) {
      const keys = keysOf(encKey, macKey);
      const sealed: CipherParts[] = [];
      for (const [index, text] of texts.entries()) {
        sealed.push(await sealOne(keys, text, ivs[index] as Uint8Array, turn));
      }
      return sealed;
    },
  };
}

async function openOne(
  keys: Keys,
  parts: CipherParts,
  turn: Turn,
): Promise<{ text: string } | { code: CipherRefusal }> {
  const { ciphertext } = parts;
  // The last group may be short and ends in padding: it is read apart from the others.
  const groups = Math.max(0, Math.ceil(ciphertext.length / groupUnits) - 1);
  const isLong = groups > keptGroups;
  const weight = isLong ? longWeight : 1;
  const words = new Int32Array(groupWords * (isLong ? 1 : groups));
  const block = new Int32Array(16);
  if (isLong || turn.isOver(apartGroups)) await turn.next();

  const hash = startHmac(keys.mac);
  let checksum = 0;
  for (let group = 0; group < groups; group++) {
    if (turn.isOver(weight)) await turn.next();
    checksum += readGroup(
      ciphertext,
      group * groupUnits,
      block,
      words,
      isLong ? 0 : group * groupWords,
    );
    hashBlock(hash, block);
  }
  const tail = ciphertext.slice(groups * groupUnits);
  const mac = finishHmac(keys.mac, hash, tail, groups * groupUnits);
  const claimed = decodeHex(parts.hmac);
  if (claimed === null || !equalBytes(mac, claimed)) return { code: 'badMac' };
  const iv = decodeBase64(parts.IV);
  if (iv?.length !== blockBytes) return { code: 'badIv' };
  const tailBytes = decodeBase64(tail);
  if (tailBytes === null || Number.isNaN(checksum)) return { code: 'badBase64' };
  if (tailBytes.length === 0 || tailBytes.length % blockBytes !== 0) return { code: 'badPadding' };

  if (isLong) await turn.next();
  const key = keys.decryption();
  const chain = wordsOfBytes(iv);
  const decoder = utf8Decoder();
  if (isLong) await turn.next();
  for (let group = 0; group < groups; group++) {
    if (turn.isOver(weight)) await turn.next();
    const at = isLong ? 0 : group * groupWords;
    if (isLong) readGroup(ciphertext, group * groupUnits, block, words, at);
    cbc(key, words, at, at + groupWords, chain);
    if (!decoder.push(words, at, groupBytes)) return { code: 'badUtf8' };
  }
  const last = wordsOfBytes(tailBytes);
  cbc(key, last, 0, last.length, chain);
  const length = unpaddedLength(bytesOfWords(last));
  if (length === null) return { code: 'badPadding' };
  if (!decoder.push(last, 0, length)) return { code: 'badUtf8' };
  const text = decoder.finish();
  return text === null ? { code: 'badUtf8' } : { text };
}

async function sealOne(keys: Keys, text: string, iv: Uint8Array, turn: Turn): Promise<CipherParts> {
  const key = keys.encryption();
  const chain = wordsOfBytes(iv);
  const hash = startHmac(keys.mac);
  const block = new Int32Array(16);
  const unused = new Int32Array(groupWords);
  let ciphertext = '';
  let rest: Uint8Array = new Uint8Array(0);
  for (let at = 0; at < text.length; ) {
    const end = pieceEnd(text, at);
    const bytes = concatBytes(rest, encodeUtf8(text.slice(at, end)));
    let from = 0;
    for (; from + groupBytes <= bytes.length; from += groupBytes) {
      if (turn.isOver(sealedGroups)) await turn.next();
      const group = encrypt(key, bytes.subarray(from, from + groupBytes), chain);
      readGroup(group, 0, block, unused, 0);
      hashBlock(hash, block);
      ciphertext += group;
    }
    rest = bytes.subarray(from);
    at = end;
  }
  if (turn.isOver(apartGroups)) await turn.next();
  const tail = encrypt(key, padded(rest), chain);
  const mac = finishHmac(keys.mac, hash, tail, ciphertext.length);
  return { ciphertext: ciphertext + tail, IV: encodeBase64(iv), hmac: encodeHex(mac) };
}

/** Encrypts whole blocks and writes them in base64. */
function encrypt(key: AesKey, bytes: Uint8Array, chain: Int32Array): string {
  const words = wordsOfBytes(bytes);
  cbc(key, words, 0, words.length, chain);
  return encodeBase64(bytesOfWords(words));
}

/**
 * Reads 64 characters at once as what they are to the hash, 16 words of character codes, and as
 * the 12 words that they mean in base64, which go to `words` from `to` on. The answer is a number,
 * or NaN when one of the characters is no digit of base64.
 */
function readGroup(
  text: string,
  at: number,
  block: Int32Array,
  words: Int32Array,
  to: number,
): number {
  digitTables ??= makeDigitTables();
  var [d0, d1, d2, d3] = digitTables;
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

type DigitTables = [number[], number[], number[], number[]];

let digitTables: DigitTables | undefined;

/** What a character means as the first, second, third and fourth of four digits; NaN: nothing. */
function makeDigitTables(): DigitTables {
  const tableFor = (shift: number) => {
    const table: number[] = new Array(128).fill(Number.NaN);
    for (let digit = 0; digit < 64; digit++)
      table[standardDigits.charCodeAt(digit)] = digit << shift;
    return table;
  };
  return [tableFor(18), tableFor(12), tableFor(6), tableFor(0)];
}

/** The keys made ready, kept from one call to the next: usually they are the same. */
function keyCache(turn: Turn): (encKey: Uint8Array, macKey: Uint8Array) => Keys {
  let last: { encKey: Uint8Array; macKey: Uint8Array; keys: Keys } | undefined;
  return (encKey, macKey) => {
    if (last?.encKey !== encKey || last.macKey !== macKey) {
      last = { encKey, macKey, keys: makeKeys(encKey, macKey) };
      turn.isOver(keyGroups);
    }
    return last.keys;
  };
}

function makeKeys(encKey: Uint8Array, macKey: Uint8Array): Keys {
  const words = wordsOfBytes(encKey);
  let encryption: AesKey | undefined;
  let decryption: AesKey | undefined;
  return {
    mac: hmacKey(macKey),
    encryption: () => (encryption ??= encryptionKey(words)),
    decryption: () => (decryption ??= decryptionKey(words)),
  };
}

interface Keys {
  readonly mac: HmacKey;
  encryption(): AesKey;
  decryption(): AesKey;
}

/** Where a piece of text ends so that it cuts no surrogate pair. */
function pieceEnd(text: string, at: number): number {
  const end = Math.min(at + pieceUnits, text.length);
  const cutsPair = (text.charCodeAt(end - 1) & 0xfc00) === 0xd800 && end < text.length;
  return cutsPair ? end + 1 : end;
}

const groupUnits = 64;
const groupBytes = 48;
const groupWords = 12;
const blockBytes = 16;
const pieceUnits = 512;

/** What new keys and the tables of a cipher count for. */
const keyGroups = 16;
/** What the last group and the MAC's own blocks count for, and the encoding of a sealed group. */
const apartGroups = 3;
const sealedGroups = 3;
/**
 * A long record goes through here although its device has fast crypto, and must not slow it down.
 */
const longWeight = 6;
/** Up to 8 KiB of text are kept decoded between the MAC and the decryption. */
const keptGroups = 128;
