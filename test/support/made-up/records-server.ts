// A made-up server of records, with what Kinto has and Sync has not: a version is a text that says
// nothing, a deletion is a tombstone of the server's own, and a refused write comes with the copy
// that the server holds. It never looks into a payload.

import { createHash } from 'node:crypto';
import {
  authorization,
  HttpError,
  isObject,
  jsonResponse,
  parseObject,
  pathSegments,
} from '../../../emulator/servers/http.ts';
import { noTrouble, serverOf } from './server.ts';

/** As it goes over the wire. */
type StoredRecord =
  | { readonly id: string; readonly last_modified: string; readonly payload: string }
  | { readonly id: string; readonly last_modified: string; readonly deleted: true };

interface Collection {
  /** The version in which it was made: another one, and it is another collection. */
  readonly created: string;
  /** Tombstones too, the one changed last at the end. */
  readonly records: Map<string, StoredRecord>;
  etag: string;
}

/** A request, or one of a batch: header names in lower case. */
interface Part {
  readonly method: string;
  readonly path: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: { readonly [member: string]: unknown };
}

const ID = /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}$/;
const URL_BASE = 'https://records.test/v1';

/** A server that holds nothing yet. */
export class RecordsServer {
  readonly url = URL_BASE;
  readonly trouble = noTrouble();
  /** What every request must bear. */
  token = 'token';
  /** Records of a page, and requests of a batch. */
  readonly limits = { page: 5, batch: 4 };
  readonly #collections = new Map<string, Collection>();
  /** The order of all versions there ever were, which is nobody's business but the server's. */
  readonly #order = new Map<string, number>();

  readonly fetch = serverOf(this.trouble, 'Backoff', async (request) => {
    if (authorization(request).value !== this.token) throw new HttpError(401, { errno: 104 });
    const body = parseObject(await request.text()) ?? {};
    const { method, url } = request;
    const path = url.slice(URL_BASE.length);
    const headers = Object.fromEntries(request.headers);
    if (path !== '/batch') return this.#route({ method, path, headers, body });
    return this.#batch(Array.isArray(body.requests) ? body.requests : []);
  });

  records(collection: string): readonly StoredRecord[] {
    return [...(this.#collections.get(collection)?.records.values() ?? [])];
  }

  /** Another client's write, or its deletion (null). */
  write(name: string, id: string, payload: string | null): StoredRecord {
    const collection = this.#collections.get(name) ?? this.flush(name);
    const last_modified = this.#version();
    const record: StoredRecord =
      payload === null ? { id, last_modified, deleted: true } : { id, last_modified, payload };
    collection.records.delete(id);
    collection.records.set(id, record);
    collection.etag = last_modified;
    return record;
  }

  /** Deletes the collection and makes it anew, empty. */
  flush(name: string): Collection {
    const created = this.#version();
    const collection = { created, records: new Map(), etag: created };
    this.#collections.set(name, collection);
    return collection;
  }

  #version(): string {
    const made = createHash('sha1').update(`${this.#order.size}`).digest('hex').slice(0, 8);
    this.#order.set(made, this.#order.size);
    return made;
  }

  #route(part: Part): Response {
    const url = new URL(`${URL_BASE}${part.path}`);
    const [root, name, kind, id] = pathSegments(url, new URL(URL_BASE)) ?? [];
    if (root !== 'collections') throw new HttpError(404, { errno: 111 });
    if (name === undefined) {
      const all = [...this.#collections];
      const data = all.map(([id, { created, etag }]) => ({ id, created, etag }));
      return jsonResponse(200, { data, batch_max_requests: this.limits.batch });
    }
    if (kind !== 'records') throw new HttpError(404, { errno: 111 });
    if (id !== undefined) return this.#change(part, name, id);
    return this.#list(url, this.#collections.get(name) ?? this.flush(name));
  }

  #list(url: URL, { records, etag }: Collection): Response {
    const since = url.searchParams.get('_since');
    const after = since === null ? -1 : this.#order.get(since);
    if (after === undefined) throw new HttpError(400, { errno: 107, message: '_since' });
    const newer = [...records.values()].filter(
      ({ last_modified }) => (this.#order.get(last_modified) ?? 0) > after,
    );
    const data = newer.slice(0, this.limits.page);
    const next =
      data.length < newer.length ? { 'Next-Since': `${data.at(-1)?.last_modified}` } : {};
    return jsonResponse(200, { data }, { ETag: etag, ...next });
  }

  #change({ method, headers, body }: Part, name: string, id: string): Response {
    if (this.trouble.readOnly.has(name)) throw new HttpError(403, { errno: 121 });
    if (!ID.test(id)) throw new HttpError(400, { errno: 107, message: 'id' });
    const existing = this.#collections.get(name)?.records.get(id);
    const isHeld = existing !== undefined && !('deleted' in existing);
    const { 'if-match': match, 'if-none-match': none } = headers;
    if (match === undefined ? none !== '*' || isHeld : existing?.last_modified !== match) {
      throw new HttpError(412, { errno: 114, details: existing ? { existing } : {} });
    }
    if (method === 'DELETE') return jsonResponse(200, { data: this.write(name, id, null) });
    const payload = isObject(body.data) ? body.data.payload : undefined;
    if (typeof payload !== 'string') throw new HttpError(400, { errno: 107, message: 'payload' });
    return jsonResponse(isHeld ? 200 : 201, { data: this.write(name, id, payload) });
  }

  /** One part's refusal stops no other. */
  async #batch(parts: readonly Part[]): Promise<Response> {
    if (parts.length > this.limits.batch) throw new HttpError(400, { errno: 107 });
    const responses = [];
    for (const part of parts) {
      const run = serverOf(noTrouble(), '', async () => this.#route(part));
      const answer = await run(new Request(URL_BASE));
      responses.push({ status: answer.status, body: await answer.json() });
    }
    return jsonResponse(200, { responses });
  }
}
