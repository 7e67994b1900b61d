// The packages that a firmware may hold, and how they are kept from the world outside.
// Their code asks for globals behind `typeof`: the answer "there is none" is fixed while building,
// so the probes and what hangs on them fall away and every device runs the same branch.
// Our own modules get no such help: what they take from outside is an error.

import { readFile } from 'node:fs/promises';
import { type Plugin, transform } from 'esbuild';

/** By name. */
export const PACKAGES: ReadonlySet<string> = new Set(['tweetnacl']);

/** The npm package that a module belongs to, or null for our own. */
export function packageOf(path: string): string | null {
  return /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? null;
}

/** What tweetnacl looks for its random numbers in; it gets none, and callers bring their nonces. */
const ABSENT = { self: 'undefined', require: 'undefined' };

/** esbuild: packages are read with their probes answered. */
export const withoutGlobals: Plugin = {
  name: 'without globals',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]node_modules[\\/]/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const { code } = await transform(source, { define: ABSENT, minifySyntax: true });
      return { contents: code };
    });
  },
};
