// The members of the made-up document as a listing of records, while it comes: one member is in
// memory at a time, and of one that is too long nothing.

import type { RecordIds } from '../../../agent/collections/collection.ts';
import type { Listed } from '../../../agent/remotes/remote.ts';
import type { MemberPart } from '../../../agent/wire/members.ts';
import { isObject, jsonOf } from '../../../crypto/engine.ts';
import type { Reading } from './document-wire.ts';

interface Lister {
  /** Of all members that have come. */
  readonly ids: ReadonlySet<string>;
  /** Appends the members that the next piece completed; false at the end. */
  next(out: Listed[]): Promise<boolean>;
}

/**
 * Members of more than `charsMax` characters are set aside. A member has the record's own id for a
 * name, which may be too long for the storage: `recordIds` say what the device calls it.
 */
export function lister(reading: Reading, charsMax: number, recordIds: RecordIds): Lister {
  const ids = new Set<string>();
  let name = '';
  let id: string | null = null;
  let text = '';
  let chars = 0;
  const take = (part: MemberPart, out: Listed[]): void => {
    if ('name' in part) {
      name = part.name;
      id = recordIds.wireId(name);
      if (id !== null) ids.add(id);
      text = '';
      chars = 0;
      return;
    }
    chars += part.text.length;
    text = chars > charsMax ? '' : text + part.text;
    if (!part.isLast) return;
    if (id === null) out.push({ ok: false, id: `badId ${name.length}`, code: 'badId', chars });
    else if (chars > charsMax) out.push({ ok: false, id, code: 'tooLarge', chars });
    else out.push(listedOf(id, name, text));
  };
  return {
    ids,
    async next(out) {
      const parts: MemberPart[] = [];
      const more = await reading.next(parts);
      for (const part of parts) take(part, out);
      return more;
    },
  };
}

/** `text`: the member's value as it was written; its name goes along in the payload. */
export function listedOf(id: string, name: string, text: string): Listed {
  const chars = text.length;
  const member = jsonOf(text);
  const lastModified = isObject(member) ? member.last_modified : null;
  if (typeof lastModified !== 'number') return { ok: false, id, code: 'badEnvelope', chars };
  const isDeleted = isObject(member) && member.deleted === true;
  const payload = isDeleted ? null : JSON.stringify({ ...(isObject(member) && member), id: name });
  const modifiedMs = lastModified * 1_000;
  return { ok: true, envelope: { id, version: `${lastModified}`, modifiedMs, payload }, chars };
}
