// `npm run floors [CHECKOUT]`: how high and how closely agent/ is built, of this checkout or of
// another one.

import { resolve } from 'node:path';
import { floorsOf } from './support/imports.ts';
import { ROOT, readSources } from './support/sources.ts';

const [checkout] = process.argv.slice(2);
const root = checkout === undefined ? ROOT : resolve(checkout);
const { sources, imports, rooms, arrows, floors, circling } = floorsOf(readSources(root), 'agent/');
console.log(`agent/: ${sources} sources, ${imports} imports between them, types included
rooms (a file at its top, or a folder): ${rooms}, ${circling} of them in circles
layers (the longest chain of rooms that import one another; a circle is one): ${floors}
imports between rooms (pairs): ${arrows}`);
