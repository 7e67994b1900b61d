// The made-up document on its way up: the server's own comes down at the same time and passes
// through as it was written, with the device's changes in their places; what it has not follows.

import type { RecordIds } from '../../../agent/collections/collection.ts';
import type { HeapLimits } from '../../../agent/limits.ts';
import type { Held, Outgoing, PushResult, Upload } from '../../../agent/remotes/remote.ts';
import type { Give } from '../../../agent/wire/body.ts';
import type { MemberPart } from '../../../agent/wire/members.ts';
import { odd } from './client.ts';
import { listedOf } from './document-listing.ts';
import type { DocumentWire, Reading } from './document-wire.ts';

export function openUpload(
  wire: DocumentWire,
  heap: HeapLimits,
  held: Held,
  ids: RecordIds,
): Upload {
  return {
    addMax: heap.pushRecordsMax,
    addCharsMax: heap.pushCharsMax,
    async add(records) {
      const readings: Reading[] = [];
      try {
        const { status } = await wire.send(async (give) => {
          const reading = await wire.read('');
          if (reading !== null) readings.push(reading);
          await write(give, reading, held, records, ids);
        });
        if (status === 403) return records.map(() => ({ kind: 'readOnly' }));
        if (status !== 204) throw odd({ status }, 'upload');
        return records.map(storedOf);
      } finally {
        // Whoever is refused asks no further.
        for (const reading of readings) reading.cancel();
      }
    },
    commit: async () => ({ kind: 'none' }),
  };
}

async function write(
  give: Give,
  reading: Reading | null,
  held: Held,
  records: readonly Outgoing[],
  ids: RecordIds,
): Promise<void> {
  const changed = new Map(records.map(({ id, payload }) => [id, memberOf(payload)]));
  const there = new Set<string>();
  let isFirst = true;
  const begin = (id: string | null, name: string): string => {
    const mark = isFirst ? '{' : ',';
    isFirst = false;
    if (id !== null) there.add(id);
    return `${mark}${JSON.stringify(name)}:`;
  };
  let isOurs = false;
  const pass = async (part: MemberPart): Promise<void> => {
    if ('name' in part) {
      const id = ids.wireId(part.name);
      const ours = changed.get(id ?? '');
      isOurs = ours !== undefined;
      await give(begin(id, part.name) + (ours?.text ?? ''));
    } else if (!isOurs) await give(part.text);
  };
  for (let more = reading !== null; more; ) {
    const parts: MemberPart[] = [];
    more = (await reading?.next(parts)) === true;
    for (const part of parts) await pass(part);
  }
  await held.each(async (id, body, version) => {
    if (version === null || there.has(id)) return;
    const { id: name, ...rest } = body;
    await give(begin(id, `${name}`) + JSON.stringify({ last_modified: Number(version), ...rest }));
  });
  for (const [id, { name, text }] of changed) {
    // A deletion knows no longer name: there is nothing that it could be about.
    if (!there.has(id) && ids.wireId(name) === id) await give(begin(id, name) + text);
  }
  await give(isFirst ? '{}' : '}');
}

/** A record as a member of the document, under its own id. */
function memberOf(payload: string | null): { readonly name: string; readonly text: string } {
  const { id, ...member } = JSON.parse(payload ?? 'null');
  return { name: id, text: JSON.stringify(member) };
}

function storedOf({ id, payload }: Outgoing): PushResult {
  const listed = listedOf(id, id, payload ?? 'null');
  const version = listed.ok ? listed.envelope.version : '';
  return { kind: 'stored', version, modifiedMs: Number(version) * 1_000 };
}
