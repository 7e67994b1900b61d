// The cryptography that a device may give the agent, as a port: interfaces only, no code. What
// ports.ts says of a port holds for it.

/** One encrypted BSO payload, its three members as they are on the wire. */
export interface CipherParts {
  readonly ciphertext: string;
  readonly IV: string;
  readonly hmac: string;
}

/** Why a payload was refused: see `crypto/bso.ts`, which has the same words. */
export type CipherRefusal = 'badBase64' | 'badIv' | 'badMac' | 'badPadding' | 'badUtf8';

/** What `compute` does, and of which pieces an item is. AES is AES-256: its key is 32 bytes. */
export type Algorithm =
  /** [bytes] to 32 bytes (FIPS 180-4). The key is empty. */
  | 'sha256'
  /** [bytes] to 32 bytes: HMAC-SHA-256 (RFC 2104). A key of up to 1,024 bytes. */
  | 'hmac'
  /** [IV of 16 bytes, bytes] to whole blocks, padded as PKCS #7 has it. */
  | 'cbcEncrypt'
  /** [IV of 16 bytes, whole blocks] to bytes; refused where their padding is wrong. */
  | 'cbcDecrypt'
  /** [IV of 12 bytes, additional data, bytes] to as many bytes and a tag of 16. */
  | 'gcmEncrypt'
  /** [IV of 12 bytes, additional data, bytes and tag] to bytes; refused where the tag is wrong. */
  | 'gcmDecrypt';

/**
 * What `computeTexts` does, and of which texts an item is. Base64url is strict, and without
 * padding; what is hashed or encrypted is the UTF-8 of a text. AES is AES-256: its key is 32 bytes.
 */
export type TextAlgorithm =
  /** [text] to the base64url of 32 bytes (FIPS 180-4). The key is empty. */
  | 'sha256'
  /** [text] to the base64url of 32 bytes: HMAC-SHA-256 (RFC 2104). A key of up to 1,024 bytes. */
  | 'hmac'
  /** [text, what `hmac` may have answered to it] to an empty text; `badMac` where it has not. */
  | 'hmacCheck'
  /**
   * [head, additional data, text] to the base64url of the head's bytes, as many as the text has and
   * a tag of 16. The head is base64url of 13 bytes: one that is not looked at, and an IV of 12.
   */
  | 'gcmEncrypt'
  /**
   * [additional data, what `gcmEncrypt` answers] to the text; `badBase64`, `badMac` (or it is too
   * short), `badUtf8`.
   */
  | 'gcmDecrypt';

/** Of `computeTexts`. */
export type TextAnswer = { readonly text: string } | { readonly code: CipherRefusal };

/**
 * The device's own cryptography, if it has some: one call per batch (at most 64 items, and at most
 * 16 KiB of them unless one alone is longer). All formats are those of `crypto/`, so data written
 * by one path opens with the other.
 */
export interface DeviceCrypto {
  /**
   * Sync storage format 5: MAC (over the base64 text) first, then AES-256-CBC, then strict UTF-8.
   */
  open(
    encKey: Uint8Array,
    macKey: Uint8Array,
    items: readonly CipherParts[],
  ): Promise<({ text: string } | { code: CipherRefusal })[]>;
  /** `ivs[i]` is 16 bytes for `texts[i]`. */
  seal(
    encKey: Uint8Array,
    macKey: Uint8Array,
    texts: readonly string[],
    ivs: readonly Uint8Array[],
  ): Promise<CipherParts[]>;
  /**
   * Bytes to bytes, an answer per item in the order of the items, null where one is refused. Who
   * asks has looked at all lengths. Absent: the agent computes in JavaScript.
   * Errors: `failed`, where the device cannot compute; it says nothing of the data.
   */
  compute?(
    algorithm: Algorithm,
    key: Uint8Array,
    items: readonly (readonly Uint8Array[])[],
  ): Promise<(Uint8Array | null)[]>;
  /**
   * Texts to texts, an answer per item in the order of the items; `badUtf8` where half a surrogate
   * pair would be hashed or encrypted. Who asks has looked at the lengths of what it gives itself.
   * Absent: the agent computes in JavaScript. Errors: as `compute`.
   */
  computeTexts?(
    algorithm: TextAlgorithm,
    key: Uint8Array,
    items: readonly (readonly string[])[],
  ): Promise<TextAnswer[]>;
}
