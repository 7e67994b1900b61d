// What a computer may have in memory at a time: some megabytes are nothing to it, so requests and
// commits are as large as servers and the storage port take them.

import type { AgentConfig } from '../../../agent/index.ts';

type HeapLimits = Required<NonNullable<AgentConfig['heap']>>;

/** An upload fills what the server takes: the server's own limits are the smaller ones. */
export const NODE_HEAP: HeapLimits = {
  // A quarter of a page: while the last one is stored, the next page comes. A record is up to ten
  // changes of a commit: see `COMMIT_LIMITS` of ../storage.ts.
  batchRecordsMax: 250,
  batchCharsMax: 1_000_000,
  pushRecordsMax: 1_000,
  pushCharsMax: 2_097_152,
  // The answer is a small document (DOCUMENT_CHARS_MAX) although the payloads are in it again.
  echoCharsMax: 131_072,
  commitCharsMax: 1_000_000,
  commitChangesMax: 1_000,
  // Nothing that fits in length is too much.
  charBytesMax: 100,
  stagedMax: 100_000,
};
