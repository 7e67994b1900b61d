// Files for SQLite in memory, whose bytes a test sees and changes. Nothing outlives the process,
// and a sync does nothing.

import type { BlockFile, BlockFiles } from '../../platform/sqlite/block-files.ts';

export class MemoryFiles implements BlockFiles {
  readonly bytes = new Map<string, Uint8Array>();
  /** Asked before each call; what it throws is what the call throws. */
  onCall: ((call: keyof BlockFile | keyof BlockFiles, name: string) => void) | null = null;

  constructor(bytes: Iterable<readonly [name: string, bytes: Uint8Array]> = []) {
    for (const [name, one] of bytes) this.bytes.set(name, one.slice());
  }

  /** With the same content, and from then on with its own. */
  copy(): MemoryFiles {
    return new MemoryFiles(this.bytes);
  }

  /** What a file holds; empty without one. */
  of(name: string): Uint8Array {
    return this.bytes.get(name) ?? new Uint8Array(0);
  }

  /** Turns the bits of `mask` in one byte over. */
  flip(name: string, offset: number, mask = 1): void {
    const bytes = this.of(name);
    bytes[offset] = (bytes[offset] ?? 0) ^ mask;
  }

  open(name: string, create: boolean): BlockFile | null {
    this.onCall?.('open', name);
    if (!this.bytes.has(name)) {
      if (!create) return null;
      this.bytes.set(name, new Uint8Array(0));
    }
    const resize = (length: number): Uint8Array => {
      const next = new Uint8Array(length);
      next.set(this.of(name).subarray(0, length));
      this.bytes.set(name, next);
      return next;
    };
    const asked = (call: keyof BlockFile): void => this.onCall?.(call, name);
    return {
      size: () => {
        asked('size');
        return this.of(name).length;
      },
      read: (into, offset) => {
        asked('read');
        const found = this.of(name).subarray(offset, offset + into.length);
        into.set(found);
        return found.length;
      },
      write: (bytes, offset) => {
        asked('write');
        const end = offset + bytes.length;
        (end > this.of(name).length ? resize(end) : this.of(name)).set(bytes, offset);
      },
      truncate: (size) => {
        asked('truncate');
        resize(size);
      },
      sync: () => asked('sync'),
      close: () => asked('close'),
    };
  }

  exists(name: string): boolean {
    this.onCall?.('exists', name);
    return this.bytes.has(name);
  }

  remove(name: string): void {
    this.onCall?.('remove', name);
    this.bytes.delete(name);
  }

  rename(from: string, to: string): void {
    this.onCall?.('rename', from);
    this.bytes.set(to, this.of(from));
    this.bytes.delete(from);
  }
}
