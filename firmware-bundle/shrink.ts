// A script said in fewer characters, which on a device are flash, heap and time to load. It means
// the same: nothing here assumes more than that reading a member changes nothing.

import { type ECMA, minify_sync as minify } from 'terser';

/**
 * `code` is one expression, in syntax of ECMAScript `year` at most. `kept`: names that stay what
 * they are, because they are those of members too. Errors: terser's.
 */
export function shrunk(code: string, year: number, kept: readonly string[] = []): string {
  const ecma = year as ECMA;
  const { code: shorter = '' } = minify(code, {
    ecma,
    compress: {
      ecma,
      expression: true,
      keep_fargs: false,
      passes: 6,
      pure_getters: true,
      unsafe_arrows: true,
      unsafe_methods: true,
    },
    mangle: { reserved: [...kept] },
    format: { ecma, comments: false },
  });
  const expression = shorter.replace(/;\s*$/, '');
  return expression.startsWith('(function') ? `${expression}\n` : `(${expression})\n`;
}
