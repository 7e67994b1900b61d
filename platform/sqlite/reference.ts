// How a value lies in rows, and the number that names it. A long value takes several rows of
// consecutive ids, so that no value, whatever its length, takes much of SQLite's heap.
// Pure functions; nothing here knows SQL.

import type { Value } from '../ports.ts';

/** What a reference names. Most reads need not look at a row to know. */
export const Kind = { rows: 0, emptyText: 1, removal: 2 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

export interface Reference {
  readonly kind: Kind;
  /** Ids of the first and the last row. */
  readonly first: number;
  readonly last: number;
}

const KINDS = 4;
/** A value of 2 MiB is 128 rows, or 129 when pairs of surrogates are kept whole. */
const ROWS_MAX = 256;

/**
 * An integer below 2^53 for ids below 2^43; greater for greater ids. Errors: RangeError for more
 * rows than it can name.
 */
export function encodeReference({ kind, first, last }: Reference): number {
  if (last - first >= ROWS_MAX) throw new RangeError(`a value of ${last - first + 1} rows`);
  return (first * ROWS_MAX + (last - first)) * KINDS + kind;
}

export function decodeReference(code: number): Reference {
  const rows = Math.floor(code / KINDS);
  const first = Math.floor(rows / ROWS_MAX);
  return { kind: (code % KINDS) as Kind, first, last: first + (rows % ROWS_MAX) };
}

/** The same in SQL, for a column that holds a reference. */
export const kindOf = (column: string) => `${column} % ${KINDS}`;
export const firstOf = (column: string) => `${column} / ${KINDS * ROWS_MAX}`;
export const lastOf = (column: string) =>
  `${column} / ${KINDS * ROWS_MAX} + ${column} / ${KINDS} % ${ROWS_MAX}`;

export function kindOfValue(value: Value | null): Kind {
  if (value === null) return Kind.removal;
  return value === '' ? Kind.emptyText : Kind.rows;
}

/** Bytes, or characters of text, in one row: no fewer where others are behind it. */
const PIECE_LENGTH = 16_384;
/** A value that would have more of them has longer ones, as no device's is. */
const PIECES_MAX = 200;

/** The value in pieces of its own type, at least one; no piece of text ends inside a character. */
export function split(value: Value): Value[] {
  const pieces: Value[] = [];
  const pieceLength = Math.max(PIECE_LENGTH, Math.ceil(value.length / PIECES_MAX));
  let start = 0;
  do {
    let end = Math.min(start + pieceLength, value.length);
    if (typeof value === 'string') {
      if (end < value.length && isHighSurrogate(value.charCodeAt(end - 1))) end--;
      pieces.push(value.slice(start, end));
    } else {
      pieces.push(value.subarray(start, end));
    }
    start = end;
  } while (start < value.length);
  return pieces;
}

/** Whether a piece is as long as one that has others behind it. */
export function isFull(piece: Value): boolean {
  return piece.length >= PIECE_LENGTH - 1;
}

/** The value whose pieces these are. */
export function join(pieces: readonly Value[]): Value {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  if (typeof only === 'string') return pieces.join('');
  return Uint8Array.from(Buffer.concat(pieces as Uint8Array[]));
}

function isHighSurrogate(unit: number): boolean {
  return (unit & 0xfc00) === 0xd800;
}
