// What becomes of one change in the pack that it may belong to, as that pack is on the server. The
// pack in memory is changed, and nothing is sent.

import type { Fetched, Outgoing } from '../../remote.ts';
import { ENTRY_BYTES_MAX, FULL_BYTES, PACK_BYTES_MAX } from './limits.ts';
import {
  ALONE,
  bytesOfEntry,
  bytesOfPack,
  DELETED,
  LEVELS,
  LIVE,
  type Pack,
  type PackEntry,
  versionOf,
} from './pack.ts';
import { NO_TEXT, piecesOf } from './texts.ts';

/** `hasChanged`: the pack has, and counts only when it is stored. */
export type Placed =
  | { readonly kind: 'written'; readonly entry: PackEntry; readonly hasChanged: true }
  /** No pack has the record: it lies alone, or is to be there. */
  | { readonly kind: 'alone'; readonly hasChanged: boolean }
  /** The pack is full of others. */
  | { readonly kind: 'deeper'; readonly hasChanged: boolean }
  /** `theirs` left out: it lies alone. */
  | { readonly kind: 'conflict'; readonly theirs?: Fetched; readonly hasChanged: false };

/** When and under which salt an entry is written that takes the place of another one. */
export type Stamp = (before?: PackEntry) => Pick<PackEntry, 'writtenMs' | 'salt'>;

export function place(
  pack: Pack,
  level: number,
  { id, payload, base }: Outgoing,
  stamp: Stamp,
): Placed {
  const text = payload ?? '';
  const before = pack.entries.get(id);
  if (before === undefined) {
    if (base === null) return placeNew(pack, level, id, text, stamp);
    return { kind: 'conflict', theirs: { kind: 'missing' }, hasChanged: false };
  }
  const version = versionOf(level, before);
  if (before.kind === ALONE) {
    const isToBe = base === (before.text === '' ? null : version);
    return { kind: isToBe ? 'alone' : 'conflict', hasChanged: false };
  }
  if (base !== version) {
    const envelope = { id, version, modifiedMs: before.writtenMs, payload: before.text };
    const theirs = { kind: 'found', envelope, serverNowMs: null } as const;
    return { kind: 'conflict', theirs, hasChanged: false };
  }
  const pieces = piecesOf(text);
  const own = bytesOfEntry(pieces);
  const bytes = bytesOfPack(pack) - bytesOfEntry(before) + own;
  if (own > ENTRY_BYTES_MAX || bytes > PACK_BYTES_MAX) {
    // What was here stays until it lies there.
    pack.entries.set(id, { ...before, kind: ALONE });
    return { kind: 'alone', hasChanged: true };
  }
  return write(pack, id, pieces, stamp(before));
}

function placeNew(pack: Pack, level: number, id: string, text: string, stamp: Stamp): Placed {
  if (pack.isFull) return { kind: 'deeper', hasChanged: false };
  const pieces = piecesOf(text);
  const own = bytesOfEntry(pieces);
  const isAlone = own > ENTRY_BYTES_MAX;
  const bytes = bytesOfPack(pack) + (isAlone ? bytesOfEntry(NO_TEXT) : own);
  const hasRoom = bytes <= FULL_BYTES || pack.entries.size === 0;
  if (!hasRoom && level < LEVELS - 1) {
    pack.isFull = true;
    return { kind: 'deeper', hasChanged: true };
  }
  if (hasRoom && !isAlone) return write(pack, id, pieces, stamp());
  pack.entries.set(id, { ...stamp(), kind: ALONE, ...NO_TEXT });
  return { kind: 'alone', hasChanged: true };
}

function write(
  pack: Pack,
  id: string,
  pieces: ReturnType<typeof piecesOf>,
  times: ReturnType<Stamp>,
): Extract<Placed, { kind: 'written' }> {
  const entry: PackEntry = { ...times, kind: pieces.text === '' ? DELETED : LIVE, ...pieces };
  pack.entries.set(id, entry);
  return { kind: 'written', entry, hasChanged: true };
}
