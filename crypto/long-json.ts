// What json.ts reads in turns, loaded when the first long text comes: most are short. (The build of
// a firmware makes a part of what stands behind an `import()`.) Errors beside its own: what the
// loading throws.

import type { parseLongJson as parse } from './json.ts';

/** As that of json.ts. */
export const parseLongJson: typeof parse = async (...of) =>
  (await import('./json.ts')).parseLongJson(...of);
