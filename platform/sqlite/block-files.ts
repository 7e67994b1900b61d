// The files that SQLite needs of a device: interfaces only, synchronous throughout.
// Offsets and sizes are bytes. A method that fails throws a StorageError (`full` when there is no
// room, else `failed`), which undoes the commit; anything else thrown (a power cut) ends the store.

export interface BlockFiles {
  /** Opens a file, empty if it is new; null when it is missing and `create` is false. */
  open(name: string, create: boolean): BlockFile | null;
  exists(name: string): boolean;
  /** Removes a file, durably: after this returns, no power cut brings it back. */
  remove(name: string): void;
  /**
   * Gives a closed and synced file another name, durably, in place of the file that had it: at once
   * or not at all.
   */
  rename(from: string, to: string): void;
}

export interface BlockFile {
  size(): number;
  /** Fills `into` from `offset` and returns how many bytes the file had for it. */
  read(into: Uint8Array, offset: number): number;
  /** Grows the file where needed. Nothing is durable before `sync`. */
  write(bytes: Uint8Array, offset: number): void;
  /** Shrinks or grows (with zeros) the file to `size`: a power cut leaves one size or the other. */
  truncate(size: number): void;
  /** Makes content and size of this file durable. */
  sync(): void;
  close(): void;
}
