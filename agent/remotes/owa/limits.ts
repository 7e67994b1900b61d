// Bounds of Open Web Apps sync, each with its reason.

/** Characters of a whole document, which nobody ever holds: what servers of this kind take. */
export const DOCUMENT_CHARS_MAX = 32 * 1024 * 1024;

/** Characters of an app's name, which is an origin, and of a name as JSON may write it. */
export const NAME_CHARS_MAX = 2_048;
export const NAME_WRITTEN_MAX = 6 * NAME_CHARS_MAX + 2;

/** `{` and `[` open at once in an entry: what is read of it keeps count of them, and no more. */
export const DEPTH_MAX = 1_000;

/** Changes of one document that goes up: their ids are held. */
export const STAGED_MAX = 250;

/**
 * A server is asked after so long, and each time that it has no news so many times later, at the
 * most after so long.
 */
export const POLL_MS_FIRST = 300_000;
export const POLL_GROWTH = 1.5;
export const POLL_MS_LAST = 3_600_000;

/** So long without news, and the account's only device asks no more by itself. */
export const ALONE_DAYS = 30;

/** Characters of what a server calls the user, of its word for who asks, and of an address. */
export const WORD_CHARS_MAX = 8_192;
