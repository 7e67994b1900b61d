// The limits of what an OWA server takes, each with its reason. Tests ask for smaller ones.

export interface OwaLimits {
  /** Of a document in UTF-8, posted or kept: what a device streams within its time. */
  readonly documentBytesMax: number;
  /** Of an entry's JSON in UTF-8: a manifest with receipts, what a device parses at once. */
  readonly entryBytesMax: number;
  /** Of a member's name: as long as an origin may be. */
  readonly nameCharsMax: number;
  /** Of a document: what one commit of the storage holds. */
  readonly entriesMax: number;
  /** `{` and `[` open at once, the document's own among them. */
  readonly nestingMax: number;
  /** Of all that posts have in memory at a time, whoever sends them: of each 1 MiB at least. */
  readonly roomBytes: number;
}

export const OWA_LIMITS: OwaLimits = {
  documentBytesMax: 32 * 1024 * 1024,
  entryBytesMax: 64 * 1024,
  nameCharsMax: 2_048,
  entriesMax: 50_000,
  nestingMax: 64,
  roomBytes: 128 * 1024 * 1024,
};
