// The PiCL storage of one remote of an emulated device, and its user: what an account file holds is
// put there as the user's devices would have put it, before anybody else is answered, and what is
// there now is read as another client of the user does. Nothing of the agent is in it.

import { recordsOf } from './server-records.ts';
import { ViewError } from './servers/account-view.ts';
import { signHawk } from './servers/hawk.ts';
import { type Handler, isObject, parseObject } from './servers/http.ts';
import { FIRST_ID, type LogChange, otherClient } from './servers/picl/other-client.ts';
import type { SeedAccount } from './servers/store-file.ts';
import { createView, UNTIMED_MS } from './view.ts';

export interface PiclSide {
  /** Of the login. */
  readonly url: string;
  /** Answers when what the account had is there. */
  readonly fetch: Handler;
  /** Errors: `ViewError`. */
  view(): Promise<SeedAccount>;
  /** What a device that sets a record aside calls it. */
  wireId(collection: string, id: string): string;
}

interface SideOptions {
  readonly url: string;
  readonly collections: readonly string[];
  readonly account: SeedAccount;
  /** The server is in this process, and has nothing yet. */
  readonly isNew: boolean;
  /** Asks the server. */
  readonly fetch: Handler;
  accessToken(): Promise<string>;
  nowMs(): number;
  /** After what the account had is there. */
  onSeeded?(): Promise<void>;
}

/** As another device of the user is called. */
const DEVICE = '0d1ce000-0000-4000-8000-00000000000e';
/** Changes of a POST. */
const POST_MAX = 50;

export function piclSide(options: SideOptions): PiclSide {
  const { url, account, collections, fetch, isNew } = options;
  const { kB } = account;
  let seeded: Promise<void> | null = isNew ? null : Promise.resolve();
  return {
    url,
    async fetch(request) {
      seeded ??= seed(options);
      await seeded;
      return fetch(request);
    },
    async view() {
      const ask = await signedIn(options);
      const view = createView(kB);
      for (const name of collections) {
        const client = otherClient(kB, name);
        const put = view.collection(name);
        for await (const record of recordsAt(ask, name)) {
          const body = parseObject(client.open(record) ?? '');
          const isProven = typeof body?.id === 'string' && client.wireId(body.id) === record.key;
          put(record.key, UNTIMED_MS - record.seqnum, isProven ? body : null, '{}');
        }
      }
      return view.account;
    },
    wireId: (collection, id) => otherClient(kB, collection).wireId(id),
  };
}

type Ask = (name: string, method: string, path: string, body?: object) => Promise<Response>;

/** Puts the account's records there. Errors: `ViewError`. */
async function seed(options: SideOptions): Promise<void> {
  const { account, collections, nowMs } = options;
  const ask = await signedIn(options);
  for (const name of collections) {
    const client = otherClient(account.kB, name);
    let head = { seqnum: 0, changeid: FIRST_ID };
    let changes: LogChange[] = [];
    const send = async (): Promise<void> => {
      const [first] = changes;
      if (first === undefined) return;
      const response = await ask(name, 'POST', '/records', { changes });
      if (response.status !== 204) throw unread(response);
      changes = [];
    };
    for (const { id, body } of recordsOf(account, name, nowMs())) {
      if (body?.deleted === true) continue;
      const text = body === null ? '{}' : JSON.stringify(body);
      const change = client.change(head, client.wireId(`${body?.id ?? id}`), text);
      head = change;
      if (changes.push(change) === POST_MAX) await send();
    }
    await send();
  }
  await options.onSeeded?.();
}

/** Another device of the user. Errors: `ViewError`. */
async function signedIn(options: SideOptions): Promise<Ask> {
  const { url, fetch, nowMs } = options;
  const response = await fetch(
    new Request(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${await options.accessToken()}` },
      body: JSON.stringify({ device: DEVICE }),
    }),
  );
  const { id, key, collections } = parseObject(await response.text()) ?? {};
  if (response.status !== 200 || !isObject(collections)) throw unread(response);
  let nonce = 0;
  const tags = new Map<string, string>();
  return async (name, method, path, body) => {
    const target = new URL(`${collections[name]}${path}`);
    const pass = { id: `${id}`, key: `${key}` };
    const authorization = signHawk({ method, url: target }, pass, nowMs(), `other${++nonce}`);
    const tag = tags.get(name);
    const condition = tag === undefined ? { 'if-none-match': '*' } : { 'if-match': tag };
    const answer = await fetch(
      new Request(target, {
        ...{ method, headers: { authorization, ...(body && condition) } },
        ...(body && { body: JSON.stringify(body) }),
      }),
    );
    const now = answer.headers.get('etag');
    if (now !== null) tags.set(name, now);
    return answer;
  };
}

/** Errors: `ViewError`. */
async function* recordsAt(ask: Ask, name: string): AsyncGenerator<LogChange> {
  for (let next: unknown = ''; typeof next === 'string'; ) {
    const response = await ask(name, 'GET', `/records${next === '' ? '' : `?start=${next}`}`);
    const page = parseObject(await response.text());
    if (response.status !== 200 || !isObject(page?.records)) throw unread(response);
    for (const [key, record] of Object.entries(page.records))
      yield { ...(record as LogChange), key };
    next = page.next;
  }
}

function unread({ status }: Response): ViewError {
  return new ViewError(`the account cannot be read: the storage answered ${status}`);
}
