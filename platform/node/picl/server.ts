// A PiCL server as an inspection sees it: it signs in as a device of its own, which never writes
// anything, and reads one collection page by page.

import { randomUUID } from 'node:crypto';
import { encryptedFetch } from '../server-url.ts';
import type { Change } from './chain.ts';
import { challengedTime, type HawkPass, hawkHeader } from './hawk.ts';
import type { Renewal } from './keys.ts';
import {
  changesPage,
  type Head,
  headOfTag,
  type LiveRecord,
  membersOf,
  Refused,
  recordsPage,
} from './reading.ts';
import type { Source } from './source.ts';
import { Failure } from './usage.ts';

const TIMEOUT_MS = 60_000;
/** Of an answer: a page is a MiB and a longest payload, and servers may think otherwise. */
const ANSWER_BYTES_MAX = 16_777_216;

interface ServerOptions {
  /** Where the login is. */
  readonly url: string;
  /** What the login believes: an access token, or where one comes from. */
  readonly token: string | Renewal;
  readonly collection: string;
  readonly allowHttp: boolean;
}

/** Signs in. Throws Failure, Refused. */
export async function serverSource(options: ServerOptions): Promise<Source> {
  const plain: Fetch = (request) => fetch(request);
  const fetchOf = options.allowHttp ? plain : encryptedFetch(plain);
  const { pass, place } = await login(options, fetchOf);
  return new ServerSource(place, signedFetch(pass, fetchOf));
}

type Fetch = (request: Request) => Promise<Response>;
type Get = (url: string, headers?: Record<string, string>) => Promise<Answer>;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly head: Head | null;
}

class ServerSource implements Source {
  readonly #place: string;
  readonly #get: Get;
  #head: Head | null = null;
  #isCompacted = false;

  constructor(place: string, get: Get) {
    this.#place = place;
    this.#get = get;
  }

  isCompacted(): boolean {
    return this.#isCompacted;
  }

  head(): Head | null {
    return this.#head;
  }

  async *changes(): AsyncIterable<Change> {
    let since = '';
    for (;;) {
      const answer = await this.#get(`${this.#place}/changes${since}`);
      if (answer.status === 416 && since === '') {
        since = `?since=${oldestIn(answer.text)}`;
        this.#isCompacted = true;
        continue;
      }
      const { items, next } = changesPage(checked(answer).text);
      this.#head = answer.head ?? this.#head;
      yield* items;
      if (next === null) return;
      since = `?since=${next}`;
    }
  }

  async *records(): AsyncIterable<LiveRecord> {
    const head = this.#head;
    if (head === null) return;
    let start = '';
    for (;;) {
      const condition = { 'If-Match': `${head.seqnum}-${head.changeid}` };
      const answer = await this.#get(`${this.#place}/records${start}`, condition);
      if (answer.status === 412) throw new Failure('the collection changes meanwhile; try again');
      const { items, next } = recordsPage(checked(answer).text);
      yield* items;
      if (next === null) return;
      start = `?start=${next}`;
    }
  }
}

async function login(
  { url, token, collection, allowHttp }: ServerOptions,
  fetchOf: Fetch,
): Promise<{ pass: HawkPass; place: string }> {
  const access = typeof token === 'string' ? token : await renewed(token, fetchOf);
  const headers = { Authorization: `Bearer ${access}`, 'Content-Type': 'application/json' };
  const body = JSON.stringify({ device: randomUUID() });
  const answer = await asked(fetchOf, url, { method: 'POST', headers, body });
  const { status, text } = answer;
  if (status !== 200) throw new Failure(`the login answers ${status}`);
  const members = membersOf(parsed(text));
  const [id, key] = ['id', 'key'].map((name) => members?.get(name));
  if (typeof id !== 'string' || typeof key !== 'string')
    throw new Failure('the login gives no id and key');
  const given = membersOf(members?.get('collections'))?.get(collection);
  if (typeof given !== 'string') throw new Failure(`the login names no collection ${collection}`);
  const place = new URL(given, url);
  // A server may not lead to where nothing is encrypted.
  if (!allowHttp && url.startsWith('https:') && place.protocol !== 'https:')
    throw new Failure('the login leads to a place without encryption');
  return { pass: { id, key }, place: place.href.replace(/\/+$/, '') };
}

/** A new access token for Sync. The refresh token stays as it is: an inspection writes nothing. */
async function renewed(
  { refreshToken, clientId, oauthUrl }: Renewal,
  fetchOf: Fetch,
): Promise<string> {
  const scope = 'https://identity.mozilla.com/apps/oldsync';
  const grant = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: clientId };
  const { status, text } = await asked(fetchOf, `${oauthUrl}/v1/oauth/token`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...grant, scope }),
  });
  const token = membersOf(parsed(text))?.get('access_token');
  if (status === 200 && typeof token === 'string') return token;
  throw new Failure(`the accounts server gives no access token: it answers ${status}`);
}

/** Signs each request, and once more by the server's time if the clock is wrong. */
function signedFetch(pass: HawkPass, fetchOf: Fetch): Get {
  let offsetSeconds = 0;
  const now = () => Math.floor(Date.now() / 1_000);
  return async (url, headers = {}) => {
    for (let isAgain = false; ; isAgain = true) {
      const authorization = hawkHeader('GET', url, pass, now() + offsetSeconds);
      const response = await asked(fetchOf, url, {
        headers: { ...headers, Authorization: authorization },
      });
      const time = challengedTime(response.challenge, pass);
      if (response.status !== 401 || time === null || isAgain) return response;
      offsetSeconds = time - now();
    }
  };
}

async function asked(
  fetchOf: Fetch,
  url: string,
  init: RequestInit,
): Promise<Answer & { challenge: string | null }> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetchOf(new Request(url, { ...init, redirect: 'manual', signal }));
    const { status, headers } = response;
    const text = await boundedText(response);
    const head = headOfTag(headers.get('ETag'));
    return { status, text, head, challenge: headers.get('WWW-Authenticate') };
  } catch (error) {
    if (error instanceof Refused) throw error;
    const { cause, message } = error as Error;
    throw new Failure(`${new URL(url).host}: ${cause instanceof Error ? cause.message : message}`);
  }
}

async function boundedText({ body }: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body ?? []) {
    bytes += piece.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`an answer is longer than ${ANSWER_BYTES_MAX}`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function checked(answer: Answer): Answer {
  if (answer.status === 200) return answer;
  throw new Failure(`the server answers ${answer.status}`);
}

/** What a compacted history begins with. */
function oldestIn(text: string): number {
  const oldest = membersOf(parsed(text))?.get('oldest');
  if (Number.isSafeInteger(oldest)) return Number(oldest);
  throw new Failure('the history is compacted, and the server does not say where it begins');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
