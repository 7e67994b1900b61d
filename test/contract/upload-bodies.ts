// Bodies that are made while they go up, and servers that take them: what the upload suite
// (uploads.ts) counts with.

import { expect } from 'vitest';
import type {
  BodySource,
  Network,
  NetworkRequest,
  NetworkResponse,
  StreamedBody,
} from '../../platform/ports.ts';
import type { Server } from './network-server.ts';

export interface UploadTraits {
  /**
   * False for a platform that cannot send a body while it is made: it collects it, and nothing that
   * a server does meanwhile reaches the source.
   */
  readonly whileMade: boolean;
  /** Bytes between the source and the server's program: of one piece, and of a system's buffers. */
  readonly onTheWayBytesMax: number;
}

export const URL_BASE = 'https://server.test/v1';
export const PIECE_MAX = 16_384;
const PUT: NetworkRequest = {
  method: 'PUT',
  url: `${URL_BASE}/x`,
  headers: [['Content-Type', 'text/plain']],
  timeoutMs: 9_000,
  windowMs: 9_000,
  windowBytesMin: 1,
  longestMs: 9_000,
};

export type Piece = string | Uint8Array;

interface Watched extends StreamedBody {
  /** Pieces that were asked for since the last `open`, and how often it was opened. */
  readonly asked: () => number;
  readonly opened: () => number;
}

/** A body that notices being asked for a piece while another is on its way out of it. */
export function bodyOf(
  piece: (index: number) => Piece | null | Promise<Piece | null>,
  lengthBytes?: number,
): Watched {
  let asked = 0;
  let opened = 0;
  return {
    ...(lengthBytes !== undefined && { lengthBytes }),
    asked: () => asked,
    opened: () => opened,
    open(): BodySource {
      opened++;
      asked = 0;
      let isBusy = false;
      return {
        async next() {
          expect(isBusy).toBe(false);
          isBusy = true;
          const made = await piece(asked++);
          isBusy = false;
          return made;
        },
      };
    },
  };
}

export const listed = (pieces: readonly Piece[], lengthBytes?: number): Watched =>
  bodyOf((index) => pieces[index] ?? null, lengthBytes);

export const endless = (piece: Piece): Watched => bodyOf(() => piece);

/** Answers with how long the body was, and notes what it was. */
export function recorder() {
  const seen: { bytes: Buffer; length: string | null }[] = [];
  const server: Server = async (request) => {
    const bytes = Buffer.from(await request.arrayBuffer());
    seen.push({ bytes, length: request.headers.get('content-length') });
    return new Response(`${bytes.length}`);
  };
  return { seen, server };
}

/** Reads a body as far as it is told to; `taken` are its bytes so far. */
export function readerOf(request: Request) {
  const reader = request.body?.getReader();
  let bytes = 0;
  return {
    taken: () => bytes,
    async next(): Promise<boolean> {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      bytes += value?.length ?? 0;
      return !done;
    },
  };
}

export const turns = async (count = 20): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
};

export async function send(
  network: Network,
  body: StreamedBody,
  more: Partial<NetworkRequest> = {},
): Promise<NetworkResponse> {
  return network.request({ ...PUT, ...more, body });
}

export async function textOf(response: NetworkResponse): Promise<string> {
  let text = '';
  for (let piece = await response.read(); piece !== null; piece = await response.read()) {
    text += piece;
  }
  return text;
}
