// `npm run floors [CHECKOUT]`: how high and how closely agent/ is built, of this checkout or of
// another one.

import { dirname, resolve } from 'node:path';
import { builtOf, roomBelow } from './support/imports.ts';
import { ROOT, readSources } from './support/sources.ts';

const [checkout] = process.argv.slice(2);
const root = checkout === undefined ? ROOT : resolve(checkout);
const sources = readSources(root);
const row = (...cells: (string | number)[]): void =>
  console.log(cells.map((cell) => String(cell).padStart(10)).join(''));

console.log(`agent/ (layers: the longest chain of those that import one another, a circle is one;
imports: pairs, types included)`);
row('by', 'there are', 'imports', 'layers', 'circling');
for (const [name, placeOf] of [
  ['file', (path: string) => path],
  ['folder', (path: string) => dirname(path)],
  // A file at the top counts by itself, a folder with all that is below.
  ['room', roomBelow],
] as const) {
  const { places, imports, layers, circling } = builtOf(sources, 'agent/', placeOf);
  row(name, places, imports, layers, circling);
}
