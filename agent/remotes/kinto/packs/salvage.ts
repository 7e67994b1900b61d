// A pack that does not open, in whose place a change of the device is to be written at last: what
// the device holds of it goes along. What others alone have of it goes up when they compare.

import type { Held } from '../../remote.ts';
import { PACK_BYTES_MAX } from './limits.ts';
import {
  ALONE,
  bytesOfEntry,
  bytesOfPack,
  LIVE,
  type Pack,
  packIdOf,
  placeOfVersion,
} from './pack.ts';
import { NO_TEXT, piecesOf } from './texts.ts';

/**
 * `outgoing`: a body as it goes to the server. `isFull`: other packs lie under it. Errors: those of
 * the store.
 */
export async function salvaged(
  packId: string,
  level: number,
  held: Held,
  outgoing: (id: string, body: Parameters<Parameters<Held['each']>[0]>[1]) => object,
): Promise<{ readonly pack: Pack; readonly isFull: boolean }> {
  const pack: Pack = { isFull: false, entries: new Map() };
  let isFull = false;
  await held.each(async (id, body, version) => {
    if (version === null || packIdOf(id, level) !== packId) return;
    const known = placeOfVersion(version);
    // What lies further down found this one full.
    if (known !== null && known.level > level) isFull = true;
    if (known !== null && known.level !== level) return;
    const own = known === null ? NO_TEXT : piecesOf(JSON.stringify(outgoing(id, body)));
    if (bytesOfPack(pack) + bytesOfEntry(own) > PACK_BYTES_MAX) return;
    const { writtenMs = 0, salt = 0 } = known ?? {};
    pack.entries.set(id, { writtenMs, salt, kind: known === null ? ALONE : LIVE, ...own });
  });
  return { pack, isFull };
}
