// A page of a collection with packs: each pack is taken apart, and its records are listed as if
// each came alone. The position is behind a pack when all of its records are stored.

import { eachPage } from '../../../store/pages.ts';
import { NO_ENTRY } from '../../../store/record.ts';
import type { CollectionStore } from '../../../store/store.ts';
import { isHashedId } from '../../ids.ts';
import type { Envelope, Fetched, Listed, Page, Position } from '../../remote.ts';
import type { OwnPacks } from './own.ts';
import { ALONE, levelOf, type Pack, packIdOf, placeOfVersion, versionOf } from './pack.ts';
import type { PackSeal } from './seal.ts';

interface PageOptions {
  readonly store: CollectionStore;
  readonly seal: PackSeal;
  readonly own: Pick<OwnPacks, 'has'>;
  /** A record that lies alone. */
  fetchAlone(id: string): Promise<Fetched>;
}

export function packedPage(page: Page, options: PageOptions): Page {
  /** Records that are not behind the position, by what of the server's page they came of. */
  const open: { left: number; position: Position }[] = [];
  /** Behind all that came before them; null: nothing has come. */
  let behind: Position | null = null;
  /** What has arrived and is not taken apart. */
  const arrived: Listed[] = [];
  let more = true;
  /** A page without a record looks like one of a listing without an end. */
  let hasRecords = false;
  const follow = (listed: Listed, left: number): void => {
    behind ??= page.position([], false);
    const position = page.position([listed], false);
    const last = open[open.length - 1];
    if (left > 0) open.push({ left, position });
    // What shows no record takes no room, however much of it there is.
    else if (last !== undefined) last.position = position;
    else behind = position;
  };
  return {
    serverNowMs: page.serverNowMs,
    async next(out) {
      if (arrived.length === 0) more = await page.next(arrived);
      for (let one = arrived.shift(); one !== undefined; one = arrived.shift()) {
        const records = hasRecords && isOwn(one, options) ? [] : await recordsOf(one, options);
        hasRecords ||= records.length > 0;
        follow(one, records.length);
        for (const record of records) out.push(record);
        // One pack at a time is in memory as records.
        if (levelOf(one.ok ? one.envelope.id : one.id) !== null) break;
      }
      return more || arrived.length > 0;
    },
    position(taken, isEnd) {
      let count = taken.length;
      for (let first = open[0]; first !== undefined; first = open[0]) {
        const part = Math.min(first.left, count);
        first.left -= part;
        count -= part;
        if (first.left > 0) break;
        behind = first.position;
        open.shift();
      }
      if (count > 0 || (isEnd && open.length > 0))
        throw new TypeError('these are not the records of the page');
      return isEnd || behind === null ? page.position([], isEnd) : behind;
    },
    hasNext: () => page.hasNext(),
    cancel: () => page.cancel(),
  };
}

/** There is nothing in it that the device does not know. */
function isOwn(listed: Listed, { own, store }: PageOptions): boolean {
  const { resetting, quarantined } = store.state;
  // A whole listing has to show each record, and what was set aside is to be looked at again.
  if (!listed.ok || listed.envelope.payload === null || resetting || quarantined > 0) return false;
  return levelOf(listed.envelope.id) !== null && own.has(listed.envelope.version);
}

/** The records that a listed one stands for. */
async function recordsOf(listed: Listed, options: PageOptions): Promise<Listed[]> {
  const id = listed.ok ? listed.envelope.id : listed.id;
  const level = levelOf(id);
  if (level === null || !listed.ok) return [listed];
  const { envelope, chars } = listed;
  const { payload } = envelope;
  if (payload === null) return lostOf(envelope, level, options.store);
  const pack = await options.seal.open(id, payload);
  if (pack === null) return [{ ok: false, id, code: 'badPack', chars }];
  return [...(await mended(id, options.store)), ...(await entriesOf(pack, id, level, options))];
}

async function entriesOf(
  pack: Pack,
  packId: string,
  level: number,
  options: PageOptions,
): Promise<Listed[]> {
  const records: Listed[] = [];
  for (const [id, entry] of pack.entries) {
    // Nobody looks for it here: it says nothing of the record of that id.
    if (packIdOf(id, level) !== packId) continue;
    const { text, writtenMs, kind } = entry;
    if (kind === ALONE) {
      if (text === '') continue;
      // On its way out: where it lies alone already, that is listed by itself.
      const alone = await options.fetchAlone(id);
      if (alone.kind === 'found') continue;
    }
    const version = versionOf(level, entry);
    const envelope = { id, version, modifiedMs: writtenMs, payload: text };
    records.push({ ok: true, envelope, chars: text.length + version.length + id.length });
  }
  return records;
}

/** The server says that a pack is deleted, and nobody with the key: what is held of it is lost. */
async function lostOf(
  { id: packId, modifiedMs }: Envelope,
  level: number,
  store: CollectionStore,
): Promise<Listed[]> {
  const records: Listed[] = [];
  await eachPage(store, false, async (ids) => {
    const near = ids.filter((id) => isHashedId(id) && packIdOf(id, level) === packId);
    const entries = await store.load(near);
    for (const [at, id] of near.entries()) {
      const version = entries[at]?.mirror?.version ?? null;
      if (placeOfVersion(version)?.level !== level) continue;
      const envelope = { id, version: LOST, modifiedMs, payload: null };
      records.push({ ok: true, envelope, chars: id.length });
    }
  });
  return records;
}

/** A pack that did not open was set aside under its own name: that it opens takes the mark away. */
async function mended(packId: string, { state, load }: CollectionStore): Promise<Listed[]> {
  const [{ quarantined } = NO_ENTRY] = state.quarantined > 0 ? await load([packId]) : [];
  if (!quarantined) return [];
  const envelope = { id: packId, version: LOST, modifiedMs: 0, payload: '' };
  return [{ ok: true, envelope, chars: packId.length }];
}

/** The version of what is not there. */
const LOST = versionOf(0, { writtenMs: 0, salt: 0 });
