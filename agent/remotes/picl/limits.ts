// Bounds of PiCL's storage, as its specification has them (docs/picl.md), each with its reason.

/** Characters of a payload. */
export const PAYLOAD_CHARS_MAX = 262_144;

/** Bytes of cleartext that a payload takes: base64url, less the version, the IV and the tag. */
export const PLAIN_BYTES_MAX = 196_579;

/** Of a change, what is not the payload: key, number, id, signature and the names of members. */
export const CHANGE_CHARS = 400;

/** Changes of a page that is asked for, and how much of what fits is asked for. */
export const PAGE_CHANGES_MAX = 100;
export const PAGE_FILL = 0.8;

/** Changes of one POST, and characters of their payloads, unless one alone is longer. */
export const POST_CHANGES_MAX = 100;
export const POST_CHARS_MAX = 512 * 1024;

/** What of a request's payloads is their text: the rest is base64 and what is beside a text. */
export const SEALED_SHARE = 0.7;

/** Characters of a change id or a signature of others; ours have 43. */
export const ID_CHARS_MAX = 128;

/**
 * So many ids of the verified chain are remembered, by their first characters: a server that was
 * restored to one of them is told from one that shows another log. Nobody without the key can make
 * an id that begins like another one.
 */
export const RING_MAX = 256;
export const TAG_CHARS = 8;

/** A server that has gone back is believed after so many looks, at least so far apart. */
export const ROLLBACK_LOOKS = 3;
export const ROLLBACK_LOOK_MS = 60_000;

/** New credentials that are refused as well are no case for a quick repetition. */
export const REFUSED_WAIT_MS = 5 * 60_000;

/** Heads are exchanged at most so often; and so many pages of other devices' are read at once. */
export const HEADS_MS = 24 * 3_600_000;
export const HEADS_PAGES_MAX = 64;
