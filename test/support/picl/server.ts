// A PiCL storage of one user for tests of its clients: small, honest, and open, so that a test can
// change what it holds and what it says. The real one is emulator/servers/picl/.

import { createHmac } from 'node:crypto';
import { readHawk } from '../../../emulator/servers/hawk.ts';
import {
  authorization,
  type Handler,
  HttpError,
  jsonResponse,
  parseObject,
} from '../../../emulator/servers/http.ts';
import {
  changeIdOf,
  FIRST_ID,
  type LogChange,
} from '../../../emulator/servers/picl/other-client.ts';
import { noTrouble, serverOf } from '../made-up/server.ts';

/** One collection: its log from `oldest` on, and its records. */
interface KeptLog {
  readonly path: string;
  changes: LogChange[];
  records: Map<string, LogChange>;
  head: Pick<LogChange, 'seqnum' | 'changeid'> & { readonly signature: string | null };
}

/** What an answer is made of, before it leaves; tests change it. */
export interface Answer {
  status: number;
  json: unknown;
  headers: Record<string, string>;
}

export class PiclTestServer {
  readonly url = 'https://picl.test/login';
  readonly trouble = noTrouble();
  /** Proves who asks; a pass ends when it is changed. */
  proof = 'token';
  readonly limits = { page: 5, post: 4 };
  style = { quoted: false, recordsKey: 'records', first: 1, exclusive: false };
  /** What is said of the server's clock and whom it believes; null: clocks are not looked at. */
  nowSeconds: (() => number) | null = null;
  /** Bodies of all logins. */
  readonly logins: Record<string, unknown>[] = [];
  /** Every answer passes through here. */
  lie: (request: Request, answer: Answer, log: KeptLog | null) => Answer = (_, answer) => answer;
  /** What is answered at once, and nothing done; null: what was asked for. */
  deny: (request: Request) => Answer | null = () => null;
  readonly #logs = new Map<string, KeptLog>();
  #born = 0;

  constructor(names: readonly string[]) {
    for (const name of names) this.reset(name);
  }

  readonly fetch: Handler = serverOf(this.trouble, 'X-Backoff', async (request) => {
    const text = await request.text();
    const body = request.method === 'POST' ? (parseObject(text) ?? {}) : null;
    if (request.url === this.url) return this.#login(request, body);
    const log = this.logAt(new URL(request.url));
    const denied = this.deny(request);
    const asked = denied ? Promise.resolve(denied) : this.#answer(request, log, body);
    const answer = await asked.catch((error: unknown) => {
      if (!(error instanceof HttpError)) throw error;
      return { status: error.status, json: error.json, headers: { ...error.headers } };
    });
    const { status, json, headers } = this.lie(request, answer, log);
    return status === 204 || status === 304
      ? new Response(null, { status, headers })
      : jsonResponse(status, json, headers);
  });

  log(name: string): KeptLog {
    const found = this.#logs.get(name);
    if (found === undefined) throw new TypeError(`no collection ${name}`);
    return found;
  }

  /** Takes a change as it is. */
  append(name: string, change: LogChange): void {
    apply(this.log(name), change);
  }

  /** Forgets all changes but the last `keep`; the records stay. */
  compact(name: string, keep: number): void {
    const log = this.log(name);
    log.changes = keep === 0 ? [] : log.changes.slice(-keep);
  }

  /** The collection begins anew, at another URL. */
  reset(name: string): void {
    const head = { seqnum: 0, changeid: FIRST_ID, signature: null };
    const path = `/c${++this.#born}/${name}`;
    this.#logs.set(name, { path, changes: [], records: new Map(), head });
  }

  /** As it was after the change with this number: what came later never was. */
  rewind(name: string, seqnum: number): void {
    const log = this.log(name);
    const kept = log.changes.filter((change) => change.seqnum <= seqnum);
    Object.assign(log, { changes: [], records: new Map() });
    log.head = { seqnum: 0, changeid: FIRST_ID, signature: null };
    for (const change of kept) apply(log, change);
  }

  logAt({ pathname }: URL): KeptLog | null {
    const logs = [...this.#logs.values()];
    return logs.find(({ path }) => pathname === path || pathname.startsWith(`${path}/`)) ?? null;
  }

  #login(request: Request, body: Record<string, unknown> | null): Response {
    const { assertion, device } = body ?? {};
    const given = assertion ?? authorization(request).value;
    if (given !== this.proof || typeof device !== 'string') throw new HttpError(401, {});
    this.logins.push(body ?? {});
    const urls = [...this.#logs].map(([name, { path }]) => [name, `https://picl.test${path}`]);
    return jsonResponse(200, {
      ...{ id: `pass-of-${this.proof}`, key: `key-of-${this.proof}` },
      collections: Object.fromEntries(urls),
    });
  }

  async #answer(
    request: Request,
    log: KeptLog | null,
    body: Record<string, unknown> | null,
  ): Promise<Answer> {
    this.#checkHawk(request);
    if (log === null) throw new HttpError(404, {});
    const url = new URL(request.url);
    const [kind = '', key] = url.pathname.slice(log.path.length).split('/').slice(1);
    const headers = { ETag: this.#tag(log) };
    const isHead = (condition: string | null): boolean =>
      condition !== null && condition.replace(/"/g, '') === tagOf(log);
    const match = request.headers.get('if-match');
    const noneMatch = request.headers.get('if-none-match');
    if (body !== null && match === null && noneMatch === null)
      throw new HttpError(428, {}, headers);
    const isTaken = noneMatch === '*' ? log.head.signature !== null : isHead(noneMatch);
    if ((match !== null && !isHead(match)) || (body !== null && isTaken)) {
      throw new HttpError(412, {}, headers);
    }
    if (body !== null) return this.#post(log, Array.isArray(body.changes) ? body.changes : []);
    if (isTaken) return { status: 304, json: null, headers };
    return { status: 200, json: this.#read(log, kind, key, url.searchParams), headers };
  }

  #read(log: KeptLog, kind: string, key: string | undefined, query: URLSearchParams): unknown {
    const { seqnum, changeid, signature } = log.head;
    if (kind === '') return { name: log.path.split('/').at(-1), seqnum, changeid, signature };
    const limit = Math.min(Number(query.get('limit') ?? this.limits.page), this.limits.page);
    if (kind === 'changes') {
      const first = this.style.first;
      const since = Number(query.get('since') ?? first) + Number(this.style.exclusive);
      const oldest = log.changes[0]?.seqnum ?? seqnum + 1;
      const isWhole = log.head.signature === null || oldest === first;
      if (Math.max(since, first) < oldest && !isWhole) {
        throw new HttpError(416, { error: 'history-compacted' }, { ETag: this.#tag(log) });
      }
      const rest = log.changes.filter((change) => change.seqnum >= since);
      const next = rest[limit]?.seqnum;
      return { ...(next !== undefined && { next }), changes: rest.slice(0, limit) };
    }
    if (key !== undefined) {
      const record = log.records.get(key);
      if (record === undefined) throw new HttpError(404, {}, { ETag: this.#tag(log) });
      return record;
    }
    const start = query.get('start') ?? '';
    const keys = [...log.records.keys()].filter((one) => one >= start).sort();
    const next = keys[limit];
    const records = Object.fromEntries(
      keys.slice(0, limit).map((one) => [one, log.records.get(one)]),
    );
    return { ...(next !== undefined && { next }), [this.style.recordsKey]: records };
  }

  /** All of the changes, or none. */
  #post(log: KeptLog, changes: readonly LogChange[]): Answer {
    const name = log.path.split('/').at(-1) ?? '';
    if (this.trouble.readOnly.has(name)) throw new HttpError(403, {});
    if (changes.length > this.limits.post) throw new HttpError(413, {});
    const isFirst = log.head.signature === null;
    let seqnum = isFirst ? this.style.first - 1 : log.head.seqnum;
    let { changeid } = log.head;
    for (const [index, change] of changes.entries()) {
      changeid = changeIdOf(changeid, change);
      const isNext = change.seqnum === ++seqnum && change.changeid === changeid;
      if (isNext && /^[\w-]{1,64}$/.test(change.key)) continue;
      throw new HttpError(412, { error: 'bad-chain', index }, { ETag: this.#tag(log) });
    }
    for (const change of changes) apply(log, change);
    return { status: 204, json: null, headers: { ETag: this.#tag(log) } };
  }

  #checkHawk(request: Request): void {
    const attributes = readHawk(authorization(request).value);
    const key = `key-of-${this.proof}`;
    if (attributes.get('id') !== `pass-of-${this.proof}`) throw new HttpError(401, {});
    const url = new URL(request.url);
    const [ts, nonce, hash = ''] = ['ts', 'nonce', 'hash'].map((name) => attributes.get(name));
    const lines = ['hawk.1.header', ts, nonce, request.method, url.pathname + url.search];
    const text = [...lines, url.hostname, url.port || '443', hash, '', ''].join('\n');
    if (hmac(key, text) !== attributes.get('mac')) throw new HttpError(401, {});
    const now = this.nowSeconds?.();
    if (now === undefined || Math.abs(Number(ts) - now) <= 60) return;
    const said = `Hawk ts="${now}", tsm="${hmac(key, `hawk.1.ts\n${now}\n`)}", error="Stale"`;
    throw new HttpError(401, {}, { 'WWW-Authenticate': said });
  }

  #tag(log: KeptLog): string {
    return this.style.quoted ? `"${tagOf(log)}"` : tagOf(log);
  }
}

function apply(log: KeptLog, change: LogChange): void {
  const { key, payload, seqnum, changeid, signature } = change;
  if (payload === null) log.records.delete(key);
  else log.records.set(key, change);
  log.changes = [...log.changes, change];
  log.head = { seqnum, changeid, signature };
}

function tagOf({ head }: KeptLog): string {
  return `${head.seqnum}-${head.changeid}`;
}

function hmac(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64');
}
