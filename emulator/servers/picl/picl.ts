// A PiCL storage (Mozilla's proposal of a Queue-Sync storage API): one fetch handler over logs of
// changes. The login gives a pass; every other request proves itself by it. What one answer says is
// one state of a collection, and its entity tag is of that state.

import type { Handler, HeaderValues, Health } from '../http.ts';
import { HttpError, pathSegments } from '../http.ts';
import type { ServerStorage } from '../storage/server-storage.ts';
import { Access, type AccessOptions, FORGOTTEN_AFTER_MS, wasTaken } from './access.ts';
import { BODY_BYTES_MAX, isName } from './changes.ts';
import { type Answer, answerTo, type CollectionOptions } from './collection.ts';
import { keptLogs, type Logs } from './log.ts';
import { type LoginOptions, login } from './login.ts';
import { takeOnce } from './once.ts';
import { refusal } from './refusals.ts';

export interface PiclOptions extends LoginOptions, AccessOptions, CollectionOptions {
  /** Where the login is; without a trailing slash. */
  readonly baseUrl: string;
  readonly storage: ServerStorage;
  /** The names of what it holds. */
  readonly collections?: readonly string[];
  /** By name: where a collection is, if it is not below `baseUrl`. */
  readonly places?: ReadonlyMap<string, string>;
  nowMs(): number;
  /** Asked at every request. */
  health?(): Pick<Health, 'backoffSeconds'> & { readonly refuse?: 503 };
}

/** All that a Kitsync has, and where devices tell each other what they have seen. */
const PICL_COLLECTIONS: readonly string[] = [
  ...['addons', 'addresses', 'bookmarks', 'clients', 'contacts', 'creditcards', 'forms'],
  ...['history', 'meta', 'passwords', 'prefs', 'settings', 'tabs'],
];

const RETRY_SECONDS = '60';

/** Errors: RangeError for a name that a collection cannot have. */
export function createPicl(options: PiclOptions): Handler {
  const server = new PiclServer(options);
  return (request) => server.handle(request);
}

class PiclServer {
  readonly #options: PiclOptions;
  readonly #access: Access;
  readonly #logs: Logs;
  /** By collection, where it is. */
  readonly #places: ReadonlyMap<string, URL>;
  readonly #base: URL;

  constructor(options: PiclOptions) {
    const { collections = PICL_COLLECTIONS, places } = options;
    const bad = collections.find((name) => !isName(name));
    if (bad !== undefined) throw new RangeError(`no name for a collection: ${bad}`);
    this.#options = options;
    this.#base = new URL(options.baseUrl);
    this.#access = new Access(options);
    this.#logs = keptLogs(options.storage);
    this.#places = new Map(
      collections.map((name) => [name, new URL(places?.get(name) ?? options.baseUrl)]),
    );
  }

  async handle(request: Request): Promise<Response> {
    const { backoffSeconds, refuse } = this.#options.health?.() ?? {};
    const body = new Uint8Array(await request.arrayBuffer());
    const more: HeaderValues =
      backoffSeconds === undefined ? {} : { 'X-Backoff': String(backoffSeconds) };
    try {
      if (refuse) throw refusal('overloaded', {}, { 'Retry-After': RETRY_SECONDS });
      return inWords(request, await this.#answer(request, body), more);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return inWords(request, error, more);
    }
  }

  async #answer(request: Request, body: Uint8Array): Promise<Answer> {
    const url = new URL(request.url);
    const isLogin = isAt(url, this.#base) && pathSegments(url, this.#base)?.length === 0;
    if (isLogin) return this.#login(request, textOf(body));
    const { user, unsigned } = this.#access.askerOf(request, url, body);
    const { owner, name, path } = this.#targetOf(url);
    if (owner !== user) throw refusal('unauthorized', {}, { 'WWW-Authenticate': 'Hawk' });
    if (unsigned !== null) {
      const untilMs = this.#options.nowMs() - FORGOTTEN_AFTER_MS;
      if (!(await takeOnce(this.#options.storage, user, unsigned, untilMs))) throw wasTaken();
    }
    if (body.length > BODY_BYTES_MAX) throw refusal('too-large', { bytesMax: BODY_BYTES_MAX });
    const { method, headers } = request;
    const asked = { method, headers, path, query: url.searchParams, text: textOf(body), name };
    return answerTo(asked, this.#logs, user, this.#options);
  }

  async #login(request: Request, text: string): Promise<Answer> {
    if (request.method !== 'POST') throw refusal('method-not-allowed', {}, { Allow: 'POST' });
    const placesOf = (user: string) =>
      new Map(
        Array.from(this.#places, ([name, place]) => [name, `${placeUrl(place)}/${user}/${name}`]),
      );
    const json = await login(request, text, this.#base, placesOf, this.#options);
    return { status: 200, json };
  }

  /** Errors: HttpError 404. */
  #targetOf(url: URL): { owner: string; name: string; path: readonly string[] } {
    for (const [name, place] of this.#places) {
      const [owner, asked, ...path] = (isAt(url, place) && pathSegments(url, place)) || [];
      if (owner !== undefined && asked === name) return { owner, name, path };
    }
    throw refusal('no-such-collection');
  }
}

function isAt(url: URL, place: URL): boolean {
  return url.origin === place.origin;
}

function placeUrl({ href }: URL): string {
  return href.replace(/\/$/, '');
}

function textOf(body: Uint8Array): string {
  return Buffer.from(body).toString('utf8');
}

function inWords({ method }: Request, answer: Answer | HttpError, more: HeaderValues): Response {
  const { status, json } = answer;
  const headers = new Headers({ ...answer.headers, ...more });
  headers.set('Cache-Control', 'private, no-cache');
  const isEmpty = json === undefined || status === 204 || status === 304;
  if (isEmpty) return new Response(null, { status, headers });
  headers.set('Content-Type', 'application/json');
  const text = typeof json === 'string' ? json : JSON.stringify(json);
  return new Response(method === 'HEAD' ? null : text, { status, headers });
}
