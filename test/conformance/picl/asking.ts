// A client of a PiCL server that is held to docs/picl.md: it signs with the `hawk` package, mints
// with the second implementation, and can be told to do everything wrong.

import { randomBytes, randomUUID } from 'node:crypto';
import { client as hawk } from 'hawk';
import {
  type Change,
  changeidOf,
  GENESIS,
  keysOf,
  signatureOf,
} from '../../../platform/node/picl/chain.ts';
import { type Head, headOfTag, membersOf } from '../../../platform/node/picl/reading.ts';

/** What the login believes: both at once are not given. */
interface Proof {
  readonly bearer?: string;
  /** A new one for each login. */
  assertion?(): Promise<string>;
}

export interface Server {
  /** Where the login is. */
  readonly url: string;
  readonly proof: Proof;
  fetch(request: Request): Promise<Response>;
  /** Milliseconds since 1970, by the client's clock. */
  nowMs(): number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** undefined: the text is not JSON. */
  readonly json: unknown;
  readonly tag: Head | null;
}

interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a text as it is. */
  readonly body?: unknown;
  /** What is signed in place of the body; null: nothing. */
  readonly signedBody?: string | null;
  readonly nonce?: string;
  /** Milliseconds by which the clock is wrong. */
  readonly wrongByMs?: number;
  /** Not signed, or signed by somebody else. */
  readonly authorization?: string | null;
}

/** A rule that the server breaks. */
export class Broken extends Error {}

export function must(holds: boolean, what: string): void {
  if (!holds) throw new Broken(what);
}

export function mustEqual(found: unknown, wanted: unknown, what: string): void {
  const [one, other] = [JSON.stringify(found), JSON.stringify(wanted)];
  must(one === other, `${what}: ${short(one)}, not ${short(other)}`);
}

function short(text: string | undefined): string {
  return text === undefined ? 'nothing' : text.length > 100 ? `${text.slice(0, 100)}...` : text;
}

const JSON_TYPE = 'application/json';
const HASHED = ['POST', 'PUT'];

/** One user of the server, and one of the user's collections. */
export class Asking {
  readonly #server: Server;
  readonly #pass: { readonly id: string; readonly key: string };
  /** URLs by name, as they were given. */
  readonly collections: ReadonlyMap<string, string>;
  readonly #signKey: Buffer;
  name = '';

  constructor(server: Server, login: unknown) {
    const members = membersOf(login);
    const [id, key] = ['id', 'key'].map((member) => members?.get(member));
    if (typeof id !== 'string' || typeof key !== 'string')
      throw new Broken('the login gives no id and key');
    this.#server = server;
    this.#pass = { id, key };
    const given = [...(membersOf(members?.get('collections')) ?? [])];
    this.collections = new Map(given.map(([name, url]) => [name, String(url)]));
    this.#signKey = keysOf(randomBytes(32), 'any').sign;
  }

  /** Answers an absolute URL of a collection, without a slash at its end. */
  place(name = this.name): string {
    const url = new URL(this.collections.get(name) ?? '', this.#server.url);
    return url.href.replace(/\/+$/, '');
  }

  /** `path`: behind the collection's URL. */
  async ask(method: string, path: string, asked: Asked = {}): Promise<Answer> {
    const { headers = {}, body, authorization } = asked;
    const url = this.place() + (path === '' || path.startsWith('?') ? path : `/${path}`);
    const text = body === undefined ? undefined : textOf(body);
    const signed = authorization === undefined ? this.signed(method, url, asked) : authorization;
    const request = new Request(url, {
      method,
      headers: {
        ...headers,
        ...(signed === null ? {} : { Authorization: signed }),
        ...(text === undefined ? {} : { 'Content-Type': JSON_TYPE }),
      },
      ...(text === undefined ? {} : { body: text }),
    });
    return answerOf(await this.#server.fetch(request));
  }

  /** The header of a request. */
  signed(method: string, url: string, asked: Asked = {}): string {
    const { body, signedBody = body === undefined ? null : textOf(body) } = asked;
    const timeMs = this.#server.nowMs() + (asked.wrongByMs ?? 0);
    const isHashed = signedBody !== null && HASHED.includes(method);
    return hawk.header(url, method, {
      credentials: { ...this.#pass, algorithm: 'sha256' },
      timestamp: Math.floor(timeMs / 1_000),
      nonce: asked.nonce ?? randomBytes(9).toString('base64url'),
      ...(isHashed ? { payload: signedBody, contentType: JSON_TYPE } : {}),
    }).header;
  }

  /** Where the collection is. */
  async head(): Promise<Head> {
    const { status, json, tag } = await this.ask('GET', '');
    mustEqual(status, 200, 'the collection answers');
    const members = membersOf(json);
    const [seqnum, changeid] = [members?.get('seqnum'), members?.get('changeid')];
    return {
      seqnum: typeof seqnum === 'number' ? seqnum : (tag?.seqnum ?? 0),
      changeid: typeof changeid === 'string' ? changeid : (tag?.changeid ?? GENESIS),
    };
  }

  /** Changes that follow a head one after the other. */
  minted(head: Head, writes: readonly (readonly [string, string | null])[]): Change[] {
    let { seqnum, changeid } = head;
    return writes.map(([key, payload]) => {
      seqnum++;
      changeid = changeidOf({ key, payload, seqnum }, changeid);
      return { key, payload, seqnum, changeid, signature: signatureOf(changeid, this.#signKey) };
    });
  }

  /** Appends, and has to. */
  async write(...writes: readonly (readonly [string, string | null])[]): Promise<Change[]> {
    const head = await this.head();
    const changes = this.minted(head, writes);
    const { status, text } = await this.post(changes, conditionOn(head));
    must(status === 204, `a good POST is answered ${status} ${short(text)}`);
    return changes;
  }

  post(
    changes: readonly unknown[],
    headers: Record<string, string>,
    path = 'records',
  ): Promise<Answer> {
    return this.ask('POST', path, { headers, body: { changes } });
  }
}

/** The answer to a login as a device. `members`: beside or in place of what is sent else. */
export async function login(server: Server, members: object = {}): Promise<Answer> {
  const { url, proof } = server;
  const assertion = await proof.assertion?.();
  const body = { device: DEVICE, ...(assertion === undefined ? {} : { assertion }), ...members };
  const bearer = proof.bearer === undefined ? {} : { Authorization: `Bearer ${proof.bearer}` };
  const headers = { 'Content-Type': JSON_TYPE, ...bearer };
  const request = new Request(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return answerOf(await server.fetch(request));
}

/** Of what was never written, the first that is. */
export function conditionOn({ seqnum, changeid }: Head): Record<string, string> {
  return changeid === GENESIS ? { 'If-None-Match': '*' } : { 'If-Match': `${seqnum}-${changeid}` };
}

/** Keys that begin alike and that nobody has used. */
export function newKeys(count: number): string[] {
  const start = randomBytes(6).toString('hex');
  return Array.from({ length: count }, (_, at) => `${start}-${at}`);
}

export function listOf(answer: Answer, member: 'changes'): readonly Change[] {
  mustEqual(answer.status, 200, 'a list answers');
  const list = membersOf(answer.json)?.get(member);
  must(Array.isArray(list), `${member} is no list`);
  return list as Change[];
}

/** Records by key, in the order of the text. */
export function recordsIn(answer: Answer): ReadonlyMap<string, Change> {
  mustEqual(answer.status, 200, 'a list answers');
  const members = membersOf(answer.json);
  const records = membersOf(members?.get('records') ?? members?.get('items'));
  if (records === null) throw new Broken('records is no map');
  return new Map([...records] as [string, Change][]);
}

const DEVICE = randomUUID();

async function answerOf(response: Response): Promise<Answer> {
  const { status, headers } = response;
  const text = await response.text();
  return { status, headers, text, json: parsed(text), tag: headOfTag(headers.get('ETag')) };
}

function textOf(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
