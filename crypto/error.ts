// How crypto/ refuses what its caller gave: keys, texts, random numbers, sealed boxes.
// A message names the field that was wrong and never carries a key, a text or a part of one.
// Records that other people wrote are never refused this way: see OpenRefusal in bso.ts.

type CryptoErrorCode =
  /** A sync key, a scoped key, a device key or a key of a cipher is not one. */
  | 'badKey'
  /** The body of `crypto/keys` is not as storage format 5 wants it. */
  | 'badKeys'
  /** A text to be sealed has half a surrogate pair, which UTF-8 cannot say. */
  | 'badText'
  /** The random source gave too few bytes, only zeros, or the same bytes twice. */
  | 'badEntropy'
  /** A box at rest was not sealed under this key, or was damaged. */
  | 'badSeal'
  /** A URL that cannot be signed. */
  | 'badUrl'
  /** What should be hashed, encrypted or decrypted in bulk is longer than it may be. */
  | 'tooLarge'
  /** The device's own cryptography failed, or answered what cannot be. */
  | 'badDevice';

export class CryptoError extends Error {
  override readonly name = 'CryptoError';
  readonly code: CryptoErrorCode;

  constructor(code: CryptoErrorCode, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}
