// The packages that a firmware may hold, and how they are kept from the world outside.
// Their code asks for globals behind `typeof` and `try`: the answer "there is none" is fixed while
// building, so the probes and what hangs on them fall away and every device runs the same branch.
// Our own modules get no such help: what they take from outside is an error.

import { readFile } from 'node:fs/promises';
import { type Plugin, transform } from 'esbuild';

/** By name, with the names that each still takes from outside. */
export const PACKAGES: ReadonlyMap<string, readonly string[]> = new Map([
  ['tweetnacl', []],
  [
    'cbor-x',
    [
      // Asked for behind `typeof`, for tags 67 and 71 (RFC 8746).
      'BigInt64Array',
      'BigUint64Array',
      // Undeclared in its packed mode, which nobody may switch on: assigning them would throw.
      'packedObjectMap',
      'sharedPackedObjectMap',
    ],
  ],
]);

/** The npm package that a module belongs to, or null for our own. */
export function packageOf(path: string): string | null {
  return /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? null;
}

const ABSENT = ['self', 'define', 'require', 'Buffer', 'Blob', 'TextEncoder', 'TextDecoder'];

const DEFINE: Record<string, string> = {
  ...Object.fromEntries(ABSENT.map((name) => [name, 'undefined'])),
  globalThis: 'null',
  'globalThis.Buffer': 'undefined',
  // A class is needed where cbor-x lists those that it knows: one that no value is made of, and
  // that cannot be made of a date's text or number.
  Date: 'WeakSet',
};

/** esbuild: packages are read with their probes answered. */
export const withoutGlobals: Plugin = {
  name: 'without globals',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]node_modules[\\/]/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), {
        define: DEFINE,
        drop: ['console'],
        minifySyntax: true,
      });
      return { contents: code };
    });
  },
};
