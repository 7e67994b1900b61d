// The packages that a firmware may hold, and how they are kept from the world outside.
// Their code asks for globals behind `typeof`: the answer "there is none" is fixed while building,
// so the probes and what hangs on them fall away and every device runs the same branch.
// Our own modules get no such help: what they take from outside is an error.

import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { type Plugin, transform } from 'esbuild';

/**
 * By name, with the members that our code uses. The rest of a package is still in the file, but
 * nothing holds it once the file is loaded, so the engine gives its memory back.
 */
export const PACKAGES: ReadonlyMap<string, readonly string[]> = new Map([
  ['tweetnacl', ['secretbox']],
]);

/** The npm package that a module belongs to, or null for our own. */
export function packageOf(path: string): string | null {
  return /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? null;
}

/** What tweetnacl looks for its random numbers in; it gets none, and callers bring their nonces. */
const ABSENT = { self: 'undefined', require: 'undefined' };

/** esbuild: packages are CommonJS with their probes answered, and are read as modules. */
export const withoutGlobals: Plugin = {
  name: 'without globals',
  setup({ initialOptions, onLoad }) {
    onLoad({ filter: /[\\/]node_modules[\\/]/ }, async ({ path }) => {
      // The project may lie among the packages of somebody else: what is below its root is its own.
      if (packageOf(relative(initialOptions.absWorkingDir ?? '', path)) === null) return undefined;
      const source = await readFile(path, 'utf8');
      const { code } = await transform(source, { define: ABSENT, minifySyntax: true });
      const members = PACKAGES.get(packageOf(path) ?? '') ?? [];
      const used = members.map((name) => `${name}: module.exports.${name}`).join(', ');
      return {
        contents: `const module = { exports: {} };\n${code}\nexport default { ${used} };`,
      };
    });
  },
};
