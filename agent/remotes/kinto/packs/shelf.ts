// The packs of a collection that are in memory: those that were asked for last. What is in one may
// be older than what the server has: a write under its stamp finds out.

import { SyncError } from '../../../errors.ts';
import { member } from '../../../wire/document.ts';
import type { Envelope } from '../../remote.ts';
import type { Kinto } from '../http.ts';
import { foundOf } from '../records.ts';
import { FILLED_MAX, PACKS_KEPT, UNMADE_MAX } from './limits.ts';
import type { OwnPacks } from './own.ts';
import { LIVE, type Pack } from './pack.ts';
import type { PackSeal } from './seal.ts';

export interface ShelfPack {
  readonly id: string;
  /** The server's stamp of what is here; null: there is none. */
  stamp: string | null;
  /** Null: it does not open. */
  pack: Pack | null;
  /** All that is in it this device has, in these versions: it has made the pack in this pass. */
  isOwn: boolean;
}

export interface Shelf {
  /**
   * These packs, from the server where they are not here. Null: the server answers no batch, for
   * nobody may write. Errors: those of the batch and of the crypto; `unavailable`.
   */
  load(ids: readonly string[]): Promise<ShelfPack[] | null>;
  /** What the server has of a pack now. Errors: those of the crypto. */
  put(envelope: Envelope): Promise<ShelfPack>;
  /** The server has taken the pack as it is here, under this stamp. */
  stored(pack: ShelfPack, stamp: string): void;
  drop(id: string): void;
  /**
   * These are most likely not on the server: they are not asked for. Who writes one all the same
   * meets what is there.
   */
  expectNone(ids: readonly string[]): void;
  /**
   * It is full, of records that this device has: no new one is in it, whoever has changed it since,
   * and none may be.
   */
  isFilled(id: string): boolean;
}

export function openShelf(kinto: Kinto, collection: string, seal: PackSeal, own: OwnPacks): Shelf {
  const kept = new Map<string, ShelfPack>();
  const unmade = new Set<string>();
  const filled = new Set<string>();
  const keep = (one: ShelfPack): ShelfPack => {
    kept.delete(one.id);
    kept.set(one.id, one);
    for (const id of kept.keys()) if (kept.size > PACKS_KEPT) kept.delete(id);
    return one;
  };
  const put = async ({ id, version, payload }: Envelope): Promise<ShelfPack> => {
    if (payload === null) return keep(emptyPack(id));
    const pack = await seal.open(id, payload);
    return keep({ id, stamp: version, pack, isOwn: own.has(version) });
  };
  return {
    put,
    stored(pack, stamp) {
      if (pack.isOwn) own.add(stamp, pack.stamp);
      pack.stamp = stamp;
      filled.delete(pack.id);
      if (pack.isOwn && isFullOfLive(pack)) keepIn(filled, pack.id, FILLED_MAX);
    },
    isFilled(id) {
      if (!filled.has(id)) return false;
      filled.delete(id);
      filled.add(id);
      return true;
    },
    drop: (id) => void kept.delete(id),
    expectNone(ids) {
      for (const id of ids) keepIn(unmade, id, UNMADE_MAX);
    },
    async load(ids) {
      for (const id of ids) if (unmade.delete(id)) keep(emptyPack(id));
      const missing = ids.filter((id) => !kept.has(id));
      const answers =
        missing.length === 0
          ? []
          : await kinto.ask(
              missing.map((id) => ({ method: 'GET', path: kinto.recordPath(collection, id) })),
            );
      if (answers === 'readOnly') return null;
      const packs = new Map(
        ids.flatMap((id) => [kept.get(id) ?? []].flat().map((one) => [id, one])),
      );
      for (const [at, id] of missing.entries()) {
        const answer = answers[at];
        const data = answer?.status === 200 ? member(answer.body, 'data') : null;
        const found = data === null ? null : foundOf(data, id, 0, null);
        if (found?.kind === 'found') packs.set(id, await put(found.envelope));
        else if (answer?.status === 404) packs.set(id, keep(emptyPack(id)));
        else throw new SyncError('unavailable', `${collection}: a pack is not to be had`);
      }
      return ids.map((id) => keep(packs.get(id) ?? emptyPack(id)));
    },
  };
}

/** What is deleted, or on its way to lie alone, may be to be made anew. */
function isFullOfLive({ pack }: ShelfPack): boolean {
  return pack?.isFull === true && [...pack.entries.values()].every(({ kind }) => kind === LIVE);
}

/** The one that came first makes room. */
function keepIn(names: Set<string>, name: string, countMax: number): void {
  names.add(name);
  for (const first of names) if (names.size > countMax) names.delete(first);
}

function emptyPack(id: string): ShelfPack {
  return { id, stamp: null, pack: { isFull: false, entries: new Map() }, isOwn: true };
}
