// The entries of a document as a listing of records, while it comes: one is in memory at a time,
// and of one that is too long nothing. A record's payload is its name and its entry, as it was
// written.

import type { RecordIds } from '../../collections/collection.ts';
import { isEntryTooLong } from '../../collections/installed-entry.ts';
import { badResponse } from '../../errors.ts';
import { APP_ENTRY_BYTES_MAX } from '../../limits.ts';
import type { MemberPart } from '../../wire/members.ts';
import { bodyOf } from '../body-of.ts';
import type { Listed } from '../remote.ts';
import type { Reading } from './document.ts';
import { stampIn, stampMs } from './stamp.ts';

interface Lister {
  /** Appends the entries that the next piece completed; false at the end. */
  next(out: Listed[]): Promise<boolean>;
}

interface ListerOptions {
  readonly ids: RecordIds;
  /** Of memory that an entry may take. */
  readonly bodyBytesMax: number;
  pause(): Promise<void>;
  /** Is told the wire id of every entry, whatever it is. */
  seen(id: string): void;
}

/**
 * Errors of `next`: `badResponse` for an entry that is no JSON, for then the document is none;
 * those of the reading.
 */
export function lister(reading: Reading, options: ListerOptions): Lister {
  const { ids, seen } = options;
  let name = '';
  let id: string | null = null;
  let text = '';
  let chars = 0;
  const begin = (next: string): void => {
    name = next;
    id = ids.wireId(name);
    if (id !== null) seen(id);
    text = '';
    chars = 0;
  };
  return {
    async next(out) {
      const parts: MemberPart[] = [];
      const more = await reading.next(parts);
      for (const part of parts) {
        if ('name' in part) {
          begin(part.name);
          continue;
        }
        chars += part.text.length;
        text = chars > APP_ENTRY_BYTES_MAX ? '' : text + part.text;
        if (part.isLast) out.push(await listedOf(id, name, text.trim(), chars, options));
      }
      return more;
    },
  };
}

/** `text` is empty where it was too long to be kept. */
async function listedOf(
  id: string | null,
  name: string,
  text: string,
  chars: number,
  { bodyBytesMax, pause }: ListerOptions,
): Promise<Listed> {
  if (id === null) return { ok: false, id: `badId ${name.length}`, code: 'badId', chars };
  if (chars > APP_ENTRY_BYTES_MAX || isEntryTooLong(text)) {
    return { ok: false, id, code: 'tooLarge', chars };
  }
  const payload = payloadOf(name, text);
  const body = await bodyOf(payload, pause, bodyBytesMax);
  if (body === 'badJson') throw badResponse('the document is not JSON');
  if (typeof body === 'string') return { ok: false, id, code: body, chars };
  const version = stampIn(text);
  return { ok: true, envelope: { id, version, modifiedMs: stampMs(version), payload }, chars };
}

/** What is known of an app, as one text: its name and its entry as it is written. */
function payloadOf(name: string, text: string): string {
  return `{"id":${JSON.stringify(name)},"entry":${text}}`;
}
