// A request body that the device sends piece by piece: paced by the link, taken by a server that
// reads it as it likes. Of what has left, no more than a window's pieces wait to be taken.

import { watchExchange } from '../../platform/exchange-limits.ts';
import type { ExchangeLimits } from '../../platform/ports.ts';
import { type DeviceClock, NS_PER_MS } from './clock.ts';

/** What the device does with a body that it sends. */
export interface Sending {
  /**
   * Sends a piece, not an empty one; null: the body has ended. `left` is called once: when it has
   * left, or the exchange is over.
   */
  piece(bytes: Uint8Array | null, left: () => void): void;
  /** There is no more, and that was not all: the connection is given up. `left` as above. */
  breakOff(left: () => void): void;
}

interface UploadOptions {
  readonly clock: DeviceClock;
  readonly limits: ExchangeLimits;
  /** When the exchange began, and when the request's head has left. */
  readonly askedNs: number;
  readonly headLeftNs: number;
  readonly halfTripNs: number;
  /** The length is not known: each piece is framed. */
  readonly isChunked: boolean;
  readonly wireNs: (bytes: number) => number;
  /** What a server takes for so many bytes that reads slowly. */
  readonly takeNs: (bytes: number) => number;
  /** The connection breaks behind this many bytes of the body and its frames. */
  readonly cutAfterBytes: number;
  /** Hands the body to the server; null: it never answers. */
  readonly serve: ((body: ReadableStream<Uint8Array>) => Promise<Response>) | null;
  /** So many bytes have left. */
  readonly sent: (bytes: number) => void;
  /** Called once. `below`: what an `offline` came from. */
  readonly over: (outcome: Response | 'timeout' | 'offline', below?: unknown) => void;
}

/** Where there is no exchange, or none any more. */
export function sendingNowhere(clock: DeviceClock): Sending {
  return {
    piece: (_, left) => clock.at(clock.nowNs(), left),
    breakOff: (left) => clock.at(clock.nowNs(), left),
  };
}

/** TCP's old window, in pieces. */
const WINDOW_PIECES = 4;

export class Upload implements Sending {
  private readonly options: UploadOptions;
  private readonly watch;
  private readonly body = new ServerBody();
  private answered: Promise<Response> | null = null;
  private sentBytes = 0;
  /** When the link is free again. */
  private freeNs: number;
  /** When the last pieces are taken, the oldest first. */
  private takenNs: number[] = [];
  private isOver = false;

  constructor(options: UploadOptions) {
    this.options = options;
    this.watch = watchExchange(options.limits, options.askedNs / NS_PER_MS);
    this.freeNs = options.headLeftNs;
    const { clock, serve, halfTripNs } = options;
    clock.at(options.headLeftNs + halfTripNs, async () => {
      if (this.isOver || serve === null) return;
      this.answered = serve(this.body.stream);
      await this.untilWanted(this.body.wanted());
    });
  }

  piece(bytes: Uint8Array | null, left: () => void): void {
    const { clock, wireNs, halfTripNs, takeNs, cutAfterBytes } = this.options;
    const nowNs = clock.nowNs();
    const wireBytes = (bytes?.length ?? 0) + this.frameBytes(bytes);
    const fromNs = Math.max(nowNs, this.freeNs);
    const restBytes = Math.max(0, cutAfterBytes - this.sentBytes);
    const isCut = wireBytes > restBytes;
    const leftNs = fromNs + wireNs(isCut ? restBytes : wireBytes);
    const takenNs = Math.max(leftNs + halfTripNs, this.takenNs.at(-1) ?? 0) + takeNs(wireBytes);
    const readyNs = Math.max(leftNs, this.takenNs[this.takenNs.length - WINDOW_PIECES] ?? 0);
    const limitNs = this.watch.leftMs(nowNs / NS_PER_MS) * NS_PER_MS;
    if (readyNs - nowNs > limitNs) {
      clock.at(nowNs + limitNs, () => {
        this.end('timeout');
        left();
      });
      return;
    }
    this.freeNs = leftNs;
    this.takenNs = [...this.takenNs.slice(1 - WINDOW_PIECES), takenNs];
    this.sentBytes += wireBytes;
    clock.at(readyNs, () => {
      this.watch.arrived(wireBytes, (readyNs - nowNs) / NS_PER_MS);
      // Also when the answer is on its way, which the device does not know yet.
      this.options.sent(isCut ? restBytes : wireBytes);
      if (isCut) this.end('offline');
      left();
    });
    if (isCut) return;
    if (bytes === null) this.awaitAnswer(readyNs, takenNs);
    else clock.at(takenNs, () => this.take(bytes));
  }

  breakOff(left: () => void): void {
    const { clock } = this.options;
    clock.at(clock.nowNs(), () => {
      this.end('offline');
      left();
    });
  }

  /** The power is gone: nobody is told. */
  drop(): void {
    this.isOver = true;
    this.body.breakOff();
    // What the server says to a body that has broken off, nobody hears.
    this.answered?.catch(() => undefined);
  }

  private frameBytes(bytes: Uint8Array | null): number {
    if (!this.options.isChunked) return 0;
    return bytes === null ? '0\r\n\r\n'.length : bytes.length.toString(16).length + 4;
  }

  /** The server takes a piece, and asks for another or answers. */
  private async take(bytes: Uint8Array): Promise<void> {
    if (this.isOver || this.answered === null) return;
    await this.untilWanted(this.body.give(bytes));
  }

  private async untilWanted(wanted: Promise<void>): Promise<void> {
    const { clock, limits, askedNs } = this.options;
    const leftNs = askedNs + limits.longestMs * NS_PER_MS - clock.nowNs();
    await this.answerOr(wanted, leftNs);
  }

  /** All has left at `leftNs` and is there at `takenNs`: now the answer is waited for. */
  private awaitAnswer(leftNs: number, takenNs: number): void {
    const { clock, limits, askedNs } = this.options;
    const longestNs = askedNs + limits.longestMs * NS_PER_MS;
    const endNs = Math.min(leftNs + limits.timeoutMs * NS_PER_MS, longestNs);
    if (this.options.serve === null || takenNs > endNs) {
      clock.at(endNs, () => this.end('timeout'));
      return;
    }
    clock.at(takenNs, async () => {
      if (this.isOver) return;
      this.body.close();
      await this.answerOr(null, endNs - clock.nowNs());
    });
  }

  private async answerOr(wanted: Promise<void> | null, limitNs: number): Promise<void> {
    if (this.answered === null) return;
    try {
      const first = Promise.race([this.answered, ...(wanted === null ? [] : [wanted])]);
      const outcome = await this.options.clock.within(first, limitNs);
      if (outcome === 'late') this.end('timeout');
      else if (outcome !== undefined) this.end(outcome);
    } catch (error) {
      this.end('offline', error);
    }
  }

  private end(outcome: Response | 'timeout' | 'offline', below?: unknown): void {
    if (this.isOver) return;
    this.drop();
    this.options.over(outcome, below);
  }
}

/** The body as the server sees it: it has what was given, and tells when it is asked for more. */
class ServerBody {
  readonly stream: ReadableStream<Uint8Array>;
  private controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  private isWanted = false;
  private isEnded = false;
  private tellWanted: () => void = () => undefined;
  private release: () => void = () => undefined;

  constructor() {
    const want = (): void => {
      this.isWanted = true;
      this.tellWanted();
    };
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.controller = controller;
        },
        pull: () => {
          want();
          return new Promise<void>((resolve) => {
            this.release = resolve;
          });
        },
        // Whoever reads no further takes all the same.
        cancel: () => {
          this.isEnded = true;
          want();
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** Resolves when the server asks for a piece. */
  wanted(): Promise<void> {
    if (this.isWanted || this.isEnded) return Promise.resolve();
    return new Promise((resolve) => {
      this.tellWanted = resolve;
    });
  }

  /** Resolves when it asks for the next one. */
  give(bytes: Uint8Array): Promise<void> {
    this.isWanted = false;
    if (!this.isEnded) this.controller?.enqueue(bytes);
    this.release();
    return this.wanted();
  }

  close(): void {
    if (!this.isEnded) this.controller?.close();
    this.isEnded = true;
    this.release();
  }

  breakOff(): void {
    if (!this.isEnded) this.controller?.error(new Error('the connection broke'));
    this.isEnded = true;
    this.release();
  }
}
