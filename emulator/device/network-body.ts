// One response body on its way to the device: bytes in whatever chunks the server makes, text out
// in pieces of at most 16,384 characters. UTF-8 is decoded strictly and a character is never cut in
// two. Holds at most one chunk of the server; reads nothing that was not asked for.

import { TextDecoder } from 'node:util';
import { countRecordBytes } from './record-bytes.ts';

export const PIECE_BYTES_MAX = 16_384;

export interface Piece {
  readonly text: string;
}

interface BodyFailure {
  readonly error: 'truncated' | 'encoding';
  /** Why, in words that may be shown. */
  readonly text?: string;
}

export interface BodyReader {
  /** The next piece, null at the end. After an error or the end: always the end. */
  next(): Promise<Piece | null | BodyFailure>;
  cancel(): void;
  /** Bytes taken off the wire so far, and those of them that belong to records. */
  readonly bytes: number;
  readonly recordBytes: number;
  /** When the last piece had arrived (the head, at first); kept by the network. */
  readyNs: number;
}

interface BodyOptions {
  /** The connection breaks behind this many bytes of the body. */
  readonly cutAfterBytes: number;
  readonly countRecords: boolean;
  /**
   * Bytes of one piece, at most `PIECE_BYTES_MAX`: what a slow server sends is read as it comes.
   */
  readonly pieceBytes: number;
  readonly readyNs: number;
  /** The words for what the body failed with; undefined: it ended too early. */
  readonly causeOf: (error: unknown) => string;
}

export function bodyReader(response: Response, options: BodyOptions): BodyReader {
  const wire = wireOf(response, options);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const records = countRecordBytes(response.headers.get('content-type'));
  let isOver = false;

  function end<T>(outcome: T): T {
    isOver = true;
    wire.cancel();
    return outcome;
  }

  return {
    async next() {
      while (!isOver) {
        const piece = await wire.take();
        if (piece !== null && 'error' in piece) return end(piece);
        if (options.countRecords && piece !== null) records.feed(piece);
        const text = decode(decoder, piece);
        if (text === null) return end({ error: 'encoding' as const });
        if (piece === null) end(null);
        // A piece may hold nothing but the start of a character.
        if (text !== '') return { text };
      }
      return null;
    },
    cancel() {
      end(null);
    },
    get bytes() {
      return wire.bytes;
    },
    get recordBytes() {
      return records.bytes;
    },
    readyNs: options.readyNs,
  };
}

interface Wire {
  /**
   * Up to one piece of bytes; null at the end; a failure when the connection or the promise broke.
   */
  take(): Promise<Uint8Array | null | BodyFailure>;
  cancel(): void;
  readonly bytes: number;
}

function wireOf(response: Response, options: BodyOptions): Wire {
  const announced = response.headers.get('content-length');
  const bytesMax = announced === null ? Infinity : Number(announced);
  const reader = response.body?.getReader();
  let chunk: Uint8Array = new Uint8Array(0);
  let bytes = 0;

  const broken = (error?: unknown): BodyFailure => ({
    error: 'truncated',
    text: options.causeOf(error),
  });

  return {
    async take() {
      if (bytes >= bytesMax) return null;
      while (chunk.length === 0) {
        const result = await reader?.read().catch(broken);
        if (result !== undefined && 'error' in result) return result;
        if (result === undefined || result.done)
          return bytes < bytesMax && announced ? broken() : null;
        chunk = result.value;
      }
      const room = Math.min(options.pieceBytes, bytesMax - bytes, options.cutAfterBytes - bytes);
      if (room <= 0) return broken();
      const piece = chunk.subarray(0, room);
      chunk = chunk.subarray(room);
      bytes += piece.length;
      return piece;
    },
    cancel() {
      chunk = new Uint8Array(0);
      reader?.cancel().catch(() => undefined);
    },
    get bytes() {
      return bytes;
    },
  };
}

/** Null: not UTF-8. A null piece is the end of the body. */
function decode(decoder: TextDecoder, piece: Uint8Array | null): string | null {
  try {
    return piece === null ? decoder.decode() : decoder.decode(piece, { stream: true });
  } catch {
    return null;
  }
}
