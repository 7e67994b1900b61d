// Hashes, MACs and ciphers over bytes, many items in one call: by the device's own cryptography
// where it has some, else in JavaScript. No collection asks for it: their remotes work on texts
// (texts.ts), and of a device's bytes the agent has only requests signed (hawk.ts). It stays for
// what holds a device to all that its port promises, and for what measures that.
// Lengths are looked at here, whoever computes, and so is what a device answers. A box that does
// not open is a value (null); a device that fails is an error, and never a word about the data.
// An IV must never come twice under one key with GCM, and never be foreseeable with CBC.

import type { Algorithm, DeviceCrypto } from '../platform/crypto-port.ts';
import { batches } from './batches.ts';
import { CryptoError } from './error.ts';
import { softwareCompute } from './software-bulk.ts';

/** Filled up and authenticated by nothing (`cbc`), or as long as its text and a tag (`gcm`). */
export type AesMode = 'cbc' | 'gcm';

export interface AesItem {
  /** 16 bytes (CBC) or 12 (GCM). */
  readonly iv: Uint8Array;
  readonly bytes: Uint8Array;
  /** Authenticated and not encrypted; GCM alone has it. */
  readonly aad?: Uint8Array;
}

/**
 * Each call has one answer per item, in the same order. An item has at most `itemBytesMax` bytes.
 * Errors: `CryptoError` `badDevice` (the device failed, or answered what cannot be), `badKey`,
 * `tooLarge`, and `badEntropy` where an IV to encrypt with has another length.
 */
export interface BulkCrypto {
  /** 32 bytes each. */
  sha256(items: readonly Uint8Array[]): Promise<Uint8Array[]>;
  /** HMAC-SHA-256, 32 bytes each. A key of up to 1,024 bytes. */
  hmac(key: Uint8Array, items: readonly Uint8Array[]): Promise<Uint8Array[]>;
  /** AES-256: a key of 32 bytes. */
  encrypt(mode: AesMode, key: Uint8Array, items: readonly AesItem[]): Promise<Uint8Array[]>;
  /** Null: not encrypted under this key, or changed (of CBC: what can be seen of that). */
  decrypt(
    mode: AesMode,
    key: Uint8Array,
    items: readonly AesItem[],
  ): Promise<(Uint8Array | null)[]>;
}

/** Longer items are refused: in JavaScript one of them alone takes some ten seconds. */
export const itemBytesMax = 384 * 1024;

/** `pause` lets the device do other work and resolves in a later turn. */
export function bulkCrypto(
  device: Pick<DeviceCrypto, 'compute'> | undefined,
  pause: () => Promise<void>,
): BulkCrypto {
  const compute = device?.compute?.bind(device);
  const work: Compute = compute === undefined ? softwareCompute(pause) : byDevice(compute);
  const whole = async (algorithm: Algorithm, key: Uint8Array, items: readonly Pieces[]) => {
    const answers = await inBatches(work, algorithm, key, items);
    return answers.map((answer) => answer ?? badDevice('it refused what nobody can refuse'));
  };
  return {
    sha256: (items) => whole('sha256', noBytes, items.map(alone)),
    async hmac(key, items) {
      checkKey(key.length <= hmacKeyBytesMax, `at most ${hmacKeyBytesMax}`);
      return whole('hmac', key, items.map(alone));
    },
    async encrypt(mode, key, items) {
      checkKey(key.length === aesKeyBytes, `${aesKeyBytes}`);
      if (!items.every(({ iv }) => iv.length === ivBytes[mode])) {
        throw new CryptoError('badEntropy', `an IV has not ${ivBytes[mode]} bytes`);
      }
      return whole(`${mode}Encrypt`, key, items.map(piecesFor(mode)));
    },
    async decrypt(mode, key, items) {
      checkKey(key.length === aesKeyBytes, `${aesKeyBytes}`);
      const shaped = items.filter((item) => isShaped(mode, item));
      const pieces = shaped.map(piecesFor(mode));
      const answers = await inBatches(work, `${mode}Decrypt`, key, pieces);
      let next = 0;
      return items.map((item) => (isShaped(mode, item) ? (answers[next++] ?? null) : null));
    },
  };
}

type Pieces = readonly Uint8Array[];
/** As `DeviceCrypto` has it. */
type Compute = NonNullable<DeviceCrypto['compute']>;

const aesKeyBytes = 32;
const hmacKeyBytesMax = 1024;
const hashBytes = 32;
const blockBytes = 16;
const tagBytes = 16;
const ivBytes = { cbc: 16, gcm: 12 };
const noBytes = new Uint8Array(0);

const alone = (bytes: Uint8Array): Pieces => [bytes];

function piecesFor(mode: AesMode): (item: AesItem) => Pieces {
  return ({ iv, bytes, aad = noBytes }) => (mode === 'cbc' ? [iv, bytes] : [iv, aad, bytes]);
}

/** Whether an item has the lengths that encrypting answers: it comes from outside. */
function isShaped(mode: AesMode, { iv, bytes: { length } }: AesItem): boolean {
  if (iv.length !== ivBytes[mode]) return false;
  return mode === 'gcm' ? length >= tagBytes : length > 0 && length % blockBytes === 0;
}

async function inBatches(
  work: Compute,
  algorithm: Algorithm,
  key: Uint8Array,
  items: readonly Pieces[],
): Promise<(Uint8Array | null)[]> {
  const answers: (Uint8Array | null)[] = [];
  for (const batch of batches(items, bytesIn)) {
    if (batch.some((pieces) => bytesIn(pieces) > itemBytesMax)) {
      throw new CryptoError('tooLarge', `an item has more than ${itemBytesMax} bytes`);
    }
    for (const answer of await work(algorithm, key, batch)) answers.push(answer);
  }
  return answers;
}

function bytesIn(pieces: Pieces): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** A device under guard: a fault of its own is never taken for an answer. */
function byDevice(compute: Compute): Compute {
  return async (algorithm, key, items) => {
    const answers = await compute(algorithm, key, items).catch((error: unknown) => {
      const isPortError = error instanceof Error && 'code' in error && error.code === 'failed';
      throw isPortError ? new CryptoError('badDevice', error.message) : error;
    });
    const areRight =
      answers.length === items.length &&
      answers.every((answer, at) => canBe(algorithm, items[at] ?? [], answer));
    return areRight ? answers : badDevice(`${algorithm} was answered with other lengths`);
  };
}

function canBe(algorithm: Algorithm, pieces: Pieces, answer: Uint8Array | null): boolean {
  const length = pieces[pieces.length - 1]?.length ?? 0;
  if (answer === null) return algorithm === 'cbcDecrypt' || algorithm === 'gcmDecrypt';
  switch (algorithm) {
    case 'cbcEncrypt':
      return answer.length === length - (length % blockBytes) + blockBytes;
    case 'cbcDecrypt':
      return answer.length < length && answer.length >= length - blockBytes;
    case 'gcmEncrypt':
      return answer.length === length + tagBytes;
    case 'gcmDecrypt':
      return answer.length === length - tagBytes;
    default:
      return answer.length === hashBytes;
  }
}

function checkKey(isRight: boolean, wanted: string): void {
  if (!isRight) throw new CryptoError('badKey', `a key has not ${wanted} bytes`);
}

function badDevice(what: string): never {
  throw new CryptoError('badDevice', `the device's cryptography: ${what}`);
}
