// A script said in fewer characters, which on a device are flash, heap and time to load. It means
// the same: nothing here assumes more than that reading a member changes nothing, that what becomes
// a text is neither a symbol nor an object with a value of its own, and that nobody has changed the
// language's own objects. That takes seconds, so it is kept for later builds, under everything in
// this file.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { version as esbuildVersion, transform } from 'esbuild';
import type { ECMA } from 'terser';
import { KeptTexts } from './kept.ts';

/**
 * A script, which is one expression, in syntax of ECMAScript `year` at most, as another build has
 * made it or as `shrunk` does. Parameters and errors are those of `shrunk`.
 */
export function shrunkOnce(
  script: string,
  year: number,
  kept: readonly string[],
  before: KeptTexts = BEFORE,
): Promise<string> {
  return before.textOf([...RULES, year, kept, script], () => shrunk(script, year, kept));
}

/** With names of its own, but for those in `kept`: they are those of members too. */
export async function shrunk(
  script: string,
  year: number,
  kept: readonly string[],
): Promise<string> {
  // Most builds need no terser.
  const { minify_sync: minify } = await import('terser');
  // Given to a variable, so that it is something that is used.
  const { code } = await transform(`script=${script}`, {
    ...{ minifySyntax: true, minifyWhitespace: true },
    target: `es${year}`,
  });
  const ecma = year as ECMA;
  const { code: shorter = '' } = minify(code.replace(/^script=/, '').replace(/;?\s*$/, ''), {
    ecma,
    compress: {
      ecma,
      expression: true,
      hoist_funs: true,
      keep_fargs: false,
      passes: 3,
      pure_getters: true,
      unsafe: true,
      unsafe_arrows: true,
    },
    mangle: { reserved: [...kept] },
    format: { ecma, comments: false },
  });
  const expression = shorter.replace(/;\s*$/, '');
  return expression.startsWith('(function') ? `${expression}\n` : `(${expression})\n`;
}

const BEFORE = new KeptTexts(
  fileURLToPath(new URL('../node_modules/.cache/kitsync', import.meta.url)),
);

/** All that a shrunk script depends on beside the script: the tools, and how they are used here. */
const RULES: readonly string[] = [
  esbuildVersion,
  createRequire(import.meta.url)('terser/package.json').version,
  readFileSync(new URL('shrink.ts', import.meta.url), 'utf8'),
];
