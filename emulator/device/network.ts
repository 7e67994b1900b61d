// The device's network: bandwidth, latency and broken connections over the device's clock.
// Servers are fetch handlers; a body is pulled from them piece by piece, as the device asks for it,
// so the host holds one piece however long the body is. Redirects are returned as they are. Counted
// are the bytes of HTTP/1.1 as text: request or status line, header lines, empty line, body; what
// TLS and TCP add is not, nor the account manager's own traffic (identity.ts).

import { type ExchangeWatch, watchExchange } from '../../platform/exchange-limits.ts';
import type { Connection, NetworkRequest, PortErrorCode } from '../../platform/ports.ts';
import { causeOf } from '../../platform/web/network-cause.ts';
import { type DeviceClock, NS_PER_MS } from './clock.ts';
import { type BodyReader, bodyReader, PIECE_BYTES_MAX, type Piece } from './network-body.ts';

export type FetchHandler = (request: Request) => Promise<Response>;

interface LinkProfile {
  readonly bytesPerSecond: number;
  readonly roundTripMs: number;
  /** What the first exchange with an origin costs beforehand (TCP and TLS handshakes). */
  readonly connectMs: number;
}

/**
 * What goes wrong with an exchange: no connection, a server that stays silent, a connection that
 * breaks after this many bytes of the response (head included; the server has done its work), or a
 * server that sends its body slowly, with a stall before each piece.
 */
export type NetworkFault =
  | 'refused'
  | 'silent'
  | { readonly cutAfterBytes: number }
  | { readonly bytesPerSecond: number; readonly stallMs?: number };

export interface NetworkOptions {
  readonly clock: DeviceClock;
  readonly link: LinkProfile;
  readonly fetch: FetchHandler;
  readonly connection: () => Connection;
  /** Asked once per exchange; `index` counts them from 0 over all boots. */
  readonly fault?: ((index: number, request: NetworkRequest) => NetworkFault | null) | undefined;
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
type Failure = { readonly error: PortErrorCode; readonly text?: string };

export interface DeviceNetwork {
  /** `done` is called in an event of the clock, once. */
  request(request: NetworkRequest, done: (outcome: ResponseHead | Failure) => void): void;
  /** The next piece of a stream, null at its end. */
  read(stream: number, done: (outcome: Piece | null | Failure) => void): void;
  /** Gives a stream up; unknown and finished ones are ignored. */
  close(stream: number): void;
  /** Power loss: every connection is gone. */
  reset(): void;
  counters(): NetworkCounters;
}

/** A failed exchange, with what lies below it. */
function failure(error: PortErrorCode, { url }: NetworkRequest, below?: unknown): Failure {
  return { error, text: causeOf(below, url) };
}

const NO_NETWORK = Object.assign(new Error(), { code: 'ENETUNREACH' });
const NOBODY_THERE = Object.assign(new Error(), { code: 'ECONNREFUSED' });

/** One exchange whose body is read. */
interface Stream {
  readonly request: NetworkRequest;
  readonly reader: BodyReader;
  readonly watch: ExchangeWatch;
  readonly wireNs: (bytes: number) => number;
}

export function createNetwork(options: NetworkOptions): DeviceNetwork {
  return new Network(options);
}

class Network implements DeviceNetwork {
  private readonly options: NetworkOptions;
  private readonly counted: NetworkCounters = {
    requests: 0,
    bytesIn: 0,
    bytesOut: 0,
    payloadBytesIn: 0,
  };
  private readonly streams = new Map<number, Stream>();
  private streamCount = 0;
  private readonly knownOrigins = new Set<string>();
  private readonly halfTripNs: number;

  constructor(options: NetworkOptions) {
    this.options = options;
    this.halfTripNs = (options.link.roundTripMs / 2) * NS_PER_MS;
  }

  request(request: NetworkRequest, done: (outcome: ResponseHead | Failure) => void): void {
    const { clock, connection, fault: faultOf } = this.options;
    const fault = faultOf?.(this.counted.requests, request) ?? null;
    this.counted.requests++;
    const nowNs = clock.nowNs();
    const isCut = connection() === 'none';
    if (isCut || fault === 'refused' || !URL.canParse(request.url)) {
      const offline = failure('offline', request, isCut ? NO_NETWORK : NOBODY_THERE);
      clock.at(nowNs + this.halfTripNs, () => done(offline));
      return;
    }
    const bytes = requestBytes(request);
    this.counted.bytesOut += bytes;
    const endNs = nowNs + headLimitMs(request) * NS_PER_MS;
    const wayNs = this.connectNs(request.url) + this.wireNs(bytes) + this.halfTripNs;
    if (fault === 'silent' || nowNs + wayNs > endNs)
      clock.at(endNs, () => done(failure('timeout', request)));
    else clock.at(nowNs + wayNs, () => this.exchange(request, fault, nowNs, done));
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
    this.streams.clear();
    this.knownOrigins.clear();
  }

  counters(): NetworkCounters {
    return { ...this.counted };
  }

  /** The request is there: the answer's head, or what became of it. */
  private async exchange(
    request: NetworkRequest,
    fault: NetworkFault | null,
    askedNs: number,
    done: (outcome: ResponseHead | Failure) => void,
  ): Promise<void> {
    const { clock, fetch } = this.options;
    const startNs = clock.nowNs();
    const endNs = askedNs + headLimitMs(request) * NS_PER_MS;
    const timedOut = (): void => done(failure('timeout', request));
    const answered = fetch(toRequest(request)).catch((error: unknown) =>
      failure('offline', request, error),
    );
    const response = await clock.within(answered, endNs - startNs);
    if (response === 'late') return timedOut();
    if ('error' in response) return done(response);
    const headBytes = responseHeadBytes(response);
    const body = bodyFault(fault);
    const arrivalNs = startNs + this.halfTripNs + this.wireNs(headBytes);
    if (arrivalNs > endNs) return clock.at(endNs, timedOut);
    this.counted.bytesIn += Math.min(headBytes, body.cutAfterBytes);
    clock.at(arrivalNs, () => {
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
    request: NetworkRequest,
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
function headLimitMs({ timeoutMs, longestMs }: NetworkRequest): number {
  return Math.min(timeoutMs, longestMs);
}

/** What a slow server sends in so long is read at once. */
const SLOW_PIECE_S = 10;

interface BodyFault {
  readonly cutAfterBytes: number;
  readonly slow?: Pick<Stream, 'wireNs'> & { readonly pieceBytes: number };
}

/** What a fault does to the body of an answer. */
function bodyFault(fault: NetworkFault | null): BodyFault {
  if (fault === null || typeof fault === 'string') return { cutAfterBytes: Infinity };
  if ('cutAfterBytes' in fault) return fault;
  const { bytesPerSecond, stallMs = 0 } = fault;
  const pieceBytes = Math.ceil(bytesPerSecond * SLOW_PIECE_S);
  return {
    cutAfterBytes: Infinity,
    slow: {
      pieceBytes: Math.min(PIECE_BYTES_MAX, pieceBytes),
      wireNs: (bytes: number) => (bytes / bytesPerSecond) * 1e9 + stallMs * NS_PER_MS,
    },
  };
}

function toRequest(request: NetworkRequest): Request {
  return new Request(request.url, {
    method: request.method,
    headers: request.headers.map(([name, value]): [string, string] => [name, value]),
    redirect: 'manual',
    ...(request.body === undefined ? {} : { body: request.body }),
  });
}

function requestBytes(request: NetworkRequest): number {
  const url = new URL(request.url);
  const bodyBytes = Buffer.byteLength(request.body ?? '');
  const line = `${request.method} ${url.pathname}${url.search} HTTP/1.1\r\n`;
  const framing: [string, string][] = [['host', url.host]];
  if (bodyBytes > 0) framing.push(['content-length', String(bodyBytes)]);
  return line.length + headerBytes([...framing, ...request.headers]) + bodyBytes;
}

function responseHeadBytes(response: Response): number {
  const line = `HTTP/1.1 ${response.status} ${response.statusText}\r\n`;
  return line.length + headerBytes([...response.headers]);
}

/** The header lines and the empty line behind them. */
function headerBytes(headers: readonly (readonly [name: string, value: string])[]): number {
  return headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 2);
}
