// The collections of users in a ServerStorage: a log of changes, and the records that follow from
// it. What is read in one go is one state; who writes has the collection's lock, in whichever
// process, and what is written is there whole or not at all.

import { damaged } from '../storage/bso-keys.ts';
import type { Reader, ServerStorage, Transaction } from '../storage/server-storage.ts';
import { type Change, GENESIS } from './changes.ts';
import { Queues } from './queues.ts';
import {
  type ChangeRow,
  type CollectionRow,
  Keys,
  readChangeRow,
  readCollectionRow,
  readSeqnum,
} from './rows.ts';

/** Part of a list, and where the next part begins; null: that was the end. */
interface Page<Item, Next> {
  readonly items: readonly Item[];
  readonly next: Next | null;
}

/** How long a page may be; one item is always in it. */
export interface PageLimits {
  readonly items: number;
  /** Of payload. */
  readonly chars: number;
}

/** A change that is a record's last one. */
export interface KeptRecord extends Change {
  readonly payload: string;
}

/** What compaction leaves of a history: the newest changes, and all that are no older than this. */
export interface Keep {
  /** At least 1. */
  readonly changes: number;
  /** 0: however young they are. */
  readonly ageMs: number;
}

/** Where a log ends. */
export type LogEnd = Pick<LogReader, 'row' | 'head'>;

export interface Logs {
  read<T>(user: string, name: string, work: (log: LogReader) => Promise<T>): Promise<T>;
  /**
   * What `work` throws undoes all that it changed. `check` throws where it is not to be done: at
   * the end of the log, or at the one that a writer has left whom this one had to wait for.
   */
  write<T>(
    user: string,
    name: string,
    work: (log: LogWriter) => Promise<T>,
    check?: (end: LogEnd) => void,
  ): Promise<T>;
}

/** Of a payload that lies with its change: of a whole page, no more than a page may have. */
const SHORT_CHARS_MAX = 1_024;
/** Changes that one transaction of a compaction looks at. */
const PORTION = 1_000;

export function keptLogs(storage: ServerStorage): Logs {
  const queues = new Queues<LogEnd>();
  return {
    read: (user, name, work) =>
      storage.read(lockOf(user, name), async (reader) => {
        const keys = new Keys(user, name);
        return work(new LogReader(keys, reader, await rowOf(reader, keys)));
      }),
    write: (user, name, work, check = () => undefined) => {
      const lock = lockOf(user, name);
      return queues.run(lock, check, () =>
        storage.transaction(lock, async (tx) => {
          const keys = new Keys(user, name);
          const log = new LogWriter(keys, tx, await rowOf(tx, keys));
          check(log);
          const result = await work(log);
          return { result, end: { row: log.row, head: log.head } };
        }),
      );
    },
  };
}

function lockOf(user: string, name: string): string {
  return `picl/${user}/${name}`;
}

async function rowOf(reader: Reader, { head }: Keys): Promise<CollectionRow | null> {
  const [text = null] = await reader.get([head]);
  return text === null ? null : readCollectionRow(head, text);
}

export class LogReader {
  readonly #keys: Keys;
  readonly #reader: Reader;
  #row: CollectionRow | null;

  /** `row`: null for a collection that was never written. */
  constructor(keys: Keys, reader: Reader, row: CollectionRow | null) {
    this.#keys = keys;
    this.#reader = reader;
    this.#row = row;
  }

  /** Null: the collection was never written. */
  get row(): CollectionRow | null {
    return this.#row;
  }

  protected set row(row: CollectionRow) {
    this.#row = row;
  }

  get head(): { readonly seqnum: number; readonly changeid: string } {
    return this.#row ?? { seqnum: 0, changeid: GENESIS };
  }

  /** Changes from a seqnum on, in order. */
  async changes(since: number, limits: PageLimits): Promise<Page<Change, number>> {
    const range = this.#keys.changes(since, this.head.seqnum + 1, limits.items + 1);
    const rows = (await this.#reader.scan(range)).map(([key, text]) => placed(key, text));
    const taken = rows.slice(0, countOf(rows, limits));
    return { items: await this.#withPayloads(taken), next: rows[taken.length]?.seqnum ?? null };
  }

  /** Records in the order of their keys, from one to another, both among them. */
  async records(
    { start, end }: { readonly start: string | null; readonly end: string | null },
    limits: PageLimits,
  ): Promise<Page<KeptRecord, string>> {
    const entries = await this.#reader.scan(this.#keys.records(start, end, limits.items + 1));
    const rows = await this.#rowsOf(entries.map(([key, text]) => readSeqnum(key, text)));
    const taken = rows.slice(0, countOf(rows, limits));
    const next = entries[taken.length]?.[0];
    return {
      items: (await this.#withPayloads(taken)) as KeptRecord[],
      next: next === undefined ? null : Keys.recordOf(next),
    };
  }

  /** Null: there is none. */
  async record(key: string): Promise<KeptRecord | null> {
    const { items } = await this.records({ start: key, end: key }, { items: 1, chars: 0 });
    return items[0] ?? null;
  }

  async #rowsOf(seqnums: readonly number[]): Promise<Placed[]> {
    const keys = seqnums.map((seqnum) => this.#keys.change(seqnum));
    const texts = keys.length === 0 ? [] : await this.#reader.get(keys);
    return keys.map((key, index) => {
      const text = texts[index] ?? null;
      if (text === null) throw damaged(key);
      return placed(key, text);
    });
  }

  async #withPayloads(rows: readonly Placed[]): Promise<Change[]> {
    const apart = rows.filter(isApart);
    const keys = apart.map(({ seqnum }) => this.#keys.payload(seqnum));
    const texts = keys.length === 0 ? [] : await this.#reader.get(keys);
    const payloads = new Map(apart.map(({ seqnum }, index) => [seqnum, texts[index] ?? null]));
    return rows.map(({ chars, atMs, payload: own, ...change }) => {
      const payload = own ?? payloads.get(change.seqnum) ?? null;
      if ((payload?.length ?? null) !== chars) throw damaged(this.#keys.payload(change.seqnum));
      return { ...change, payload };
    });
  }
}

type Placed = ChangeRow & { readonly seqnum: number };

function placed(key: string, text: string): Placed {
  return { ...readChangeRow(key, text), seqnum: Keys.seqnumOf(key) };
}

/** Whether its payload is under a key of its own. */
function isApart({ chars, payload }: ChangeRow): boolean {
  return chars !== null && payload === undefined;
}

/** How many of the rows fit into a page. */
function countOf(rows: readonly ChangeRow[], limits: PageLimits): number {
  let chars = 0;
  let count = 0;
  while (count < Math.min(rows.length, limits.items)) {
    chars += rows[count]?.chars ?? 0;
    if (chars > limits.chars && count > 0) break;
    count++;
  }
  return count;
}

export class LogWriter extends LogReader {
  readonly #keys: Keys;
  readonly #tx: Transaction;

  constructor(keys: Keys, tx: Transaction, row: CollectionRow | null) {
    super(keys, tx, row);
    this.#keys = keys;
    this.#tx = tx;
  }

  /** Appends changes that follow the head, one after the other. */
  async append(changes: readonly Change[], nowMs: number): Promise<void> {
    const last = changes.at(-1);
    if (last === undefined) return;
    const begin = changes[0]?.seqnum ?? 0;
    const { first, oldest } = this.row ?? { first: begin, oldest: begin };
    const records = [...new Set(changes.map(({ key }) => this.#keys.record(key)))];
    const texts = await this.#tx.get(records);
    for (const [index, record] of records.entries()) {
      const text = texts[index] ?? null;
      // Its last change was there for it alone.
      if (text !== null && readSeqnum(record, text) < oldest)
        this.#forget(readSeqnum(record, text));
    }
    for (const change of changes) this.#put(change, nowMs);
    const { seqnum, changeid, signature } = last;
    this.#save({ seqnum, changeid, signature, first, oldest });
  }

  /**
   * Ends a part of the history that need not be kept; resolves to how many changes that was. What
   * is a record stays.
   */
  async compact({ changes, ageMs }: Keep, nowMs: number): Promise<number> {
    const { row } = this;
    if (row === null) return 0;
    const range = this.#keys.changes(row.oldest, row.seqnum + 1 - changes, PORTION);
    const entries = await this.#tx.scan(range);
    const rows = entries.map(([key, text]) => placed(key, text));
    const young = rows.findIndex(({ atMs }) => ageMs > 0 && nowMs - atMs < ageMs);
    const old = young < 0 ? rows : rows.slice(0, young);
    const last = old.at(-1);
    if (last === undefined) return 0;
    // Of one key, only the last one can be the record.
    const newest = new Map(old.map(({ key, seqnum }) => [key, seqnum]));
    const texts = await this.#tx.get([...newest.keys()].map((key) => this.#keys.record(key)));
    const alive = new Set([...newest.values()].filter((seqnum, at) => texts[at] === `${seqnum}`));
    for (const change of old)
      if (!alive.has(change.seqnum)) this.#forget(change.seqnum, isApart(change));
    this.#save({ ...row, oldest: last.seqnum + 1 });
    return old.length;
  }

  /** Takes a change away, and its payload if that may be apart. */
  #forget(seqnum: number, isApart = true): void {
    this.#tx.remove(this.#keys.change(seqnum));
    if (isApart) this.#tx.remove(this.#keys.payload(seqnum));
  }

  #put({ payload, seqnum, ...change }: Change, atMs: number): void {
    const row: ChangeRow = { ...change, chars: payload?.length ?? null, atMs };
    const isShort = payload !== null && payload.length <= SHORT_CHARS_MAX;
    const whole = isShort ? { ...row, payload } : row;
    this.#tx.put(this.#keys.change(seqnum), JSON.stringify(whole));
    if (payload === null) {
      this.#tx.remove(this.#keys.record(change.key));
      return;
    }
    if (!isShort) this.#tx.put(this.#keys.payload(seqnum), payload);
    this.#tx.put(this.#keys.record(change.key), `${seqnum}`);
  }

  #save(row: CollectionRow): void {
    this.row = row;
    this.#tx.put(this.#keys.head, JSON.stringify(row));
  }
}
