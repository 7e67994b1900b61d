// An Open Web Apps sync server: one fetch handler for the login, a document of each user, and the
// page that logs a user in from a frame. Documents stream through it in both directions. It reads
// what it keeps, since it merges it.

import { StorageError } from '../../../platform/storage-rules.ts';
import {
  bodyOf,
  type Handler,
  type HeaderValues,
  type Health,
  HttpError,
  pathSegments,
  textOf,
} from '../http.ts';
import { holderOf, renewed } from './auth.ts';
import { type DocumentOptions, Documents } from './document.ts';
import { OWA_LIMITS } from './limits.ts';
import { loginPages } from './login-page.ts';
import { refusal, tooLarge } from './refusals.ts';
import type { Head } from './rows.ts';
import { failure, type VerifyOptions, verify, whitelist } from './verify.ts';

export interface OwaOptions extends VerifyOptions, DocumentOptions {
  /** Without a trailing slash. */
  readonly baseUrl: string;
  /** Origins of the whitelist, besides the server's own. */
  readonly audiences?: readonly string[];
  /** Where a client logs in, below `baseUrl`; `/verify` by default. */
  readonly verifyPath?: string;
  /** Asked at every request. */
  health?(): Pick<Health, 'backoffSeconds'> & { readonly refuse?: 503 };
}

interface Answer {
  readonly status: number;
  readonly headers?: HeaderValues;
  readonly json?: object;
  /** In the place of `json`. */
  readonly text?: string;
  /** In the place of `json`. */
  readonly stream?: AsyncIterable<Uint8Array>;
}

/** Errors: RangeError for an audience that is no origin. */
export function createOwa(options: OwaOptions): Handler {
  const server = new OwaServer(options);
  return (request) => server.handle(request);
}

const VERIFY_PATH = '/verify';
const SERVICE = 'owa-sync';
const FORM_BYTES_MAX = 65_536;
const RETRY_SECONDS = 60;
const METHODS = 'GET, HEAD, POST, PUT, OPTIONS';

class OwaServer {
  readonly #options: OwaOptions;
  readonly #base: URL;
  readonly #origins: readonly string[];
  readonly #documents: Documents;
  readonly #pages: ReturnType<typeof loginPages>;

  constructor(options: OwaOptions) {
    this.#options = options;
    this.#base = new URL(options.baseUrl);
    this.#origins = whitelist(this.#base.origin, options.audiences ?? []);
    this.#documents = new Documents(options);
    this.#pages = loginPages({ ...options, origins: this.#origins });
  }

  async handle(request: Request): Promise<Response> {
    const { backoffSeconds, refuse } = this.#options.health?.() ?? {};
    const answered = async () => {
      if (refuse) throw refusal('overloaded');
      return this.#answer(request);
    };
    const answer = await answered().catch(refused);
    const isOverloaded = answer.status === 503;
    const seconds = backoffSeconds ?? (isOverloaded ? RETRY_SECONDS : null);
    const more: Record<string, string> = seconds === null ? {} : { 'X-Backoff': `${seconds}` };
    if (isOverloaded) more['Retry-After'] = `${seconds}`;
    return this.#inWords(request, answer, more);
  }

  #inWords({ method }: Request, answer: Answer, more: HeaderValues): Response {
    const { status, json, text = JSON.stringify(json), stream } = answer;
    const nowMs = this.#options.nowMs();
    const headers = new Headers({ 'X-Timestamp': seconds(nowMs), ...answer.headers, ...more });
    headers.set('Cache-Control', 'private, no-store');
    if (status === 204) {
      headers.set('Content-Length', '0');
      return new Response(null, { status, headers });
    }
    if (!headers.has('Content-Type')) headers.set('Content-Type', 'application/json');
    if (method === 'HEAD') return new Response(null, { status, headers });
    return new Response(stream ? bodyOf(stream) : text, { status, headers });
  }

  async #answer(request: Request): Promise<Answer> {
    const url = new URL(request.url);
    const { verifyPath = VERIFY_PATH } = this.#options;
    const isOwn = url.origin === this.#base.origin;
    const path = isOwn ? pathSegments(url, this.#base) : null;
    if (path !== null && `/${path.join('/')}` === verifyPath) return this.#verify(request, url);
    const page = this.#pages.get(path?.join('/') ?? '');
    if (page !== undefined) return pageAnswer(request, page);
    const [kind, user, ...rest] = path ?? [];
    if (kind !== 'apps' || user === undefined || rest.length > 0) throw refusal('not-found');
    return this.#resource(request, user);
  }

  async #verify(request: Request, url: URL): Promise<Answer> {
    const services = url.searchParams.getAll('service');
    if (services.some((name) => name !== SERVICE)) return failure(404, 'no such service');
    if (request.method === 'OPTIONS') return { status: 204, headers: { Allow: 'POST, OPTIONS' } };
    if (request.method !== 'POST')
      return { ...failure(405, 'a POST is wanted'), headers: { Allow: 'POST, OPTIONS' } };
    const text = await textOf(request, FORM_BYTES_MAX).catch((error: unknown) => {
      if (error instanceof RangeError) return null;
      throw error;
    });
    if (text === null) return failure(413, `the form has more than ${FORM_BYTES_MAX} bytes`);
    const placeOf = (user: string) => `${this.#options.baseUrl}/apps/${user}`;
    return verify(new URLSearchParams(text), this.#origins, placeOf, this.#options);
  }

  async #resource(request: Request, user: string): Promise<Answer> {
    const { method, headers } = request;
    if (method === 'OPTIONS') return { status: 204, headers: { Allow: METHODS } };
    const holder = holderOf(headers.get('authorization'), this.#options);
    if (holder?.user !== user) throw refusal('unauthorized');
    const answer = await this.#documentAnswer(request, user);
    const auth = renewed(holder, this.#options);
    if (auth === null) return answer;
    return { ...answer, headers: { ...answer.headers, 'X-Authorization-Update': auth } };
  }

  #documentAnswer(request: Request, user: string): Promise<Answer> {
    switch (request.method) {
      case 'GET':
      case 'HEAD':
        return this.#get(request, user);
      case 'POST':
      case 'PUT':
        return this.#post(request, user);
      default:
        throw refusal('method-not-allowed', {}, { Allow: METHODS });
    }
  }

  async #get({ headers }: Request, user: string): Promise<Answer> {
    const since = secondsIn(headers, 'x-if-modified-since');
    const head = await this.#documents.head(user);
    const isKnown = since !== null && head.modifiedMs / 1000 <= since;
    const times = this.#times(head);
    if (isKnown) return { status: 204, headers: times };
    return { status: 200, headers: times, stream: this.#documents.pieces(user) };
  }

  async #post(request: Request, user: string): Promise<Answer> {
    const since = secondsIn(request.headers, 'x-if-unmodified-since');
    const said: HeaderValues = since === null ? {} : { 'X-Precondition': 'checked' };
    const check = (head: Head): void => {
      if (since !== null && head.modifiedMs / 1000 > since)
        throw refusal('precondition-failed', {}, { ...this.#times(head), ...said });
    };
    check(await this.#documents.head(user));
    const { documentBytesMax } = { ...OWA_LIMITS, ...this.#options.limits };
    const announced = Number(request.headers.get('content-length') ?? 0);
    if (announced > documentBytesMax) throw tooLarge('document', documentBytesMax);
    const pieces = decoded(request, documentBytesMax);
    const { head, carried, skipped } = await this.#documents.post(user, pieces, check);
    const headers = { ...this.#times(head), ...said };
    const isNamed = carried.length + skipped.length > 0;
    return isNamed
      ? { status: 200, headers, json: { carried, skipped } }
      : { status: 204, headers };
  }

  /** Of an answer about a document: now is never before its last change. */
  #times({ modifiedMs }: Head): HeaderValues {
    return {
      'X-Timestamp': seconds(Math.max(this.#options.nowMs(), modifiedMs)),
      'X-Last-Modified': modifiedMs === 0 ? '0' : seconds(modifiedMs),
    };
  }
}

function pageAnswer({ method }: Request, page: Pick<Required<Answer>, 'headers' | 'text'>): Answer {
  const Allow = 'GET, HEAD';
  if (method !== 'GET' && method !== 'HEAD') throw refusal('method-not-allowed', {}, { Allow });
  return { status: 200, ...page };
}

/** What is thrown becomes an answer, unless it is a fault of ours. */
function refused(error: unknown): Answer {
  if (error instanceof HttpError) return { ...error, json: error.json as object };
  // What cannot be kept now may be later.
  if (error instanceof StorageError) return refused(refusal('overloaded'));
  throw error;
}

function seconds(timeMs: number): string {
  return (timeMs / 1000).toFixed(3);
}

/** A time in a header, in quotes or not; null: it is not there. Errors: HttpError 400. */
function secondsIn(headers: Headers, name: string): number | null {
  const text = headers.get(name);
  if (text === null) return null;
  const [, quoted = text] = /^"\s*(.*?)\s*"$/.exec(text) ?? [];
  if (!/^\d{1,20}(\.\d{1,20})?$/.test(quoted)) throw refusal('bad-header', { field: name });
  return Number(quoted);
}

/** A body's text. Errors: HttpError 400 for what is no UTF-8, 413. */
async function* decoded({ body }: Request, bytesMax: number): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (bytes?: Uint8Array): string => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch {
      throw refusal('bad-json', { reason: 'it is not UTF-8' });
    }
  };
  let length = 0;
  for await (const bytes of body ?? []) {
    length += (bytes as Uint8Array).length;
    if (length > bytesMax) throw tooLarge('document', bytesMax);
    yield decode(bytes as Uint8Array);
  }
  yield decode();
}
