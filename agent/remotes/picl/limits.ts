// Bounds of PiCL's storage, as its specification has them (docs/picl.md), each with its reason.

/** Characters of a payload. */
export const PAYLOAD_CHARS_MAX = 262_144;

/** Bytes of cleartext that a payload takes: base64url, less the version, the IV and the tag. */
export const PLAIN_BYTES_MAX = 196_579;
