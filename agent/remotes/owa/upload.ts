// A document on its way up, all changes of a pass in one: the server's own comes down at the same
// time and passes through as it was written, without what has changed here; that follows, and what
// the server has lost. What is staged is held as long as it is short, and else found in the store.

import { isObject } from '../../../crypto/engine.ts';
import type { Body, RecordIds } from '../../collections/collection.ts';
import { isEntryTooLong } from '../../collections/installed-entry.ts';
import type { RemoteConfig } from '../../config.ts';
import type { CollectionStore } from '../../store/store.ts';
import type { Give } from '../../wire/body.ts';
import { header } from '../../wire/headers.ts';
import type { Answer } from '../../wire/http.ts';
import type { Held, Outgoing, PushResult, RemoteOptions, Stored, Upload } from '../remote.ts';
import { type Reading, readDocument, sendDocument } from './document.ts';
import { createIdSet } from './id-set.ts';
import { STAGED_MAX } from './limits.ts';
import type { Session } from './session.ts';
import { positionIn, sinceOf, UNTOLD } from './since.ts';
import { stampIn, stampMs } from './stamp.ts';
import { tooMuch, unexpected } from './statuses.ts';

/** Beside what every remote has in a device's configuration. */
interface OwaConfig extends RemoteConfig {
  /** How a document is sent; `POST` if it is not given. */
  readonly verb?: 'POST' | 'PUT';
}

/** What an upload is made with. */
interface Sending {
  readonly options: RemoteOptions;
  readonly session: Session;
  readonly store: CollectionStore;
  readonly held: Held;
  readonly ids: RecordIds;
}

/** A changed entry; without its text where that is long. */
interface Staged {
  readonly name: string;
  readonly stamp: string;
  readonly text: string | null;
}

type End = { readonly kind: 'stored'; readonly at: string } | { kind: 'moved' | 'readOnly' };

export function openUpload(sending: Sending): Upload {
  const { heap } = sending.store;
  const staged = new Map<string, Staged>();
  let chars = 0;
  let end: End | null = null;
  const stage = ({ id, payload }: Outgoing): PushResult => {
    const { id: name, entry } = JSON.parse(payload ?? 'null');
    const text = JSON.stringify(entry);
    if (isEntryTooLong(text)) return { kind: 'refused', code: 'tooLarge' };
    if (staged.size >= STAGED_MAX || end !== null) return { kind: 'later' };
    const isHeld = chars + text.length <= heap.pushCharsMax;
    if (isHeld) chars += text.length;
    staged.set(id, { name, stamp: stampIn(text), text: isHeld ? text : null });
    return { kind: 'staged' };
  };
  return {
    addMax: heap.pushRecordsMax,
    addCharsMax: heap.pushCharsMax,
    async add(records, isLast) {
      const results = records.map(stage);
      if (staged.size === 0 || end !== null) return results;
      if (!isLast && staged.size < STAGED_MAX) return results;
      end = await send(sending, staged);
      const { kind } = end;
      return kind === 'stored'
        ? results
        : results.map((result) => (result.kind === 'staged' ? { kind } : result));
    },
    async commit() {
      if (staged.size === 0) return { kind: 'none' };
      // None was the last where one was met alone.
      const { kind, ...rest } = end ?? (await send(sending, staged));
      if (kind !== 'stored') return { kind: kind === 'moved' ? kind : 'none' };
      const position = 'at' in rest ? rest.at : sending.held.position;
      return {
        ...{ kind, version: '', modifiedMs: null, position },
        of: (id) => storedOf(staged.get(id)?.stamp ?? ''),
      };
    },
  };
}

function storedOf(version: string): Stored {
  return { kind: 'stored', version, modifiedMs: stampMs(version) };
}

/** `moved`: the document is another one than that which was read. */
async function send(sending: Sending, staged: ReadonlyMap<string, Staged>): Promise<End> {
  const { options, session, held } = sending;
  const { position } = held;
  const readings: Reading[] = [];
  const read = async (): Promise<Reading | null> => {
    const reading = await readDocument(session, '');
    if (reading !== null) readings.push(reading);
    return reading;
  };
  try {
    let first = await read();
    if (first?.isNewer(position)) return { kind: 'moved' };
    const { verb = 'POST' } = options.config.remote as OwaConfig;
    const answer = await sendDocument(options, session, verb, sinceOf(position), async (give) => {
      const reading = first ?? (await read());
      first = null;
      await write(give, reading, sending, staged);
    });
    return await endOf(answer);
  } finally {
    // Whoever is refused asks no further.
    for (const reading of readings) reading.cancel();
  }
}

/**
 * Where the server has looked whether anybody was faster, nobody was: what it has now is what was
 * sent. Errors: why it has not taken it.
 */
async function endOf(answer: Answer): Promise<End> {
  const { status, headers } = answer;
  if (status === 400 || status === 413) throw await tooMuch(answer);
  answer.cancel();
  if (status === 412) return { kind: 'moved' };
  if (status === 403 || status === 405) return { kind: 'readOnly' };
  if (status < 200 || status >= 300) throw unexpected(answer, 'document');
  const isChecked = header(headers, 'x-precondition') === 'checked';
  const isTold = header(headers, 'x-last-modified') !== null;
  // Else all is read again: that it was stored is its word alone.
  return { kind: 'stored', at: isChecked && isTold ? positionIn(headers) : UNTOLD };
}

async function write(
  give: Give,
  reading: Reading | null,
  { store, held, ids }: Sending,
  staged: ReadonlyMap<string, Staged>,
): Promise<void> {
  const there = createIdSet();
  let mark = '{';
  const begun = (name: string): string => {
    const begin = `${mark}${JSON.stringify(name)}:`;
    mark = ',';
    return begin;
  };
  let isOurs = false;
  for (let more = reading !== null; more; ) {
    const parts: Parameters<Reading['next']>[0] = [];
    more = (await reading?.next(parts)) === true;
    for (const part of parts) {
      if ('name' in part) {
        const id = ids.wireId(part.name) ?? '';
        there.add(id);
        isOurs = staged.has(id);
        if (!isOurs) await give(begun(part.name));
      } else if (!isOurs) await give(part.text);
    }
  }
  await held.each(async (id, body, version) => {
    const own = staged.get(id);
    const isLost = version !== null && !there.has(id);
    if (own === undefined ? !isLost : own.text !== null) return;
    const entry = own ? timed(store, body, own.stamp) : body.entry;
    await give(begun(`${body.id}`) + JSON.stringify(entry));
  });
  for (const [id, { name, text }] of staged) {
    // A deletion knows no longer name: there is nothing that it could be about.
    const isName = ids.wireId(name) === id;
    if (text !== null && isName) await give(begun(name) + text);
  }
  await give(mark === '{' ? '{}' : '}');
}

/** The entry of a change, with the time that it had when it was staged. */
function timed({ collection }: CollectionStore, body: Body, stamp: string): unknown {
  const { entry } = body;
  if (!isObject(entry) || entry.last_modified !== undefined) return entry;
  const made = collection.stamped?.(body, stampMs(stamp)).entry;
  // What has no time is carried as it is.
  const isTimed = isObject(made) && made.last_modified !== undefined;
  return isTimed ? { ...made, last_modified: Number(stamp) } : entry;
}
