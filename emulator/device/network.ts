// The device's network: bandwidth, latency and broken connections over the device's clock.
// Servers are fetch handlers; a body is pulled from them piece by piece, as the device asks for it,
// so the host holds one piece however long the body is. Redirects are returned as they are. Counted
// are the bytes of HTTP/1.1 as text: request or status line, header lines, empty line, body; what
// TLS and TCP add is not, nor the account manager's own traffic (identity.ts).

import { type ExchangeWatch, watchExchange } from '../../platform/exchange-limits.ts';
import { parsedUrl } from '../../platform/parsed-url.ts';
import type { Connection, NetworkRequest, PortErrorCode } from '../../platform/ports.ts';
import { causeOf } from '../../platform/web/network-cause.ts';
import { type DeviceClock, NS_PER_MS } from './clock.ts';
import { type BodyReader, bodyReader, PIECE_BYTES_MAX, type Piece } from './network-body.ts';
import { type Sending, sendingNowhere, Upload } from './network-upload.ts';
import { requestBytes, responseHeadBytes, toRequest } from './network-wire.ts';

export type FetchHandler = (request: Request) => Promise<Response>;

interface LinkProfile {
  readonly bytesPerSecond: number;
  readonly roundTripMs: number;
  /** What the first exchange with an origin costs beforehand (TCP and TLS handshakes). */
  readonly connectMs: number;
}

/**
 * What goes wrong with an exchange: no connection, a server that stays silent, a connection that
 * breaks after this many bytes of the response (head included; the server has done its work) or of
 * the request (it has not), or a server that sends its body slowly, with a stall before each piece,
 * and takes as slowly a body that comes in pieces.
 */
export type NetworkFault =
  | 'refused'
  | 'silent'
  | { readonly cutAfterBytes: number }
  | { readonly cutUploadAfterBytes: number }
  | { readonly bytesPerSecond: number; readonly stallMs?: number };

export interface NetworkOptions {
  readonly clock: DeviceClock;
  readonly link: LinkProfile;
  readonly fetch: FetchHandler;
  readonly connection: () => Connection;
  /** Asked once per exchange; `index` counts them from 0 over all boots. */
  readonly fault?:
    | ((index: number, request: NetworkRequest<string>) => NetworkFault | null)
    | undefined;
}

interface NetworkCounters {
  requests: number;
  bytesIn: number;
  bytesOut: number;
  /** Bytes of the records in the listings that were received (record-bytes.ts). */
  payloadBytesIn: number;
}

export interface ResponseHead {
  readonly stream: number;
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** `text`: why, in words that may be shown. */
export type Failure = { readonly error: PortErrorCode; readonly text?: string };

export interface DeviceNetwork {
  /** `done` is called in an event of the clock, once. */
  request(request: NetworkRequest<string>, done: (outcome: ResponseHead | Failure) => void): void;
  /** As `request`, but the body follows; `lengthBytes`: all of it, null where that is not known. */
  upload(
    request: NetworkRequest<string>,
    lengthBytes: number | null,
    done: (outcome: ResponseHead | Failure) => void,
  ): Sending;
  /** For the pieces of a request that is over. */
  readonly over: Sending;
  /** The next piece of a stream, null at its end. */
  read(stream: number, done: (outcome: Piece | null | Failure) => void): void;
  /** Gives a stream up; unknown and finished ones are ignored. */
  close(stream: number): void;
  /** Power loss: every connection is gone. */
  reset(): void;
  counters(): NetworkCounters;
}

/** A failed exchange, with what lies below it. */
function failure(error: PortErrorCode, { url }: NetworkRequest<string>, below?: unknown): Failure {
  return { error, text: causeOf(below, url) };
}

const NO_NETWORK = Object.assign(new Error(), { code: 'ENETUNREACH' });
const NOBODY_THERE = Object.assign(new Error(), { code: 'ECONNREFUSED' });

/** One exchange whose body is read. */
interface Stream {
  readonly request: NetworkRequest<string>;
  readonly reader: BodyReader;
  readonly watch: ExchangeWatch;
  readonly wireNs: (bytes: number) => number;
}

export function createNetwork(options: NetworkOptions): DeviceNetwork {
  return new Network(options);
}

class Network implements DeviceNetwork {
  readonly over: Sending;
  private readonly options: NetworkOptions;
  private readonly counted: NetworkCounters = {
    requests: 0,
    bytesIn: 0,
    bytesOut: 0,
    payloadBytesIn: 0,
  };
  private readonly streams = new Map<number, Stream>();
  private streamCount = 0;
  private readonly uploads = new Set<Upload>();
  private readonly knownOrigins = new Set<string>();
  private readonly halfTripNs: number;

  constructor(options: NetworkOptions) {
    this.options = options;
    this.over = sendingNowhere(options.clock);
    this.halfTripNs = (options.link.roundTripMs / 2) * NS_PER_MS;
  }

  request(request: NetworkRequest<string>, done: (outcome: ResponseHead | Failure) => void): void {
    const { clock } = this.options;
    const nowNs = clock.nowNs();
    const fault = this.faultOf(request, done);
    if (fault === 'refused') return;
    const { cutUploadAfterBytes, ...body } = bodyFault(fault);
    const bytes = requestBytes(request, Buffer.byteLength(request.body ?? ''));
    this.counted.bytesOut += Math.min(bytes, cutUploadAfterBytes);
    const endNs = nowNs + headLimitMs(request) * NS_PER_MS;
    const wayNs = this.connectNs(request.url) + this.wireNs(bytes) + this.halfTripNs;
    if (bytes > cutUploadAfterBytes) {
      clock.at(nowNs + wayNs, () => done(failure('offline', request)));
    } else if (fault === 'silent' || nowNs + wayNs > endNs) {
      clock.at(endNs, () => done(failure('timeout', request)));
    } else clock.at(nowNs + wayNs, () => this.exchange(request, body, nowNs, done));
  }

  upload(
    request: NetworkRequest<string>,
    lengthBytes: number | null,
    done: (outcome: ResponseHead | Failure) => void,
  ): Sending {
    const { clock, fetch } = this.options;
    const askedNs = clock.nowNs();
    const fault = this.faultOf(request, done);
    if (fault === 'refused') return this.over;
    const { cutUploadAfterBytes, ...answer } = bodyFault(fault);
    const headBytes = requestBytes(request, lengthBytes);
    this.counted.bytesOut += Math.min(headBytes, cutUploadAfterBytes);
    const upload = new Upload({
      clock,
      limits: request,
      askedNs,
      headLeftNs: askedNs + this.connectNs(request.url) + this.wireNs(headBytes),
      halfTripNs: this.halfTripNs,
      isChunked: lengthBytes === null,
      wireNs: (bytes) => this.wireNs(bytes),
      takeNs: answer.slow?.wireNs ?? (() => 0),
      cutAfterBytes: Math.max(0, cutUploadAfterBytes - headBytes),
      serve: fault === 'silent' ? null : (body) => fetch(toRequest(request, { body, lengthBytes })),
      sent: (bytes) => {
        this.counted.bytesOut += bytes;
      },
      over: (outcome, below) => {
        this.uploads.delete(upload);
        if (typeof outcome === 'string') return done(failure(outcome, request, below));
        this.answer(request, outcome, answer, askedNs, done);
      },
    });
    this.uploads.add(upload);
    return upload;
  }

  read(stream: number, done: (outcome: Piece | null | Failure) => void): void {
    const { clock } = this.options;
    clock.at(clock.nowNs(), () => this.readNext(stream, done));
  }

  close(stream: number): void {
    this.streams.get(stream)?.reader.cancel();
    this.streams.delete(stream);
  }

  reset(): void {
    for (const { reader } of this.streams.values()) reader.cancel();
    for (const upload of this.uploads) upload.drop();
    this.streams.clear();
    this.uploads.clear();
    this.knownOrigins.clear();
  }

  counters(): NetworkCounters {
    return { ...this.counted };
  }

  /** What goes wrong with a new exchange; where it is `refused`, `done` hears of it. */
  private faultOf(
    request: NetworkRequest<string>,
    done: (outcome: Failure) => void,
  ): NetworkFault | null {
    const { clock, connection, fault: faultOf } = this.options;
    const fault = faultOf?.(this.counted.requests, request) ?? null;
    this.counted.requests++;
    const isCut = connection() === 'none';
    if (!isCut && fault !== 'refused' && parsedUrl(request.url) !== null) return fault;
    const offline = failure('offline', request, isCut ? NO_NETWORK : NOBODY_THERE);
    clock.at(clock.nowNs() + this.halfTripNs, () => done(offline));
    return 'refused';
  }

  /** The request is there: the answer's head, or what became of it. */
  private async exchange(
    request: NetworkRequest<string>,
    body: BodyFault,
    askedNs: number,
    done: (outcome: ResponseHead | Failure) => void,
  ): Promise<void> {
    const { clock, fetch } = this.options;
    const endNs = askedNs + headLimitMs(request) * NS_PER_MS;
    const answered = fetch(toRequest(request)).catch((error: unknown) =>
      failure('offline', request, error),
    );
    const response = await clock.within(answered, endNs - clock.nowNs());
    if (response === 'late') return done(failure('timeout', request));
    if ('error' in response) return done(response);
    const headNs = this.halfTripNs + this.wireNs(responseHeadBytes(response));
    if (clock.nowNs() + headNs > endNs) {
      return clock.at(endNs, () => done(failure('timeout', request)));
    }
    this.answer(request, response, body, askedNs, done);
  }

  /** The answer's head is on its way to the device. */
  private answer(
    request: NetworkRequest<string>,
    response: Response,
    body: BodyFault,
    askedNs: number,
    done: (outcome: ResponseHead | Failure) => void,
  ): void {
    const { clock } = this.options;
    const headBytes = responseHeadBytes(response);
    this.counted.bytesIn += Math.min(headBytes, body.cutAfterBytes);
    clock.at(clock.nowNs() + this.halfTripNs + this.wireNs(headBytes), () => {
      if (headBytes > body.cutAfterBytes) {
        response.body?.cancel().catch(() => undefined);
        return done(failure('offline', request));
      }
      const cutAfterBytes = body.cutAfterBytes - headBytes;
      const stream = this.open(request, response, { ...body, cutAfterBytes }, askedNs);
      done({ stream, status: response.status, headers: [...response.headers] });
    });
  }

  /** The number of a new stream: the body of `response`. */
  private open(
    request: NetworkRequest<string>,
    response: Response,
    { cutAfterBytes, slow }: BodyFault,
    askedNs: number,
  ): number {
    const reader = bodyReader(response, {
      cutAfterBytes,
      countRecords: request.method === 'GET' && response.status === 200,
      pieceBytes: slow?.pieceBytes ?? PIECE_BYTES_MAX,
      readyNs: this.options.clock.nowNs(),
      causeOf: (error) => causeOf(error, request.url),
    });
    this.streams.set(++this.streamCount, {
      request,
      reader,
      watch: watchExchange(request, askedNs / NS_PER_MS),
      wireNs: slow?.wireNs ?? ((bytes) => this.wireNs(bytes)),
    });
    return this.streamCount;
  }

  private async readNext(
    number: number,
    done: (outcome: Piece | null | Failure) => void,
  ): Promise<void> {
    const { clock } = this.options;
    const stream = this.streams.get(number);
    if (stream === undefined) return done({ error: 'truncated' });
    const { atNs, outcome } = await nextOf(stream, clock, this.counted);
    clock.at(atNs, () => {
      stream.reader.readyNs = clock.nowNs();
      if (outcome === null || 'error' in outcome) {
        this.streams.delete(number);
        stream.reader.cancel();
      }
      done(outcome);
    });
  }

  private wireNs(bytes: number): number {
    return (bytes / this.options.link.bytesPerSecond) * 1e9;
  }

  private connectNs(url: string): number {
    const origin = new URL(url).origin;
    if (this.knownOrigins.has(origin)) return 0;
    this.knownOrigins.add(origin);
    return this.options.link.connectMs * NS_PER_MS;
  }
}

/** What the stream gives next, and when that is there. */
async function nextOf(
  { request, reader, watch, wireNs }: Stream,
  clock: DeviceClock,
  counters: NetworkCounters,
): Promise<{ readonly atNs: number; readonly outcome: Piece | null | Failure }> {
  const askedNs = clock.nowNs();
  const limitNs = watch.leftMs(askedNs / NS_PER_MS) * NS_PER_MS;
  const before = { bytes: reader.bytes, records: reader.recordBytes };
  const outcome = await clock.within(reader.next(), limitNs);
  const bytes = reader.bytes - before.bytes;
  // The sender is one piece ahead: it began to send when the last piece had arrived.
  const atNs = Math.max(reader.readyNs + wireNs(bytes), clock.nowNs());
  if (outcome === 'late' || atNs - askedNs > limitNs) {
    return { atNs: askedNs + limitNs, outcome: failure('timeout', request) };
  }
  watch.arrived(bytes, (atNs - askedNs) / NS_PER_MS);
  counters.bytesIn += bytes;
  counters.payloadBytesIn += reader.recordBytes - before.records;
  return { atNs, outcome };
}

/** The headers must be there by then. */
function headLimitMs({ timeoutMs, longestMs }: NetworkRequest<string>): number {
  return Math.min(timeoutMs, longestMs);
}

/** What a slow server sends in so long is read at once. */
const SLOW_PIECE_S = 10;

interface BodyFault {
  readonly cutAfterBytes: number;
  readonly slow?: Pick<Stream, 'wireNs'> & { readonly pieceBytes: number };
}

const WHOLE = { cutAfterBytes: Infinity, cutUploadAfterBytes: Infinity };

/** What a fault does to the bodies of an exchange. */
function bodyFault(fault: NetworkFault | null): BodyFault & { cutUploadAfterBytes: number } {
  if (fault === null || typeof fault === 'string') return WHOLE;
  if (!('bytesPerSecond' in fault)) return { ...WHOLE, ...fault };
  const { bytesPerSecond, stallMs = 0 } = fault;
  const pieceBytes = Math.ceil(bytesPerSecond * SLOW_PIECE_S);
  return {
    ...WHOLE,
    slow: {
      pieceBytes: Math.min(PIECE_BYTES_MAX, pieceBytes),
      wireNs: (bytes: number) => (bytes / bytesPerSecond) * 1e9 + stallMs * NS_PER_MS,
    },
  };
}
