// Reading entries back, many in one request: what of each record is agreed, what is not sent yet,
// and whether the server's version of it was set aside.

import type { Storage } from '../../platform/ports.ts';
import type { Collection } from '../collections/collection.ts';
import { ported } from '../errors.ts';
import { RECORD_CHARS } from '../limits.ts';
import type { CollectionKeys } from './layout.ts';
import type { Pacer } from './pacer.ts';
import {
  type Entry,
  NO_ENTRY,
  type Packed,
  UNKNOWN_FORM,
  unpackLocal,
  unpackMirror,
} from './record.ts';
import { damaged } from './stored.ts';
import { unpacked } from './unpacked.ts';
import type { Vault } from './vault.ts';

/** As `CollectionStore.load`. Not `mayBeQuarantined`: no version of any record was set aside. */
type Load = (
  ids: readonly string[],
  charsMax: number,
  mayBeQuarantined: boolean,
) => Promise<Entry[]>;

/** `pacer` gives the device its turns between records, `pause` within a long one. */
export function createLoad(
  { name }: Collection,
  keys: CollectionKeys,
  storage: Storage,
  vault: Vault,
  pacer: Pacer,
  pause: () => Promise<void>,
): Load {
  return async (ids, charsMax, mayBeQuarantined) => {
    if (ids.length === 0) return [];
    const wanted = ids.flatMap((id) => [keys.record(id), keys.outbox(id)]);
    if (mayBeQuarantined) wanted.push(...ids.map(keys.quarantine));
    const values = await ported(storage.get(wanted));
    const loaded = async <T>(
      kind: 'mirror' | 'outbox',
      at: number,
      unpack: (packed: Packed) => T | null,
    ): Promise<T> => {
      const packed = await unpacked(vault, wanted[at] ?? '', values, at, pause);
      const found = packed && unpack(packed);
      if (found === null) throw damaged(kind, name, ids[at >> 1] ?? '');
      return found;
    };
    const entries: Entry[] = [];
    for (let index = 0; index < ids.length; index++) {
      const at = index * 2;
      const chars = (values[at]?.length ?? 0) + (values[at + 1]?.length ?? 0);
      if (chars > charsMax) {
        entries.push(NO_ENTRY);
        continue;
      }
      const mark = values[ids.length * 2 + index] ?? null;
      entries.push({
        // Most records have neither, and no turn is spent on that.
        mirror: values[at] == null ? null : await loaded('mirror', at, unpackMirror),
        local: values[at + 1] == null ? null : await loaded('outbox', at + 1, unpackLocal),
        quarantined: mark !== null,
        ...(mark !== null && `${mark}`.includes(UNKNOWN_FORM) && { isUnknownForm: true }),
      });
      const turn = pacer(chars + RECORD_CHARS);
      if (turn !== null) await turn;
    }
    return entries;
  };
}
