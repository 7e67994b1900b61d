// Bounds of packs, each with its unit and its reason.

/**
 * Bytes of a pack that takes no other records: some twelve contacts. Every change of one of them
 * sends all of it, and brings it back in the answer.
 */
export const FULL_BYTES = 4_096;

/** Bytes of a pack at most: its records may have grown. Four of them are in memory at once. */
export const PACK_BYTES_MAX = 8_192;

/** Bytes of an entry: what is longer gains nothing in a pack. */
export const ENTRY_BYTES_MAX = 1_024;

/** Characters of a sealed pack that is opened: what others may have made of one. */
export const PAYLOAD_CHARS_MAX = 65_536;

/** Packs that are changed at once; the last ones of a way are kept beside them. */
export const PACKS_AT_ONCE = 4;
export const PACKS_KEPT = 8;

/**
 * Names of packs that one upload knows not to be there: those below the packs that it has filled
 * last. Changes go up in the order of their ids, so that others are of no use.
 */
export const UNMADE_MAX = 48;

/** Names of packs that one upload has filled: those that lie above the ones it is at. */
export const FILLED_MAX = 48;

/**
 * Packs that one pass has made, and does not read again: those of some 5,000 contacts, in 8 KB of
 * memory.
 */
export const OWN_PACKS_MAX = 1_024;

/** Times that a change finds its pack changed by somebody else, in one upload. */
export const RACES_MAX = 5;
