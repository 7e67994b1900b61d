// A made-up server of one document, as the sync of Open Web Apps is described: it is fetched whole,
// sent whole, and the last one that is sent stays. Its members have times of their own, seconds
// with fractions; a member that is not there is unknown, and only `deleted: true` deletes. The
// server never looks into the document, and says nothing when it has taken one.

import { HttpError, isObject, jsonResponse, parseObject } from '../../../emulator/servers/http.ts';
import { noTrouble, serverOf } from './server.ts';

/** The audience for which the server verifies assertions. */
export const AUDIENCE = 'https://apps.test';

const URL_BASE = 'https://document.test';
/** The one thing that it holds, for `readOnly`. */
export const COLLECTION = 'apps';

/** A server of one user, who has sent nothing yet. `nowMs`: its clock. */
export class DocumentServer {
  readonly url = URL_BASE;
  readonly trouble = noTrouble();
  /** Opens a session at `/verify`; what that gave ends when this is changed. */
  assertion = 'assertion';
  readonly #nowMs: () => number;
  #place = 1;
  #text = '{}';
  #modifiedMs = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  readonly fetch = serverOf(this.trouble, 'X-Backoff', async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === '/verify' && request.method === 'POST') return this.#verify(request);
    // Without a header that says what is asked for: a client starts over.
    if (request.headers.get('authorization') !== this.#auth()) throw new HttpError(401, {});
    if (pathname !== `/user/${this.#place}`) throw new HttpError(404, {});
    if (request.method === 'GET') return this.#get(request);
    if (request.method === 'POST' || request.method === 'PUT') return this.#put(request);
    throw new HttpError(405, {});
  });

  /** The document as it was sent. */
  text(): string {
    return this.#text;
  }

  /** The document as it is. */
  document(): Readonly<Record<string, unknown>> {
    return parseObject(this.#text) ?? {};
  }

  /** Another client's document, or a text that is none. */
  replace(document: Readonly<Record<string, unknown>> | string): void {
    this.#text = typeof document === 'string' ? document : JSON.stringify(document);
    this.#modifiedMs = Math.max(this.#nowMs(), this.#modifiedMs + 1);
  }

  /** Another client's change of one member: it fetches the document and sends it back. */
  write(member: string, value: unknown): void {
    this.replace({ ...this.document(), [member]: value });
  }

  /** From now on the user's document is another one, empty, at another address. */
  move(): void {
    this.#place++;
    this.replace({});
  }

  #auth(): string {
    return `Opaque ${this.assertion}=${this.#place}`;
  }

  async #verify(request: Request): Promise<Response> {
    const form = new URLSearchParams(await request.text());
    const refuse = (reason: string) => jsonResponse(200, { status: 'failure', reason });
    if (form.get('audience') !== AUDIENCE) return refuse('audience');
    if (form.get('assertion') !== this.assertion) return refuse('assertion');
    const resource = `${URL_BASE}/user/${this.#place}`;
    const email = 'user@example.test';
    return jsonResponse(200, { status: 'okay', resource, auth: this.#auth(), email });
  }

  #get(request: Request): Response {
    const since = Number(request.headers.get('x-if-modified-since') ?? -1);
    const isNew = since * 1000 < this.#modifiedMs;
    return new Response(isNew ? this.#text : null, {
      status: isNew ? 200 : 204,
      headers: {
        'X-Timestamp': `${this.#nowMs() / 1000}`,
        'X-Last-Modified': `${this.#modifiedMs / 1000}`,
      },
    });
  }

  async #put(request: Request): Promise<Response> {
    if (this.trouble.readOnly.has(COLLECTION)) throw new HttpError(403, {});
    const text = await request.text();
    if (!isObject(parseObject(text))) throw new HttpError(400, {});
    this.replace(text);
    return new Response(null, { status: 204 });
  }
}
