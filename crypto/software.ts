// Records in JavaScript alone, for a device that has no crypto of its own.
// Everything is done in groups of 64 characters of base64, which are one block of SHA-256 and three
// of AES. Between slices of groups the device gets its turn (`pause`), so that no record, however
// long, holds it up. A long record is read twice, once for its MAC and once for its text, rather
// than kept a second time in memory.

import type { CipherParts, CipherRefusal, DeviceCrypto } from '../platform/crypto-port.ts';
import type { Entropy } from '../platform/ports.ts';
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
import { type DigitTables, digitTables, readGroup } from './groups.ts';
import { finishHmac, type HmacKey, hmacKey, startHmac } from './hmac.ts';
import { padded, unpaddedLength } from './pkcs7.ts';
import { hashBlock } from './sha256.ts';
import { type Turn, turnTaker } from './turn.ts';
import { encodeUtf8, pieceEnd, utf8Decoder } from './utf8.ts';

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
      digits(),
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
    if (isLong) readGroup(digits(), ciphertext, group * groupUnits, block, words, at);
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
      readGroup(digits(), group, 0, block, unused, 0);
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

let tables: DigitTables | undefined;

function digits(): DigitTables {
  tables ??= digitTables(standardDigits);
  return tables;
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

const groupUnits = 64;
const groupBytes = 48;
const groupWords = 12;
const blockBytes = 16;

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
