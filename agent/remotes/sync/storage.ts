// The storage of Firefox Sync, as both of its protocols speak it: collections of BSOs whose version
// is a time, a cheap poll, uploads under the collection's time. It speaks HTTP and nothing else: it
// never touches the device's storage, never decrypts, keeps no record.

import type {
  Fetched,
  Outgoing,
  Page,
  PushResult,
  RemoteOptions,
  Stored,
  Upload,
} from '../remote.ts';
import type { Cursor } from './cursor.ts';

/** What the storage needs of a pass, or of whoever asks it outside of one. */
export type StorageOptions = Pick<
  RemoteOptions,
  'platform' | 'config' | 'keyName' | 'memory' | 'cache' | 'notes' | 'abort'
>;

export interface SyncPage extends Pick<Page, 'next' | 'cancel'> {
  /** Version of the collection that this listing shows. */
  readonly stampMs: number;
  /** The server's time when it answered; null: it does not say. */
  readonly serverNowMs: number | null;
  /**
   * After the end: the next page, or null for none. Errors: `badResponse` for a token that is none.
   */
  nextPage(): string | null;
}

/** What a cheap poll asks about, and since when. */
export interface PollItem {
  readonly collection: string;
  /** A single record of it, or null for the whole collection. */
  readonly id: string | null;
  readonly knownMs: number;
}

export interface SyncStorage {
  /** Names where the user's data is. At another place nothing that was known of the first holds. */
  place(): string | Promise<string>;
  /** Which of these changed (true) since the known versions. One request. */
  poll(items: readonly PollItem[]): Promise<boolean[]>;
  fetch(collection: string, id: string): Promise<Fetched>;
  /**
   * A page of changes, the oldest first. Null: the collection has not changed since the cursor.
   * `restart`: the listing moved on while it was read; start again from the cursor's times.
   */
  changes(collection: string, cursor: Cursor): Promise<SyncPage | 'restart' | null>;
  /** Writes one record by itself; what it was made from is judged by the record's own version. */
  write(collection: string, record: Outgoing): Promise<PushResult>;
  /** Opens an upload; `cursor` is where the last pull ended. */
  upload(collection: string, cursor: Cursor): Promise<SyncUpload>;
}

export interface SyncUpload extends Omit<Upload, 'commit'> {
  /** As `Upload.commit`; the version is the collection's. */
  commit(): Promise<Stored | { readonly kind: 'moved' | 'none' }>;
}

/** A record that was stored at this time of the server's. */
export function stored(modifiedMs: number): Stored {
  return { kind: 'stored', version: `${modifiedMs}`, modifiedMs };
}
