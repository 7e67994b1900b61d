// Records of a collection on a Kinto as another client of the user reads and writes them, one by
// one or in packs: in the published form, and with nothing of the agent in it.

import type { otherClient } from '../../emulator/servers/kinto/other-client.ts';
import type { Data } from '../../emulator/servers/kinto/place.ts';
import { type OtherEntry, type otherPacks, type Records, recordsInPacks } from './kinto-packs.ts';
import type { Body } from './service.ts';

/** So few that 13 records with their epoch are never on one page of five, whatever their hashes. */
const PACK_RECORDS = 3;

interface Others {
  readonly keys: ReturnType<typeof otherClient>;
  readonly packs: ReturnType<typeof otherPacks>;
  readonly nowMs: () => number;
  /** Small records lie in packs, of three at most where this client has made them. */
  readonly packed: boolean;
}

/** Records as another client of the user reads and writes them. */
export function otherRecords({ keys, packs, nowMs, packed }: Others, records: () => Records) {
  const inPacks = recordsInPacks(records, packs, nowMs, PACK_RECORDS);
  const payloadOf = (data: Data | null): string => `${data?.payload ?? ''}`;
  const texts = (): (readonly [wireId: string, text: string | null])[] => [
    ...records()
      .live()
      .filter(({ id }) => !id.startsWith('p-'))
      .map((data) => [data.id, keys.inside(data.id, keys.open(payloadOf(data)))] as const),
    ...inPacks.live().map(({ hash, text }) => [`h-${hash}`, text] as const),
  ];
  return {
    /** By id. */
    live(): Map<string, Body> {
      const bodies = texts().flatMap(([wireId, text]): [string, Body][] => {
        const { id = '', ...body } = JSON.parse(text ?? '{}');
        return wireId === keys.wireId(id) ? [[id, body]] : [];
      });
      return new Map(bodies);
    },
    /** Null: its deletion. */
    put(id: string, body: Body | null): void {
      const wireId = keys.wireId(id);
      const isAlone = !packed || records().get(wireId) !== null;
      if (isAlone) records().put(wireId, { payload: keys.sealed(id, body) });
      else inPacks.put(wireId, body && JSON.stringify(body));
    },
    /** What lies there in its place. */
    raw(id: string): string {
      const wireId = keys.wireId(id);
      const alone = records().get(wireId);
      return packed && alone === null ? JSON.stringify(inPacks.entry(wireId)) : payloadOf(alone);
    },
  };
}

/** Wire ids of the records that a write has changed: of a pack, those of its entries. */
export function changedBy(
  packs: ReturnType<typeof otherPacks>,
  id: string,
  was: unknown,
  payload: unknown,
): readonly string[] {
  if (!id.startsWith('p-')) return [id];
  const entriesOf = (of: unknown): OtherEntry[] => {
    try {
      return of === undefined ? [] : packs.openPack(id, String(of)).entries;
    } catch {
      // A test has spoilt it.
      return [];
    }
  };
  const before = new Set(entriesOf(was).map((entry) => JSON.stringify(entry)));
  return entriesOf(payload)
    .filter((entry) => !before.has(JSON.stringify(entry)))
    .map(({ hash }) => `h-${hash}`);
}
