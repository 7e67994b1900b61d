// Times that are no whole hundredths of a second, as the storage says them and as a client does.

import type { Case, Trouble } from './case.ts';
import { at, CALLS, LISTED, trouble } from './table-trouble.ts';

export function stampCases(): Case[] {
  const told = CUT_STAMPS.flatMap((stamp) =>
    CALLS.map(([name, step]) =>
      trouble(`storage says it is of ${stamp}: ${name}`, step, saidOf(stamp, name)),
    ),
  );
  const asked = MIDDLES.flatMap((timeMs) => [
    one(`query: _since=${timeMs}`, { target: `${LISTED.target}?_since=${timeMs}` }),
    ...['If-Match', 'If-None-Match'].map((header) =>
      one(`${header}: "${timeMs}"`, {
        headers: { ...LISTED.headers, [header]: `"${timeMs}"` },
      }),
    ),
  ]);
  return [...told, ...asked];
}

/** A thousand times each is less than its milliseconds: cutting is not rounding there. */
const CUT_STAMPS = ['2.01', '8.03', '1073742023.59', '1073742023.6', '-2.01', '1.9999'];

/** In the middle between two hundredths, where a number can say so, and where none can. */
const MIDDLES = [
  ...['1795322280125', '1795322280375', '1795322280625', '1795322280875', '125', '-125', '5'],
  ...['15', '1795322280005', '1795322280015', '562949953421312125', '70368744177664125'],
  '1125899906842624625',
];

function saidOf(stamp: string, call: string): Trouble {
  const bso = `{"id":"a","modified":${stamp},"payload":"p"}`;
  const body = { list: `[${bso}]`, get: bso }[call] ?? stamp;
  return at('sync15', 200, { 'X-Last-Modified': stamp }, body);
}

function one(name: string, change: Partial<typeof LISTED>): Case {
  return { name, steps: [{ ...LISTED, ...change }] };
}
