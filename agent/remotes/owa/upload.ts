// A document on its way up: the server's own comes down at the same time and passes through as it
// was written, with the device's changes in their places; what it has not follows.

import { isObject } from '../../../crypto/engine.ts';
import type { RecordIds } from '../../collections/collection.ts';
import type { CollectionStore } from '../../store/store.ts';
import type { Give } from '../../wire/body.ts';
import type { MemberPart } from '../../wire/members.ts';
import type { Held, Outgoing, PushResult, RemoteOptions, Upload } from '../remote.ts';
import { type Reading, readDocument, sendDocument } from './document.ts';
import { isEntryTooLong } from './listing.ts';
import type { Session } from './session.ts';
import { sinceOf } from './since.ts';
import { stampIn, stampMs } from './stamp.ts';
import { unexpected } from './statuses.ts';

export function openUpload(
  options: RemoteOptions,
  session: Session,
  store: CollectionStore,
  held: Held,
  ids: RecordIds,
): Upload {
  const { heap } = store;
  return {
    addMax: heap.pushRecordsMax,
    addCharsMax: heap.pushCharsMax,
    async add(records) {
      const entries = records.map(entryOf);
      const sent = entries.filter(({ text }) => !isEntryTooLong(text));
      const kind = await post(options, session, held, sent, ids);
      return entries.map(({ text }): PushResult => {
        if (isEntryTooLong(text)) return { kind: 'refused', code: 'tooLarge' };
        if (kind !== 'stored') return { kind };
        const version = stampIn(text);
        return { kind, version, modifiedMs: stampMs(version) };
      });
    },
    commit: async () => ({ kind: 'none' }),
  };
}

/** A record as a member of the document. */
interface Entry {
  readonly id: string;
  readonly name: string;
  readonly text: string;
}

function entryOf({ id, payload }: Outgoing): Entry {
  const { id: name, entry } = JSON.parse(payload ?? 'null');
  return { id, name, text: JSON.stringify(entry) };
}

/** `moved`: the document is another one than that which was read. */
async function post(
  options: RemoteOptions,
  session: Session,
  held: Held,
  entries: readonly Entry[],
  ids: RecordIds,
): Promise<'stored' | 'readOnly' | 'moved'> {
  const readings: Reading[] = [];
  const { position } = held;
  try {
    const answer = await sendDocument(options, session, sinceOf(position), async (give) => {
      const reading = await readDocument(session, '');
      if (reading !== null) readings.push(reading);
      await write(give, reading, held, entries, ids);
    });
    const { status } = answer;
    if (status === 412 || status === 403 || status === 405) {
      answer.cancel();
      return status === 412 ? 'moved' : 'readOnly';
    }
    if (status < 200 || status >= 300) throw unexpected(answer, 'document');
    answer.cancel();
    return 'stored';
  } finally {
    // Whoever is refused asks no further.
    for (const reading of readings) reading.cancel();
  }
}

async function write(
  give: Give,
  reading: Reading | null,
  held: Held,
  entries: readonly Entry[],
  ids: RecordIds,
): Promise<void> {
  const changed = new Map(entries.map((entry) => [entry.id, entry]));
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
  await held.each(async (id, { id: name, entry }, version) => {
    if (version === null || there.has(id) || !isObject(entry)) return;
    await give(begin(id, `${name}`) + JSON.stringify(entry));
  });
  for (const [id, { name, text }] of changed) {
    // A deletion knows no longer name: there is nothing that it could be about.
    if (!there.has(id) && ids.wireId(name) === id) await give(begin(id, name) + text);
  }
  await give(isFirst ? '{}' : '}');
}
