// A streamed body as its source gives it, held to what ports.ts says, so that no mistake of a
// source becomes a request that looks whole. It uses nothing but the language, and holds two pieces
// at most.

import type { BodySource, StreamedBody } from './ports.ts';

/** Bytes of a piece, or characters of one that is text. */
const PIECE_LENGTH_MAX = 16_384;

type Piece = string | Uint8Array;

/**
 * Opens the body. Errors: the source's. Those of `next`: the source's; TypeError for a piece that
 * is too long, and for a body that is not as long as it was said to be. It gives no empty pieces,
 * and texts that are well-formed: a pair that lies in two pieces is put together, half a one is
 * U+FFFD.
 */
export function openPieces(body: StreamedBody): BodySource {
  const source = wholePairs(body.open());
  const { lengthBytes } = body;
  let bytes = 0;
  return {
    async next() {
      const piece = await source.next();
      if (lengthBytes !== undefined) {
        bytes += bytesOf(piece);
        if (piece === null ? bytes < lengthBytes : bytes > lengthBytes) {
          throw new TypeError(`a body was to have ${lengthBytes} bytes: it has ${bytes}`);
        }
      }
      return piece;
    },
  };
}

function wholePairs(source: BodySource): BodySource {
  /** The first half of a pair that the last text ended with. */
  let half = '';
  /** What comes behind a pair, which is given alone; null: nothing. */
  let rest: Piece | null = '';

  const taken = async (): Promise<Piece | null> => {
    if (rest?.length !== 0) return rest;
    for (;;) {
      const piece = await source.next();
      const length = piece?.length ?? 0;
      if (length > PIECE_LENGTH_MAX) {
        throw new TypeError(`a body's piece is ${length} long: at most ${PIECE_LENGTH_MAX}`);
      }
      if (piece === null || length > 0) return piece;
    }
  };

  return {
    async next() {
      for (;;) {
        const piece = await taken();
        rest = '';
        const first = half;
        half = '';
        if (first !== '') {
          const isPair = typeof piece === 'string' && isUnitOf(SECOND_HALVES, piece, 0);
          rest = isPair ? piece.slice(1) : piece;
          return isPair ? first + piece.slice(0, 1) : HALF_A_PAIR;
        }
        if (typeof piece !== 'string') return piece;
        const last = piece.length - 1;
        if (!isUnitOf(FIRST_HALVES, piece, last)) return wellFormed(piece);
        half = piece.slice(last);
        if (last > 0) return wellFormed(piece.slice(0, last));
      }
    },
  };
}

const HALF_A_PAIR = '\ufffd';

const FIRST_HALVES = 0xd800;
const SECOND_HALVES = 0xdc00;

function isUnitOf(halves: number, text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === halves;
}

/** Of a text whose pairs are whole: what else looks like a half of one stands alone. */
function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udfff]/gu, HALF_A_PAIR);
}

/** Of a text: as UTF-8. */
function bytesOf(piece: Piece | null): number {
  let bytes = piece?.length ?? 0;
  if (typeof piece !== 'string') return bytes;
  for (let at = 0; at < piece.length; at++) {
    const unit = piece.charCodeAt(at);
    // Half a pair is two bytes of four.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit & 0xf800) !== 0xd800 ? 2 : 1;
  }
  return bytes;
}
