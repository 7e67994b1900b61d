// One authenticated exchange with the user's server: sends, notes what the server says beside its
// answer, renews a refused authorization once, and turns transport failures into SyncErrors. What a
// status means is the protocol's to say (`judge`).
// Follows no redirect, keeps no cookie, and sends credentials to the configured server only.

import type {
  Header,
  NetworkRequest,
  NetworkResponse,
  Platform,
  StreamedBody,
} from '../../platform/ports.ts';
import { ported, SyncError, type SyncErrorCode } from '../errors.ts';
import { EXCHANGE_LIMITS, STALL_MS_MAX, UPLOAD_MS_PER_CHAR } from '../limits.ts';
import { dateHeaderMs, decimalHeader, header, headerMs, waitHeader } from './headers.ts';

/**
 * Set by whoever wants the pass to end; looked at before every request and every piece of an
 * answer.
 */
export interface Abort {
  aborted: boolean;
  /**
   * How long the server has been waited for since the last progress; whoever makes some sets it to
   * 0.
   */
  waitedMs?: number;
}

/** What the server says beside its answers; the pass reads it after each request. */
export interface ServerNotes {
  requests: number;
  /** Largest wait asked for so far in this pass. */
  waitMs: number;
  alert: string | null;
  /** The service ends: `Alert` with code `hard-eol`. */
  gone: boolean;
  quotaRemainingBytes: number | null;
  /** The server's time at its last answer; 0 while it has not said. */
  serverNowMs: number;
}

export interface Exchange {
  readonly method: NetworkRequest['method'];
  readonly url: string;
  readonly headers?: readonly Header[];
  /** One that is made while it goes up comes from body.ts, and is made anew if it is sent again. */
  readonly body?: string | StreamedBody;
}

export interface Answer {
  readonly status: number;
  readonly headers: readonly Header[];
  /** The server's time when it answered; null: it does not say. */
  readonly serverNowMs: number | null;
  /** SyncError `truncated`, `timeout`, `badResponse` (not UTF-8), `aborted`. */
  read(): Promise<string | null>;
  cancel(): void;
  /** For whoever takes a long body apart: the device does other work. */
  pause(): Promise<void>;
}

/** The header of a JSON body. */
export const JSON_BODY: Header = ['Content-Type', 'application/json'];

export interface Http {
  /** Any status is an answer, except a redirect and what the protocol's `judge` refuses. */
  send(exchange: Exchange): Promise<Answer>;
}

/** The headers by which servers say more than their answer: see `notedHeaders`. */
interface NotedHeaders {
  readonly time: string;
  /** What a header says, by its name on the wire. */
  readonly names: ReadonlyMap<string, string>;
}

export interface HttpOptions {
  readonly platform: Platform;
  /** The headers that prove who asks; `fresh` after the server refused the last ones. */
  readonly authorize: (fresh: boolean, exchange: Exchange) => Promise<readonly Header[]>;
  /**
   * What an answer means in this protocol whatever was asked for: the error that it ends with, or
   * null where it is for the caller to read. May read an answer that it refuses.
   */
  readonly judge: (answered: Answer) => SyncError | null | Promise<SyncError | null>;
  /** What is read beside an answer. Left out: what all servers may say. */
  readonly noted?: NotedHeaders;
  readonly notes: ServerNotes;
  readonly abort: Abort;
}

export function createHttp(options: HttpOptions): Http {
  const once = async (exchange: Exchange, fresh: boolean): Promise<Answer> => {
    const authorization = await ported(options.authorize(fresh, exchange));
    stopIfAborted(options.abort);
    options.notes.requests++;
    const { headers = [], body } = exchange;
    const chars = typeof body === 'string' ? body.length : 0;
    const response = await waited(
      options.platform.network.request({
        ...EXCHANGE_LIMITS,
        ...exchange,
        headers: [...authorization, ...headers],
        timeoutMs: EXCHANGE_LIMITS.timeoutMs + chars * UPLOAD_MS_PER_CHAR,
      }),
      options,
    );
    return answer(response, note(options, response), options);
  };
  return {
    async send(exchange) {
      let answered = await once(exchange, false);
      if (answered.status === 401) {
        answered.cancel();
        answered = await once(exchange, true);
      }
      const refused = await options.judge(answered);
      if (refused !== null) throw refused;
      if (isElsewhere(answered.status)) throw refusalOf(answered, 'badResponse', 'sync');
      return answered;
    },
  };
}

/**
 * The error for an answer that nobody reads any further: `code` is what its status means, `what`
 * was asked for. Gives the answer up.
 */
export function refusalOf(answered: Answer, code: SyncErrorCode, what: string): SyncError {
  answered.cancel();
  const { status } = answered;
  const did = isElsewhere(status) ? 'sends elsewhere' : 'answered';
  return new SyncError(code, `${what}: the server ${did} with status ${status}`, { status });
}

function isElsewhere(status: number): boolean {
  return status < 200 || (status >= 300 && status < 400 && status !== 304);
}

/** Errors: `aborted`, `timeout`. What is under way then is given up. */
export function stopIfAborted(
  { aborted, waitedMs = 0 }: Abort,
  response?: { cancel(): void },
): void {
  if (!aborted && waitedMs <= STALL_MS_MAX) return;
  response?.cancel();
  throw new SyncError(aborted ? 'aborted' : 'timeout', 'the pass is given up');
}

/**
 * What `work` resolves to, its time counted. A clock that jumps meanwhile is no time that was
 * waited.
 */
async function waited<T>(work: Promise<T>, { abort, platform }: HttpOptions): Promise<T> {
  const { clock } = platform;
  const fromMs = clock.nowMs();
  const result = await ported(work);
  const ms = Math.max(clock.nowMs() - fromMs, 0);
  abort.waitedMs = (abort.waitedMs ?? 0) + Math.min(ms, EXCHANGE_LIMITS.timeoutMs);
  return result;
}

function answer(
  response: NetworkResponse,
  serverNowMs: number | null,
  options: HttpOptions,
): Answer {
  return {
    status: response.status,
    headers: response.headers,
    serverNowMs,
    async read() {
      stopIfAborted(options.abort, response);
      return waited(response.read(), options);
    },
    cancel: () => response.cancel(),
    pause: () => options.platform.clock.pause(),
  };
}

/** Headers by which a server asks to wait, and what else it may say. */
const WAITS = ['backoff', 'retry-after'];
const NAMES = [...WAITS, 'alert', 'quota-remaining'];

/**
 * `time`: the header of the server's time in seconds, where it says more than `Date`. `prefixes`:
 * what may stand before the names that all servers have; nothing, where they are read as they are.
 */
export function notedHeaders(time: string, ...prefixes: readonly string[]): NotedHeaders {
  const named = prefixes.flatMap((prefix) => NAMES.map((name) => [prefix + name, name] as const));
  return { time, names: new Map(named) };
}

const NOTED = notedHeaders('', '');

/** The server's time, if the answer says it. */
function note(
  { notes, platform, noted: { time, names } = NOTED }: HttpOptions,
  { headers }: NetworkResponse,
): number | null {
  const serverMs = headerMs(headers, time) ?? dateHeaderMs(headers);
  notes.serverNowMs = serverMs ?? notes.serverNowMs;
  const said: Header[] = [];
  for (const one of headers) {
    const name = names.get(one[0]);
    if (name !== undefined) said.push([name, one[1]]);
  }
  // Most answers have nothing of that.
  if (said.length > 0) noteSaid(notes, said, serverMs ?? platform.clock.nowMs());
  return serverMs;
}

/** What was said beside an answer, or a part of it, under the names that all servers have. */
export function noteSaid(notes: ServerNotes, said: readonly Header[], nowMs: number): void {
  for (const name of WAITS) notes.waitMs = Math.max(notes.waitMs, waitHeader(said, name, nowMs));
  const alert = header(said, 'alert');
  if (alert !== null) {
    notes.alert = alert.slice(0, 500);
    if (/"code"\s*:\s*"hard-eol"/.test(alert)) notes.gone = true;
  }
  const quotaKb = decimalHeader(said, 'quota-remaining');
  if (quotaKb !== null) notes.quotaRemainingBytes = Math.floor(quotaKb * 1024);
}
