// The device's network: bandwidth, latency and broken connections over the device's clock.
// Servers are fetch handlers; a body is pulled from them piece by piece, as the device asks for it, so the
// host holds one piece however long the body is. Redirects are returned as they are.
// Counted are the bytes of HTTP/1.1 as text: request or status line, header lines, empty line, body;
// what TLS and TCP add is not, nor the account manager's own traffic (identity.ts).

import type { Connection, NetworkRequest, PortErrorCode } from '../../platform/ports.ts';
import { causeOf } from '../../platform/web/network-cause.ts';
import { type DeviceClock, NS_PER_MS } from './clock.ts';
import { type BodyReader, bodyReader, type Piece } from './network-body.ts';

export type FetchHandler = (request: Request) => Promise<Response>;

export interface LinkProfile {
  readonly bytesPerSecond: number;
  readonly roundTripMs: number;
  /** What the first exchange with an origin costs beforehand (TCP and TLS handshakes). */
  readonly connectMs: number;
}

/**
 * What goes wrong with an exchange: no connection, a server that stays silent, or a connection that breaks
 * after this many bytes of the response (head included; the server has done its work).
 */
export type NetworkFault = 'refused' | 'silent' | { readonly cutAfterBytes: number };

export interface NetworkOptions {
  readonly clock: DeviceClock;
  readonly link: LinkProfile;
  readonly fetch: FetchHandler;
  readonly connection: () => Connection;
  /** Asked once per exchange; `index` counts them from 0 over all boots. */
  readonly fault?: ((index: number, request: NetworkRequest) => NetworkFault | null) | undefined;
}

export interface NetworkCounters {
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

export function createNetwork(options: NetworkOptions): DeviceNetwork {
  const { clock, link } = options;
  const counters: NetworkCounters = { requests: 0, bytesIn: 0, bytesOut: 0, payloadBytesIn: 0 };
  const streams = new Map<number, BodyReader>();
  const knownOrigins = new Set<string>();
  let streamCount = 0;

  const wireNs = (bytes: number) => (bytes / link.bytesPerSecond) * 1e9;
  const halfTripNs = (link.roundTripMs / 2) * NS_PER_MS;

  function connectNs(url: string): number {
    const origin = new URL(url).origin;
    if (knownOrigins.has(origin)) return 0;
    knownOrigins.add(origin);
    return link.connectMs * NS_PER_MS;
  }

  async function exchange(
    request: NetworkRequest,
    fault: NetworkFault | null,
    done: (outcome: ResponseHead | Failure) => void,
  ): Promise<void> {
    const startNs = clock.nowNs();
    const response = await options
      .fetch(toRequest(request))
      .catch(
        (error: unknown): Failure => ({ error: 'offline', text: causeOf(error, request.url) }),
      );
    if ('error' in response) return done(response);
    const headBytes = responseHeadBytes(response);
    const cutAfterBytes = typeof fault === 'object' && fault ? fault.cutAfterBytes : Infinity;
    counters.bytesIn += Math.min(headBytes, cutAfterBytes);
    clock.at(startNs + halfTripNs + wireNs(headBytes), () => {
      if (headBytes > cutAfterBytes) {
        response.body?.cancel().catch(() => undefined);
        return done(failure('offline', request));
      }
      const stream = ++streamCount;
      const reader = bodyReader(response, {
        cutAfterBytes: cutAfterBytes - headBytes,
        countRecords: request.method === 'GET' && response.status === 200,
        readyNs: clock.nowNs(),
        causeOf: (error) => causeOf(error, request.url),
      });
      streams.set(stream, reader);
      done({ stream, status: response.status, headers: [...response.headers] });
    });
  }

  return {
    request(request, done) {
      const index = counters.requests++;
      const fault = options.fault?.(index, request) ?? null;
      const nowNs = clock.nowNs();
      const isCut = options.connection() === 'none';
      if (isCut || fault === 'refused' || !URL.canParse(request.url)) {
        const offline = failure('offline', request, isCut ? NO_NETWORK : NOBODY_THERE);
        return clock.at(nowNs + halfTripNs, () => done(offline));
      }
      const bytes = requestBytes(request);
      counters.bytesOut += bytes;
      if (fault === 'silent') {
        return clock.at(nowNs + request.timeoutMs * NS_PER_MS, () =>
          done(failure('timeout', request)),
        );
      }
      const arrivalNs = nowNs + connectNs(request.url) + wireNs(bytes) + halfTripNs;
      clock.at(arrivalNs, () => exchange(request, fault, done));
    },

    read(stream, done) {
      clock.at(clock.nowNs(), async () => {
        const reader = streams.get(stream);
        if (reader === undefined) return done({ error: 'truncated' });
        const before = { bytes: reader.bytes, records: reader.recordBytes };
        const outcome = await reader.next();
        const bytes = reader.bytes - before.bytes;
        counters.bytesIn += bytes;
        counters.payloadBytesIn += reader.recordBytes - before.records;
        // The sender is one piece ahead: it began to send when the last piece had arrived.
        clock.at(reader.readyNs + wireNs(bytes), () => {
          reader.readyNs = clock.nowNs();
          if (outcome === null || 'error' in outcome) streams.delete(stream);
          done(outcome);
        });
      });
    },

    close(stream) {
      streams.get(stream)?.cancel();
      streams.delete(stream);
    },

    reset() {
      for (const reader of streams.values()) reader.cancel();
      streams.clear();
      knownOrigins.clear();
    },

    counters: () => ({ ...counters }),
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
