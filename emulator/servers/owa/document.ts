// The documents of an OWA server, each kept member by member. A posted one is merged with what is
// there as it arrives, and written in one transaction: all of it or nothing. Its time never stands
// still when something changes. What a reader gets is sent in portions and locks nobody out; a
// member that was changed since is there in its new form.

import type { Entry, Reader, ServerStorage, Transaction } from '../storage/server-storage.ts';
import { entryOf } from './entry.ts';
import { OWA_LIMITS, type OwaLimits } from './limits.ts';
import { type Member, MemberSplitter, membersIn, memberText } from './members.ts';
import { merged } from './merge.ts';
import { tooLarge } from './refusals.ts';
import { Room, type Share } from './room.ts';
import { entryKey, entryRange, type Head, headKey, lockOf, readHead } from './rows.ts';
import { surplusTombstones } from './tombstones.ts';

export interface DocumentOptions {
  readonly storage: ServerStorage;
  nowMs(): number;
  /** A posted document takes the place of what is there, as the seed has it; it is merged else. */
  readonly replaces?: boolean;
  /** Of more deletions than this the oldest are forgotten after a year; null: none ever is. */
  readonly tombstonesMax?: number | null;
  readonly limits?: Partial<OwaLimits>;
}

/** What came of a post. Names of entries that do not say when they were changed. */
interface Posted {
  readonly head: Head;
  /** They are in the document. */
  readonly carried: readonly string[];
  /** Something else is there under the name. */
  readonly skipped: readonly string[];
}

/**
 * What a post takes when it begins: for a piece, the members in it, and the one that it breaks off
 * in; and for members that it holds, so that who was let in with a small document is not sent away.
 */
const POST_BYTES = 1024 * 1024;
const FIRST_MEMBERS_BYTES = 512 * 1024;
/** Looked at at a time: of the smallest members there are many in it. */
const PIECE_CHARS = 4_096;
/** What a held member takes beside its text: its key, its place, its row in a transaction. */
const MEMBER_BYTES = 512;
/** Entries that are read at a time. */
const PORTION = 32;
/** Of each list that an answer names. */
const NAMES_MAX = 100;

export class Documents {
  readonly #options: DocumentOptions;
  readonly #limits: OwaLimits;
  readonly #room: Room;

  constructor(options: DocumentOptions) {
    this.#options = options;
    this.#limits = { ...OWA_LIMITS, ...options.limits };
    this.#room = new Room(this.#limits.roomBytes);
  }

  head(user: string): Promise<Head> {
    return this.#options.storage.read(lockOf(user), (reader) => headIn(reader, user));
  }

  /** The document's JSON, in pieces, read as they are asked for. */
  async *pieces(user: string): AsyncGenerator<Uint8Array> {
    let before = '{';
    for (let behind: string | null = null; ; ) {
      const range = entryRange(user, behind, PORTION);
      const rows = await this.#options.storage.read(lockOf(user), (reader) => reader.scan(range));
      const last = rows.at(-1);
      if (last === undefined) break;
      yield Buffer.from(before + rows.map(([, row]) => row).join(','));
      before = ',';
      behind = last[0];
    }
    yield Buffer.from(before === '{' ? '{}' : '}');
  }

  /**
   * `check` is told what is there before anything changes; what it throws is thrown. Errors:
   * HttpError 400 and 413 for what is no document, 503 where no room is left for it.
   */
  post(user: string, pieces: AsyncIterable<string>, check: (head: Head) => void): Promise<Posted> {
    return this.#room.share(async (share) => {
      share.take(POST_BYTES);
      const post = new Post(user, share, this.#options, this.#limits);
      const splitter = new MemberSplitter(this.#limits);
      for await (const piece of pieces) {
        for (let at = 0; at < piece.length; at += PIECE_CHARS)
          await post.add(splitter.push(piece.slice(at, at + PIECE_CHARS)));
      }
      splitter.end();
      return post.write(check);
    });
  }
}

/** One posted document, of which it holds what is not in the kept one already. */
class Post {
  readonly #user: string;
  readonly #share: Share;
  readonly #options: DocumentOptions;
  readonly #limits: OwaLimits;
  /** By key. */
  readonly #members = new Map<string, Member>();
  readonly #carried = new Set<string>();
  readonly #skipped = new Set<string>();
  #count = 0;
  /** Bytes of members. */
  #held = 0;

  constructor(user: string, share: Share, options: DocumentOptions, limits: OwaLimits) {
    this.#user = user;
    this.#share = share;
    this.#options = options;
    this.#limits = limits;
  }

  async add(members: readonly Member[]): Promise<void> {
    this.#count += members.length;
    const { entriesMax } = this.#limits;
    if (this.#count > entriesMax) throw tooLarge('entries', entriesMax);
    for (let at = 0; at < members.length; at += PORTION) {
      const portion = members.slice(at, at + PORTION);
      const keys = portion.map(({ name }) => entryKey(this.#user, name));
      const rows = await this.#rowsNow(keys);
      for (const [index, member] of portion.entries())
        this.#take(keys[index] ?? '', member, rows[index] ?? null);
    }
  }

  write(check: (head: Head) => void): Promise<Posted> {
    const { storage, replaces } = this.#options;
    return storage.transaction(lockOf(this.#user), async (tx) => {
      const head = await headIn(tx, this.#user);
      check(head);
      const size = { entries: head.entries, bytes: head.bytes };
      const put = (key: string, row: string | null, before: string | null): void => {
        if (row === null) tx.remove(key);
        else tx.put(key, row);
        size.entries += Number(row !== null) - Number(before !== null);
        size.bytes += sizeOf(row) - sizeOf(before);
      };
      let changes = replaces === true ? await this.#removeOthers(tx, put) : 0;
      const created = new Set<string>();
      const keys = [...this.#members.keys()];
      for (let at = 0; at < keys.length; at += PORTION) {
        const portion = keys.slice(at, at + PORTION);
        const rows = await tx.get(portion);
        for (const [index, key] of portion.entries()) {
          const before = rows[index] ?? null;
          const row = this.#rowOf(key, before);
          if (row === before) continue;
          put(key, row, before);
          if (before === null && row !== null) created.add(key);
          changes++;
        }
      }
      for (const [key, row] of await this.#surplus(tx, size.entries)) {
        put(key, null, row);
        // What comes and goes at once has changed nothing.
        changes += created.has(key) ? -1 : 1;
      }
      const now = changes === 0 ? head : this.#headAfter(head, size);
      if (now !== head) tx.put(headKey(this.#user), JSON.stringify(now));
      return { head: now, carried: [...this.#carried], skipped: [...this.#skipped] };
    });
  }

  /** Deletions that are not kept any longer. */
  async #surplus(tx: Transaction, entries: number): Promise<Entry[]> {
    const { tombstonesMax = null, nowMs } = this.#options;
    if (tombstonesMax === null || entries <= tombstonesMax) return [];
    return surplusTombstones(tx, this.#user, tombstonesMax, nowMs());
  }

  /** Errors: HttpError 413 where the document would be too long. */
  #headAfter({ modifiedMs }: Head, { entries, bytes }: Omit<Head, 'modifiedMs'>): Head {
    const { documentBytesMax, entriesMax } = this.#limits;
    if (bytes > documentBytesMax) throw tooLarge('document', documentBytesMax);
    if (entries > entriesMax) throw tooLarge('entries', entriesMax);
    return { modifiedMs: Math.max(this.#options.nowMs(), modifiedMs + 1), entries, bytes };
  }

  #rowsNow(keys: readonly string[]): Promise<(string | null)[]> {
    const { storage } = this.#options;
    return storage.read(lockOf(this.#user), (reader) => reader.get(keys));
  }

  /**
   * What an entry would not change now it will not change later either: what is there only ever
   * wins against more.
   */
  #take(key: string, member: Member, row: string | null): void {
    const known = this.#members.get(key);
    const whole = known === undefined ? member : this.#mergedMember(known, member);
    const changes = this.#options.replaces === true || this.#rowFor(whole, row) !== row;
    this.#name(member, row);
    if (!changes || whole === known) return;
    const bytes = known === undefined ? MEMBER_BYTES : 0;
    this.#hold(bytes + 2 * (whole.text.length + whole.name.length));
    this.#members.set(key, detached(whole));
  }

  /** Errors: HttpError 503. */
  #hold(bytes: number): void {
    this.#held += bytes;
    const beyond = this.#held - FIRST_MEMBERS_BYTES;
    if (beyond > 0) this.#share.take(Math.min(bytes, beyond));
  }

  /** Of what the answer says. */
  #name(member: Member, row: string | null): void {
    if (entryOf(member.name, member.text).seconds !== null) return;
    const isHeld = row !== null && this.#rowFor(member, row) === row && row !== memberText(member);
    const names = isHeld ? this.#skipped : this.#carried;
    if (names.size < NAMES_MAX) names.add(member.name);
  }

  #rowOf(key: string, before: string | null): string | null {
    const member = this.#members.get(key);
    return member === undefined ? before : this.#rowFor(member, before);
  }

  #rowFor(member: Member, before: string | null): string {
    const text = memberText(member);
    if (before === null || before === text || this.#options.replaces === true) return text;
    const [held = member] = membersIn(`{${before}}`);
    const stays = this.#mergedMember(held, member);
    return stays === held ? before : memberText(stays);
  }

  #mergedMember(held: Member, posted: Member): Member {
    if (held.text === posted.text) return held;
    const { name } = held;
    const { entryBytesMax } = this.#limits;
    const text = merged(entryOf(name, held.text), entryOf(name, posted.text), entryBytesMax);
    return text === held.text ? held : { name, text };
  }

  async #removeOthers(
    tx: Transaction,
    put: (key: string, row: null, before: string) => void,
  ): Promise<number> {
    let count = 0;
    for (let behind: string | null = null; ; ) {
      const rows = await tx.scan(entryRange(this.#user, behind, PORTION));
      for (const [key, row] of rows)
        if (!this.#members.has(key)) {
          put(key, null, row);
          count++;
        }
      const last = rows.at(-1);
      if (last === undefined) return count;
      behind = last[0];
    }
  }
}

async function headIn(reader: Reader, user: string): Promise<Head> {
  const [text = null] = await reader.get([headKey(user)]);
  return readHead(user, text);
}

/** With the comma behind it. */
function sizeOf(row: string | null): number {
  return row === null ? 0 : Buffer.byteLength(row) + 1;
}

/** Not a part of a longer text, which would be kept with it. */
function detached({ name, text }: Member): Member {
  return { name, text: Buffer.from(text).toString() };
}
