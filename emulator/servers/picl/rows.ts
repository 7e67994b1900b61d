// Which key of a ServerStorage holds what of a PiCL collection:
//
//   ph/USER/NAME            its head, and from where on its history is kept
//   pl/USER/NAME/SEQNUM     a change, with its payload unless that is long
//   pv/USER/NAME/SEQNUM     the payload that is not with it
//   pr/USER/NAME/KEY        a record: the seqnum of the change that wrote it
//   pn/USER/SECONDS/HASH    a request whose body nobody has signed, and that was taken
//
// A payload is there once: a record is its last change, and of changes that are older than the
// history only those are there. An older version has put all payloads apart. Keys are in the order
// of their bytes, and so are seqnums (16 digits) and records.

import { isObject, parseObject } from '../http.ts';
import { damaged } from '../storage/bso-keys.ts';
import type { KeyRange } from '../storage/server-storage.ts';
import type { Change } from './changes.ts';

/** The last change, and the seqnums of the first one that ever was, and of the oldest that is. */
export interface CollectionRow {
  readonly seqnum: number;
  readonly changeid: string;
  readonly signature: string;
  readonly first: number;
  readonly oldest: number;
}

export interface ChangeRow extends Omit<Change, 'payload' | 'seqnum'> {
  /** Of its payload; null: it has none. */
  readonly chars: number | null;
  /** Undefined: it is apart, or there is none. */
  readonly payload?: string;
  /** When it came, by the server's clock. */
  readonly atMs: number;
}

/** One collection of one user. */
export class Keys {
  /** Before all heads. */
  static readonly heads = 'ph/';
  readonly head: string;
  readonly #place: string;

  constructor(user: string, name: string) {
    this.#place = `${user}/${name}`;
    this.head = `${Keys.heads}${this.#place}`;
  }

  change(seqnum: number): string {
    return `pl/${this.#place}/${digits(seqnum)}`;
  }

  payload(seqnum: number): string {
    return `pv/${this.#place}/${digits(seqnum)}`;
  }

  record(key: string): string {
    return `pr/${this.#place}/${key}`;
  }

  /** Changes from one on, up to another one that is not among them. */
  changes(from: number, to: number, limit: number): KeyRange {
    return { from: this.change(from), to: this.change(to), limit };
  }

  /** Records from one key to another, both among them; null: from the first, to the last. */
  records(start: string | null, end: string | null, limit: number): KeyRange {
    const { from, to } = { from: this.record(start ?? '!'), to: this.record(end ?? '~') };
    // Nothing that a key may go on with sorts before the exclamation mark.
    return { from, to: end === null ? to : `${to}!`, limit };
  }

  /** A request that was taken; without its name, where those of that second begin. */
  static taken(user: string, seconds: number, name = ''): string {
    return `pn/${user}/${digits(seconds)}/${name}`;
  }

  /** Of the key of a head. */
  static ownerOf(key: string): { user: string; name: string } {
    const [, user = '', name = ''] = key.split('/');
    return { user, name };
  }

  /** Of the key of a change. */
  static seqnumOf(key: string): number {
    return Number(key.slice(key.lastIndexOf('/') + 1));
  }

  /** Of the key of a record. */
  static recordOf(key: string): string {
    return key.slice(key.lastIndexOf('/') + 1);
  }
}

export function readCollectionRow(key: string, text: string): CollectionRow {
  const { seqnum, changeid, signature, first, oldest } = parseObject(text) ?? {};
  const isWhole = [seqnum, first, oldest].every(Number.isSafeInteger);
  if (!isWhole || typeof changeid !== 'string' || typeof signature !== 'string') throw damaged(key);
  return { seqnum, changeid, signature, first, oldest } as CollectionRow;
}

export function readChangeRow(key: string, text: string): ChangeRow {
  const row = parseObject(text);
  const isWhole =
    isObject(row) &&
    [row.key, row.changeid, row.signature].every((value) => typeof value === 'string') &&
    [row.chars ?? 0, row.atMs].every((value) => typeof value === 'number') &&
    (row.payload === undefined || isPayload(row.payload, row.chars));
  if (!isWhole) throw damaged(key);
  return row as unknown as ChangeRow;
}

function isPayload(value: unknown, chars: unknown): boolean {
  return typeof value === 'string' && value.length === chars;
}

export function readSeqnum(key: string, text: string): number {
  if (!/^\d{1,16}$/.test(text)) throw damaged(key);
  return Number(text);
}

function digits(number: number): string {
  return String(number).padStart(16, '0');
}
