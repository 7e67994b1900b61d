// The device's flash: files in pages, with a quota, wear, latency, and power that can go.
// Written pages stay in a small cache until a sync, or until the cache is full; programming a page
// is one event, and so is writing down a file's new size, existence or removal. The power can be
// cut at any event; flash-image.ts says what is then left. All else is deterministic.
// Not modelled: erase blocks, bit rot, bad blocks. Wear is counted for each page of a file.

import type { BlockFile, BlockFiles } from '../../platform/sqlite/block-files.ts';
import { StorageError } from '../../platform/storage-rules.ts';
import type { FlashProfile } from '../profiles.ts';
import {
  type Fault,
  type FlashImage,
  hasDirtyMetadata,
  imageAfterCut,
  type LiveFile,
  liveFile,
  noFile,
  settleMetadata,
} from './flash-image.ts';
import type { Random } from './random.ts';

/** The power went; nothing works any more until `reboot`. Not an error of the storage port. */
export class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

interface FlashOptions {
  readonly profile: FlashProfile;
  /** Takes the time that the device waits for its flash. */
  charge(durationUs: number): void;
  /** What is on the flash from the beginning. */
  readonly image?: FlashImage;
}

interface FlashCounters {
  /** Pages of files that were programmed. */
  pagesProgrammed: number;
  /** Pages of the file system's own: one for a new size, a new file or a removal. */
  metadataProgrammed: number;
  pagesRead: number;
  syncs: number;
}

/** Pages of one file that may wait for a sync. */
const DIRTY_PAGES_MAX = 64;

export class Flash implements BlockFiles {
  readonly counters: FlashCounters = {
    pagesProgrammed: 0,
    metadataProgrammed: 0,
    pagesRead: 0,
    syncs: 0,
  };
  /** The event (from 1) that the power does not outlive; null for never. */
  cutAt: number | null = null;
  /** Called before every event, for tests that look at what a cut there would leave. */
  onEvent: (() => void) | null = null;

  readonly #options: FlashOptions;
  readonly #files = new Map<string, LiveFile>();
  #isOff = false;

  constructor(options: FlashOptions) {
    this.#options = options;
    for (const [name, file] of options.image ?? []) this.#files.set(name, liveFile(file));
  }

  /** Flash writes so far: pages programmed, the file system's own included. */
  get events(): number {
    return this.counters.pagesProgrammed + this.counters.metadataProgrammed;
  }

  /** How often the most programmed page of any file was programmed. */
  get wearMax(): number {
    let most = 0;
    for (const { durable } of this.#files.values()) {
      for (const page of durable.pages) most = Math.max(most, page?.wear ?? 0);
    }
    return most;
  }

  /** Cuts the power now, between two events. */
  powerOff(): void {
    this.#isOff = true;
  }

  /** What a power cut at this instant would leave. Changes nothing. */
  imageAfterCut(random: Random, fault: Fault): FlashImage {
    return imageAfterCut(this.#files, random, fault);
  }

  /**
   * The flash as it is when the power is back, `random` having decided about un-synced writes.
   * The counters go on. This one stays off.
   */
  reboot(random: Random, fault: Fault): Flash {
    this.powerOff();
    const next = new Flash({ ...this.#options, image: this.imageAfterCut(random, fault) });
    Object.assign(next.counters, this.counters);
    return next;
  }

  open(name: string, create: boolean): BlockFile | null {
    this.#needPower();
    let file = this.#files.get(name);
    if (!file?.exists) {
      if (!create) return null;
      file ??= liveFile(noFile);
      file.exists = true;
      this.#files.set(name, file);
    }
    return this.#handle(file);
  }

  exists(name: string): boolean {
    this.#needPower();
    return this.#files.get(name)?.exists ?? false;
  }

  remove(name: string): void {
    this.#needPower();
    const file = this.#files.get(name);
    if (!file?.exists) return;
    file.exists = false;
    this.#truncate(file, 0);
    this.#writeMetadata(file);
  }

  rename(from: string, to: string): void {
    this.#needPower();
    const file = this.#files.get(from);
    if (!file?.exists) throw new StorageError('failed', `there is no file ${from}`);
    this.#event('metadataProgrammed');
    this.#files.delete(from);
    this.#files.set(to, file);
  }

  #handle(file: LiveFile): BlockFile {
    return {
      size: () => file.sizeBytes,
      read: (into, offset) => this.#read(file, into, offset),
      write: (bytes, offset) => this.#write(file, bytes, offset),
      truncate: (size) => this.#truncate(file, size),
      sync: () => this.#sync(file),
      close() {},
    };
  }

  #read(file: LiveFile, into: Uint8Array, offset: number): number {
    this.#needPower();
    const length = Math.max(0, Math.min(into.length, file.sizeBytes - offset));
    for (const piece of this.#pieces(offset, length)) {
      const page = this.#page(file, piece.index);
      const target = into.subarray(piece.at, piece.at + piece.length);
      if (page) target.set(page.subarray(piece.start, piece.start + piece.length));
      else target.fill(0);
    }
    return length;
  }

  #write(file: LiveFile, bytes: Uint8Array, offset: number): void {
    this.#needPower();
    if (offset + bytes.length > file.sizeBytes) this.#grow(file, offset + bytes.length);
    for (const piece of this.#pieces(offset, bytes.length)) {
      const isWhole = piece.length === this.#options.profile.pageBytes;
      const page = this.#dirtyPage(file, piece.index, isWhole);
      page.set(bytes.subarray(piece.at, piece.at + piece.length), piece.start);
      this.#evict(file);
    }
  }

  #truncate(file: LiveFile, sizeBytes: number): void {
    this.#needPower();
    if (sizeBytes > file.sizeBytes) this.#grow(file, sizeBytes);
    else this.#shrink(file, sizeBytes);
  }

  #shrink(file: LiveFile, sizeBytes: number): void {
    const { pageBytes } = this.#options.profile;
    const kept = Math.ceil(sizeBytes / pageBytes);
    for (const index of file.dirty.keys()) if (index >= kept) file.dirty.delete(index);
    for (let index = kept; index < file.durable.pages.length; index++) file.dropped.add(index);
    const tail = sizeBytes % pageBytes;
    if (tail > 0) this.#dirtyPage(file, kept - 1, false).fill(0, tail);
    file.sizeBytes = sizeBytes;
  }

  #sync(file: LiveFile): void {
    this.#needPower();
    this.counters.syncs++;
    this.#options.charge(this.#options.profile.syncUs);
    for (const index of file.dirty.keys()) this.#program(file, index);
    if (hasDirtyMetadata(file)) this.#writeMetadata(file);
  }

  #grow(file: LiveFile, sizeBytes: number): void {
    const { pageBytes, quotaBytes } = this.#options.profile;
    const pagesOf = (size: number) => Math.ceil(size / pageBytes);
    let pages = pagesOf(sizeBytes) - pagesOf(file.sizeBytes);
    for (const { exists, sizeBytes: size } of this.#files.values())
      if (exists) pages += pagesOf(size);
    if (pages * pageBytes > quotaBytes) throw new StorageError('full', 'the flash is full');
    file.sizeBytes = sizeBytes;
  }

  /** The content of a page, or undefined for zeros. */
  #page(file: LiveFile, index: number): Uint8Array | undefined {
    const dirty = file.dirty.get(index);
    if (dirty || file.dropped.has(index)) return dirty;
    const durable = file.durable.pages[index];
    if (!durable) return undefined;
    this.counters.pagesRead++;
    this.#options.charge(this.#options.profile.readUs);
    return durable.bytes;
  }

  /** A page that may be written to. `isWhole`: all of it will be, so nothing has to be read. */
  #dirtyPage(file: LiveFile, index: number, isWhole: boolean): Uint8Array {
    let page = file.dirty.get(index);
    if (!page) {
      const old = isWhole ? undefined : this.#page(file, index);
      page = old?.slice() ?? new Uint8Array(this.#options.profile.pageBytes);
      file.dirty.set(index, page);
    }
    return page;
  }

  /** Programs the page that has waited longest when too many wait. */
  #evict(file: LiveFile): void {
    const [oldest] = file.dirty.keys();
    if (oldest !== undefined && file.dirty.size > DIRTY_PAGES_MAX) this.#program(file, oldest);
  }

  #program(file: LiveFile, index: number): void {
    const bytes = file.dirty.get(index);
    if (!bytes) return;
    this.#event('pagesProgrammed');
    const wear = (file.durable.pages[index]?.wear ?? 0) + 1;
    file.durable.pages[index] = { bytes, wear };
    file.dirty.delete(index);
    file.dropped.delete(index);
  }

  #writeMetadata(file: LiveFile): void {
    this.#event('metadataProgrammed');
    settleMetadata(file);
  }

  /** One flash write is about to happen: it does, or the power goes. */
  #event(counter: 'pagesProgrammed' | 'metadataProgrammed'): void {
    this.#needPower();
    this.onEvent?.();
    if (this.events + 1 === this.cutAt) {
      this.powerOff();
      this.#needPower();
    }
    this.counters[counter]++;
    this.#options.charge(this.#options.profile.programUs);
  }

  #needPower(): void {
    if (this.#isOff) throw new PowerCut('the power is off');
  }

  /** The parts of a byte range by page. */
  *#pieces(offset: number, length: number) {
    const { pageBytes } = this.#options.profile;
    for (let at = 0; at < length; ) {
      const start = (offset + at) % pageBytes;
      const piece = Math.min(pageBytes - start, length - at);
      yield { index: Math.floor((offset + at) / pageBytes), start, at, length: piece };
      at += piece;
    }
  }
}
