// The made-up document on its way up: the server's own comes down at the same time and passes
// through as it was written, with the device's changes in their places; what it has not follows.

import type { HeapLimits } from '../../../agent/limits.ts';
import type { Held, Outgoing, PushResult, Upload } from '../../../agent/remotes/remote.ts';
import type { Give } from '../../../agent/wire/body.ts';
import type { MemberPart } from '../../../agent/wire/members.ts';
import { odd } from './client.ts';
import { listedOf } from './document-listing.ts';
import type { DocumentWire, Reading } from './document-wire.ts';

export function openUpload(wire: DocumentWire, heap: HeapLimits, held: Held): Upload {
  return {
    addMax: heap.pushRecordsMax,
    addCharsMax: heap.pushCharsMax,
    async add(records) {
      const readings: Reading[] = [];
      try {
        const { status } = await wire.send(async (give) => {
          const reading = await wire.read('');
          if (reading !== null) readings.push(reading);
          await write(give, reading, held, records);
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
): Promise<void> {
  const changed = new Map(records.map(({ id, payload }) => [id, payload ?? 'null']));
  const there = new Set<string>();
  const begin = (id: string): string => {
    const mark = there.size === 0 ? '{' : ',';
    there.add(id);
    return `${mark}${JSON.stringify(id)}:`;
  };
  let isOurs = false;
  const pass = async (part: MemberPart): Promise<void> => {
    if ('name' in part) {
      const ours = changed.get(part.name);
      isOurs = ours !== undefined;
      await give(begin(part.name) + (ours ?? ''));
    } else if (!isOurs) await give(part.text);
  };
  for (let more = reading !== null; more; ) {
    const parts: MemberPart[] = [];
    more = (await reading?.next(parts)) === true;
    for (const part of parts) await pass(part);
  }
  await held.each(async (id, body, version) => {
    if (version === null || there.has(id)) return;
    const { id: _, ...rest } = body;
    await give(begin(id) + JSON.stringify({ last_modified: Number(version), ...rest }));
  });
  for (const [id, payload] of changed) if (!there.has(id)) await give(begin(id) + payload);
  await give(there.size === 0 ? '{}' : '}');
}

function storedOf({ id, payload }: Outgoing): PushResult {
  const listed = listedOf(id, payload ?? 'null');
  const version = listed.ok ? listed.envelope.version : '';
  return { kind: 'stored', version, modifiedMs: Number(version) * 1_000 };
}
