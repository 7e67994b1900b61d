// A streamed body on its way into a `fetch`: piece by piece where the platform's fetch can do that,
// else collected into a Blob, which the platform may keep on disk; it is never one text.

import { openPieces } from '../body-pieces.ts';
import { watchExchange } from '../exchange-limits.ts';
import type { ExchangeLimits, PortErrorCode, StreamedBody } from '../ports.ts';
import type { Patience } from './patience.ts';

export interface Upload {
  readonly stream: ReadableStream<Uint8Array>;
  /** The source was asked to its end. */
  readonly isComplete: boolean;
  /** The answer is there: nothing more leaves, and the source is not asked any more. */
  stop(): void;
}

/**
 * The body as a stream that takes a piece from its source when the one before has left. Ends
 * `patience` with the error of the source, and sets it to what the limits leave: for each piece,
 * and at last for the answer. `startMs`: when the request was made, on the clock of `performance`.
 * Errors: the source's.
 */
export function startUpload(
  body: StreamedBody,
  limits: ExchangeLimits,
  startMs: number,
  patience: Patience,
): Upload {
  const pieces = openPieces(body);
  const watch = watchExchange(limits, startMs);
  const longestLeftMs = (): number => startMs + limits.longestMs - performance.now();
  let given = { bytes: 0, atMs: startMs };
  let isStopped = false;
  let isComplete = false;

  /** What was given before has left. */
  const next = async (): Promise<Uint8Array | null> => {
    watch.arrived(given.bytes, performance.now() - given.atMs);
    patience.set(longestLeftMs());
    const piece = bytesOf(await pieces.next());
    given = { bytes: piece?.length ?? 0, atMs: performance.now() };
    if (isStopped) return piece;
    const forAnswerMs = Math.min(limits.timeoutMs, longestLeftMs());
    patience.set(piece === null ? forAnswerMs : watch.leftMs(given.atMs));
    return piece;
  };

  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    let piece: Uint8Array | null = null;
    try {
      if (!isStopped) piece = await next();
    } catch (error) {
      if (!isStopped) {
        patience.end(error);
        throw error;
      }
    }
    // The stream stays open then: its end would make a whole body of what has left until now.
    if (isStopped) return new Promise(() => undefined);
    if (piece !== null) return controller.enqueue(piece);
    isComplete = true;
    controller.close();
  };

  return {
    stream: new ReadableStream({ pull }, { highWaterMark: 0 }),
    get isComplete() {
      return isComplete;
    },
    stop() {
      isStopped = true;
    },
  };
}

/** Pieces that a list holds before they become one Blob. */
const LIST_PIECES_MAX = 64;

/**
 * The whole body, for a platform that sends nothing else; given up when `patience` is over. Errors:
 * the source's; `unsupported` for more than `bytesMax`.
 */
export async function collect(
  body: StreamedBody,
  patience: Patience,
  bytesMax: number,
): Promise<Blob> {
  const pieces = openPieces(body);
  const blobs: Blob[] = [];
  const list: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for (;;) {
    const piece = bytesOf(await Promise.race([pieces.next(), patience.over]));
    if (piece === null) return new Blob([...blobs, ...list]);
    bytes += piece.length;
    if (bytes > bytesMax) throw tooLong(bytesMax);
    list.push(Uint8Array.from(piece));
    if (list.length === LIST_PIECES_MAX) blobs.push(new Blob(list.splice(0)));
  }
}

function tooLong(bytesMax: number): Error {
  const code: PortErrorCode = 'unsupported';
  const message = `request: the body has more than ${bytesMax} bytes, and is sent whole here`;
  return Object.assign(new Error(message), { code });
}

function bytesOf(piece: string | Uint8Array | null): Uint8Array | null {
  return typeof piece === 'string' ? new TextEncoder().encode(piece) : piece;
}
