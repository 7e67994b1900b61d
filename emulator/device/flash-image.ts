// What is on the flash, and what a power cut makes of it. Synced pages and sizes always survive;
// of everything else a seed decides whether it reached the flash, wholly, in part or not at all,
// in any combination, so every order of writes is covered. Never changes the files that it is
// given.

import type { Random } from './random.ts';

interface Page {
  /** Never changed in place: images share them. */
  readonly bytes: Uint8Array;
  /** How often this page of the file was programmed. */
  readonly wear: number;
}

export interface FileImage {
  readonly exists: boolean;
  readonly sizeBytes: number;
  /** By page number; a missing one reads as zeros. */
  readonly pages: readonly (Page | undefined)[];
}

export type FlashImage = ReadonlyMap<string, FileImage>;

/** A file while the power is on. */
export interface LiveFile {
  durable: { exists: boolean; sizeBytes: number; pages: (Page | undefined)[] };
  exists: boolean;
  sizeBytes: number;
  /** Written, not yet programmed. */
  readonly dirty: Map<number, Uint8Array>;
  /** Durable pages that a truncation gave up; they are still there until it is durable itself. */
  readonly dropped: Set<number>;
}

/**
 * The fate of what was not synced: all of it reached the flash, nothing did, each page and size did
 * or did not, or pages may also be torn: each 512-byte sector old, new or noise.
 */
export type Fault = 'kept' | 'lost' | 'reordered' | 'torn';

const TORN_UNIT_BYTES = 512;

export function liveFile(image: FileImage): LiveFile {
  return {
    durable: { ...image, pages: [...image.pages] },
    exists: image.exists,
    sizeBytes: image.sizeBytes,
    dirty: new Map(),
    dropped: new Set(),
  };
}

export const noFile: FileImage = { exists: false, sizeBytes: 0, pages: [] };

/** Whether the file's size or existence still has to be written. */
export function hasDirtyMetadata({ durable, exists, sizeBytes, dropped }: LiveFile): boolean {
  return durable.exists !== exists || durable.sizeBytes !== sizeBytes || dropped.size > 0;
}

/** Makes size and existence durable; dropped pages then read as zeros. */
export function settleMetadata(file: LiveFile): void {
  const { durable, dropped } = file;
  durable.exists = file.exists;
  durable.sizeBytes = file.sizeBytes;
  for (const index of dropped) durable.pages[index] = emptied(durable.pages[index]);
  dropped.clear();
}

export function imageAfterCut(
  files: ReadonlyMap<string, LiveFile>,
  random: Random,
  fault: Fault,
): FlashImage {
  return new Map([...files].map(([name, file]) => [name, fileAfterCut(file, random, fault)]));
}

function fileAfterCut(file: LiveFile, random: Random, fault: Fault): FileImage {
  const left = liveFile(file.durable);
  if (fate(random, fault, 2) === KEPT) {
    left.exists = file.exists;
    left.sizeBytes = file.sizeBytes;
    for (const index of file.dropped) left.dropped.add(index);
    settleMetadata(left);
  }
  const { pages } = left.durable;
  for (const [index, bytes] of file.dirty) {
    const old = pages[index];
    const outcome = fate(random, fault, 3);
    if (outcome === LOST) continue;
    const now = outcome === KEPT ? bytes.slice() : torn(random, old?.bytes, bytes);
    pages[index] = { bytes: now, wear: (old?.wear ?? 0) + 1 };
  }
  return left.durable;
}

const KEPT = 0;
const LOST = 1;

/** One of `choices` outcomes: kept, lost, or (2) torn. */
function fate(random: Random, fault: Fault, choices: 2 | 3): number {
  if (fault === 'kept') return KEPT;
  if (fault === 'lost') return LOST;
  return random.uint32() % (fault === 'torn' ? choices : 2);
}

function torn(random: Random, before: Uint8Array | undefined, after: Uint8Array): Uint8Array {
  const mixed = before?.slice() ?? new Uint8Array(after.length);
  for (let start = 0; start < mixed.length; start += TORN_UNIT_BYTES) {
    const end = start + TORN_UNIT_BYTES;
    const outcome = random.uint32() % 3;
    if (outcome === 1) mixed.set(after.subarray(start, end), start);
    if (outcome === 2) mixed.set(random.bytes(TORN_UNIT_BYTES), start);
  }
  return mixed;
}

function emptied(page: Page | undefined): Page | undefined {
  return page && { bytes: new Uint8Array(page.bytes.length), wear: page.wear };
}
