// What people typed into forms, as Firefox syncs it: one record per field name and value.
// A record says nothing else, so there is nothing to merge but two ids for the same. No index entry
// holds a value.

import type { Body, Collection, Prepared } from './collection.ts';
import {
  addressKey,
  addressPrefix,
  chooseId,
  complaintOfEdit,
  hashKey,
  refuse,
  shortId,
  withIdFirst,
  youngerWins,
} from './members.ts';
import { NO_RECORD_ID } from './record-id.ts';

/** Three years. */

export const forms: Collection = {
  name: 'forms',
  letter: 'f',
  sealed: true,
  evictable: false,

  check,
  isEmpty: () => false,

  index: (body) => [addressKey(nameOf(body)), identity(body)],
  things: { key: identity, same: (a, b) => a.name === b.name && a.value === b.value },
  addressPrefix,
  matches: (body, prefix) => nameOf(body).startsWith(prefix),

  merge: youngerWins,
  outgoing: withIdFirst,
  prepare,
  newId: shortId,
  view: (id, { name, value }) => ({ guid: id, name, value }),
};

function check({ name, value }: Body): string | null {
  if (typeof name !== 'string' || name === '') return 'name: not a text';
  return typeof value === 'string' && value !== '' ? null : 'value: not a text';
}

function prepare(input: Body, existing: Body | null, newId: string): Prepared {
  const { guid, deleted, ...members } = input;
  const id = chooseId(input, existing, newId);
  if (id === null) return refuse(`id: ${NO_RECORD_ID}`);
  const body: Body = { ...existing, ...members, id };
  const complaint = complaintOfEdit(check, existing, body);
  return complaint === null ? { ok: true, id, body } : refuse(complaint);
}

function identity(body: Body): string {
  return `v${hashKey(`${body.name}\n${body.value}`)}`;
}

function nameOf(body: Body): string {
  return body.name as string;
}
