// Bounds of what is asked of a Kinto, each with its unit and its reason.

/**
 * How long before the newest stamp that was seen a listing begins: a writer on PostgreSQL has its
 * stamp before it commits, and batches of two writers took up to 1.2 s for that.
 */
export const OVERLAP_MS = 60_000;

/** After so long a collection in which something has happened is compared as a whole. */
export const COMPARE_MS = 7 * 24 * 3_600_000;

/** So far ahead of its time a server is asked what is behind a stamp: Kinto takes 24 hours. */
export const AHEAD_MS_MAX = 23 * 3_600_000;
