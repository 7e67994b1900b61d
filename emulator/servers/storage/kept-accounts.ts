// An accounts server whose state is kept by rows: what was answered is, in whichever process, and a
// request costs the rows that it names, however many accounts there are. Requests about one account
// run one after the other, those about others at once.

import { type Names, namesIn } from '../account-names.ts';
import { EMPTY_STATE } from '../account-state.ts';
import type { AccountsServer } from '../accounts.ts';
import { type Handler, pathSegments } from '../http.ts';
import {
  accountKey,
  addRow,
  destroyedKey,
  endedRange,
  endKey,
  endOf,
  heldKey,
  heldKeys,
  keyOfEnd,
  listedRange,
  lockOf,
  ownerOf,
  readHeldRow,
  removeRow,
  rowsOf,
  stateOf,
  uidKey,
} from './account-rows.ts';
import { takeOver } from './account-takeover.ts';
import type { Reader, ServerStorage, Transaction } from './server-storage.ts';

interface KeptOptions {
  /** The accounts server's URL. */
  readonly baseUrl: string;
  nowMs(): number;
}

/** Rows that have ended and go when one is made: more than are made at a time. */
const ENDED_MAX = 4;
/** Nobody writes under it: what is asked there is an index, and is asked again under a lock. */
const INDEXES = 'account indexes';

/** `server`: with the accounts that a new database begins with. */
export function keptAccounts(
  storage: ServerStorage,
  server: AccountsServer,
  options: KeptOptions,
): Handler {
  const kept = new KeptAccounts(storage, server, options);
  return (request) => kept.handle(request);
}

class KeptAccounts {
  readonly #storage: ServerStorage;
  readonly #server: AccountsServer;
  readonly #base: URL;
  readonly #options: KeptOptions;
  #takenOver: Promise<void> | null = null;

  constructor(storage: ServerStorage, server: AccountsServer, options: KeptOptions) {
    this.#storage = storage;
    this.#server = server;
    this.#options = options;
    this.#base = new URL(options.baseUrl);
    // What fails now is tried again by who asks.
    this.#ready().catch(() => undefined);
  }

  async handle(request: Request): Promise<Response> {
    const text = await request.clone().text();
    const path = pathSegments(new URL(request.url), this.#base)?.join('/') ?? '';
    const names = namesIn(request, path, text);
    if (names === null) return this.#server.knowing(EMPTY_STATE).handle(request);
    await this.#ready();
    const owner = await this.#ownerNamed(names);
    // Nothing is known of who it is about, and nothing can come of it.
    if (owner === '' && names.accessTokenId === null)
      return this.#server.knowing(EMPTY_STATE).handle(request);
    let ended: string[] = [];
    const response = await this.#storage.transaction(lockOf(owner), async (tx) => {
      const rows = await rowsNamed(tx, owner, names);
      const knowing = this.#server.knowing(stateOf(rows));
      const before = rowsOf(knowing.state());
      const answer = await knowing.handle(request);
      const isMore = change(tx, before, rowsOf(knowing.state()));
      if (isMore) ended = await tx.keys(endedRange(this.#options.nowMs(), ENDED_MAX));
      return answer;
    });
    for (const key of ended) await this.#end(key).catch(() => undefined);
    return response;
  }

  /** What an older version has kept is taken over first, once. */
  #ready(): Promise<void> {
    const state = this.#server.state();
    this.#takenOver ??= takeOver(this.#storage, state, this.#options.nowMs()).catch((error) => {
      this.#takenOver = null;
      throw error;
    });
    return this.#takenOver;
  }

  /** Nobody's, where there is no such account. */
  async #ownerNamed({ email, uid, secrets }: Names): Promise<string> {
    if (email !== null) return ownerOf(email);
    const keys = uid === null ? secrets.map(heldKey) : [uidKey(uid)];
    const texts = await this.#storage.read(INDEXES, (reader) => reader.get(keys));
    const index = texts.findIndex((text) => text !== null);
    const [key = '', text = null] = [keys[index], texts[index]];
    if (text === null) return '';
    return uid === null ? readHeldRow(key, text).owner : text;
  }

  /** Takes away what has ended, or says when it will. */
  async #end(entry: string): Promise<void> {
    const key = keyOfEnd(entry);
    const [found = null] = await this.#storage.read(INDEXES, (reader) => reader.get([key]));
    const { owner } = found === null ? { owner: '' } : endOf(key, found);
    await this.#storage.transaction(lockOf(owner), async (tx) => {
      tx.remove(entry);
      const [text = null] = await tx.get([key]);
      if (text === null) return;
      const { endMs } = endOf(key, text);
      const nowMs = this.#options.nowMs();
      if (endMs !== null && endMs <= nowMs) removeRow(tx, key, text);
      else if (key.startsWith('at/')) tx.put(endKey(endMs ?? nowMs + LATER_MS, key), '');
    });
  }
}

/** What does not end now, as a device, may when it is a device no more. */
const LATER_MS = 365 * 24 * 3600 * 1000;

async function rowsNamed(
  reader: Reader,
  owner: string,
  { secrets, accessTokenId, isAboutAll }: Names,
): Promise<[key: string, text: string][]> {
  const listed = isAboutAll && owner !== '' ? await reader.keys(listedRange(owner)) : [];
  const keys = new Set([
    ...(owner === '' ? [] : [accountKey(owner)]),
    ...secrets.map(heldKey),
    ...(accessTokenId === null ? [] : [destroyedKey(accessTokenId)]),
    ...heldKeys(listed),
  ]);
  const all = [...keys];
  const texts = all.length === 0 ? [] : await reader.get(all);
  return all.flatMap((key, index) => {
    const text = texts[index] ?? null;
    const isOthers =
      text === null || (key.startsWith('at/') && readHeldRow(key, text).owner !== owner);
    return isOthers ? [] : [[key, text] as [string, string]];
  });
}

/** From the rows before to those after; whether there are some that end. */
function change(
  tx: Transaction,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): boolean {
  let isMore = false;
  for (const [key, text] of after) {
    if (before.get(key) === text) continue;
    tx.put(key, text);
    if (!before.has(key)) isMore = addRow(tx, key, text) || isMore;
  }
  for (const [key, text] of before) if (!after.has(key)) removeRow(tx, key, text);
  return isMore;
}
