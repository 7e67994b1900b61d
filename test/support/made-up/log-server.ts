// A made-up server of logs, as PiCL's storage is described: each change of a collection has the
// next number and a change id that is made of the one before, the client makes both, and the server
// takes a change only where it continues the log. It never looks into a payload or at a signature.

import {
  authorization,
  HttpError,
  jsonResponse,
  parseObject,
  pathSegments,
} from '../../../emulator/servers/http.ts';
import { type Change, changeIdOf, isKey, type Writer } from './log-change.ts';
import { noTrouble, serverOf } from './server.ts';

interface Collection {
  readonly name: string;
  /** The path of its URL. */
  readonly path: string;
  changes: readonly Change[];
  readonly records: Map<string, Change>;
  seqnum: number;
  changeid: string;
}

const URL_BASE = 'https://log.test';

/** A server with the collections of the given names, which are empty. */
export class LogServer {
  readonly url = URL_BASE;
  readonly trouble = noTrouble();
  /** Opens a session, which ends when this is changed. */
  assertion = 'assertion';
  /** Changes or records of a page, and changes of a POST. */
  readonly limits = { page: 5, post: 4 };
  readonly #collections = new Map<string, Collection>();
  #born = 0;

  constructor(names: readonly string[]) {
    for (const name of names) this.reset(name);
  }

  readonly fetch = serverOf(this.trouble, 'X-Backoff', async (request) => {
    const body = request.method === 'POST' ? (parseObject(await request.text()) ?? {}) : null;
    const url = new URL(request.url);
    const [path, kind = ''] = pathSegments(url, new URL(URL_BASE)) ?? [];
    if (path === undefined) return this.#login(body);
    if (authorization(request).value !== sessionOf(this)) throw new HttpError(401, {});
    const collection = [...this.#collections.values()].find((one) => one.path === path);
    if (collection === undefined) throw new HttpError(404, {});
    const match =
      request.headers.get('if-match') ?? (body === null ? tagOf(collection).ETag : null);
    if (match === null) throw new HttpError(428, {}, tagOf(collection));
    if (match !== tagOf(collection).ETag) throw new HttpError(412, {}, tagOf(collection));
    const { name, seqnum, changeid } = collection;
    if (kind === '') return jsonResponse(200, { name, seqnum, changeid }, tagOf(collection));
    if (kind === 'changes') return this.#changes(collection, url);
    if (kind !== 'records') throw new HttpError(404, {});
    if (body === null) return this.#records(collection, url);
    return this.#post(collection, Array.isArray(body.changes) ? body.changes : []);
  });

  /** All changes of a collection that were not compacted away. */
  log(name: string): readonly Change[] {
    return this.#collection(name).changes;
  }

  /** What the collection holds, by name. */
  records(name: string): ReadonlyMap<string, Change> {
    return this.#collection(name).records;
  }

  /** Another client's change. */
  write(name: string, key: string, { seal, sign }: Writer): void {
    const collection = this.#collection(name);
    const seqnum = collection.seqnum + 1;
    const payload = seal(seqnum);
    const changeid = changeIdOf(collection.changeid, { seqnum, key, payload });
    apply(collection, { key, payload, seqnum, changeid, signature: sign(changeid) });
  }

  /** Forgets all changes before the last `keep`; the records stay. */
  compact(name: string, keep: number): void {
    const collection = this.#collection(name);
    collection.changes = keep === 0 ? [] : collection.changes.slice(-keep);
  }

  /** Deletes the collection: its log begins anew, at another URL. */
  reset(name: string): void {
    const path = `c${++this.#born}`;
    const start = { changes: [], records: new Map(), seqnum: 0, changeid: path };
    this.#collections.set(name, { name, path, ...start });
  }

  #collection(name: string): Collection {
    const found = this.#collections.get(name);
    if (found === undefined) throw new TypeError(`no collection ${name}`);
    return found;
  }

  #login(body: Readonly<Record<string, unknown>> | null): Response {
    const { assertion, device } = body ?? {};
    if (assertion !== this.assertion || typeof device !== 'string') throw new HttpError(401, {});
    const urls = [...this.#collections].map(([name, { path }]) => [name, `${URL_BASE}/${path}`]);
    return jsonResponse(200, { id: sessionOf(this), collections: Object.fromEntries(urls) });
  }

  #changes(collection: Collection, url: URL): Response {
    const { changes, seqnum } = collection;
    const since = Number(url.searchParams.get('since') ?? 1);
    if (since < (changes[0]?.seqnum ?? seqnum + 1)) throw new HttpError(416, {}, tagOf(collection));
    const page = changes.filter((one) => one.seqnum >= since).slice(0, this.limits.page);
    const last = page.at(-1)?.seqnum ?? seqnum;
    const next = last < seqnum ? { next: last + 1 } : {};
    return jsonResponse(200, { changes: page, ...next }, tagOf(collection));
  }

  #records(collection: Collection, url: URL): Response {
    const start = url.searchParams.get('start') ?? '';
    const keys = [...collection.records.keys()].filter((key) => key >= start).sort();
    const next = keys[this.limits.page];
    const page = keys.slice(0, this.limits.page);
    const records = Object.fromEntries(page.map((key) => [key, collection.records.get(key)]));
    return jsonResponse(200, { records, ...(next && { next }) }, tagOf(collection));
  }

  /** All of the changes, or none. */
  #post(collection: Collection, changes: readonly Change[]): Response {
    if (this.trouble.readOnly.has(collection.name)) throw new HttpError(403, {});
    if (changes.length > this.limits.post) throw new HttpError(413, {});
    let { seqnum, changeid } = collection;
    for (const change of changes) {
      changeid = changeIdOf(changeid, change);
      if (!isKey(change.key) || change.seqnum !== ++seqnum || change.changeid !== changeid) {
        throw new HttpError(400, { seqnum: change.seqnum });
      }
    }
    for (const change of changes) apply(collection, change);
    return new Response(null, { status: 204, headers: tagOf(collection) });
  }
}

function apply(collection: Collection, change: Change): void {
  const { key, payload, seqnum, changeid } = change;
  if (payload === null) collection.records.delete(key);
  else collection.records.set(key, change);
  Object.assign(collection, { changes: [...collection.changes, change], seqnum, changeid });
}

const sessionOf = ({ assertion }: LogServer) => `session-of-${assertion}`;
const tagOf = ({ seqnum, changeid }: Collection) => ({ ETag: `${seqnum}-${changeid}` });
