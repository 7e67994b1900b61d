// What a user has chosen on a device or in an app, to be the same on all of them: a name and any
// JSON value, one record each. A setting is known by its app and its name.
// What only one side has changed is as it says. Where both have changed one setting, objects are
// merged member by member; of a member, or of a value that is no object, the later change stays,
// and at the same age the server's. So it is where one side has taken the setting back and the
// other has changed it.

import { SETTING_BYTES_MAX, SETTING_NAME_CHARS_MAX } from '../limits.ts';
import type { Body, Collection, MergeDecision, MergeInput, Prepared } from './collection.ts';
import { itemBytes } from './item-bytes.ts';
import {
  addressKey,
  addressPrefix,
  chooseId,
  complaintOfEdit,
  hasSameMembers,
  isLocalYounger,
  isOlderThanAgreed,
  overOlder,
  refuse,
  shortId,
  withIdFirst,
  youngerWins,
} from './members.ts';
import { NO_RECORD_ID } from './record-id.ts';
import { mergedMembers, settledInside } from './three-way.ts';

export const settings: Collection = {
  name: 'settings',
  letter: 's',
  sealed: true,
  evictable: false,
  packed: true,

  check,
  isEmpty: () => false,

  index: (body) => [identity(body)],
  things: { key: identity, same: (a, b) => placeOf(a) === placeOf(b) },
  addressPrefix,
  matches: (body, prefix) => placeOf(body).startsWith(prefix),

  merge,
  outgoing: withIdFirst,
  prepare,
  newId: shortId,
  view: (id, { app, name, value }) => ({
    ...{ guid: id, name, value },
    ...(app !== undefined && { app }),
  }),
};

function check({ app = '', name, value }: Body): string | null {
  if (typeof app !== 'string') return 'app: not a text';
  if (typeof name !== 'string' || name === '') return 'name: not a text';
  return value === undefined ? 'value: there is none' : null;
}

function merge(arrived: MergeInput): MergeDecision {
  const input = isOlderThanAgreed(arrived) ? overOlder(arrived) : arrived;
  const { local, mirror, incoming } = input;
  if (!local?.body || !incoming.body) return youngerWins(arrived);
  const { id = local.body.id } = incoming.body;
  const theirs: Body = { id, ...incoming.body };
  const settle = settledInside(isLocalYounger(input));
  const merged = mergedMembers({ ...local.body, id }, mirror?.body ?? {}, theirs, settle);
  return { mirror: 'asIs', local: hasSameMembers(merged, theirs) ? 'none' : merged };
}

function prepare(input: Body, existing: Body | null, newId: string): Prepared {
  const { guid, deleted, ...members } = input;
  const id = chooseId(input, existing, newId);
  if (id === null) return refuse(`id: ${NO_RECORD_ID}`);
  const body: Body = { ...existing, ...members, id };
  const complaint = complaintOfEdit(check, existing, body) ?? complaintOfNew(body, existing);
  return complaint === null ? { ok: true, id, body } : refuse(complaint);
}

/** What is wrong with a setting that this device makes or changes. */
function complaintOfNew(body: Body, existing: Body | null): string | null {
  const { app = '', name, value } = body as { app?: string; name: string; value: unknown };
  if (existing !== null && placeOf(body) !== placeOf(existing)) {
    return 'name: it is not that of this setting';
  }
  if (/[\s\0]/.test(app)) return 'app: it has spaces';
  for (const [member, text] of Object.entries({ app, name })) {
    if (text.length <= SETTING_NAME_CHARS_MAX) continue;
    return `${member}: ${text.length} characters, it may have ${SETTING_NAME_CHARS_MAX}`;
  }
  const bytes = itemBytes(name, value);
  const before = existing === null ? 0 : itemBytes(name, existing.value);
  if (bytes <= Math.max(SETTING_BYTES_MAX, before)) return null;
  return `value: ${bytes} bytes with its name, a setting may have ${SETTING_BYTES_MAX}`;
}

function identity(body: Body): string {
  return addressKey(placeOf(body));
}

/** An app has no spaces in it: no two settings have the same place. */
function placeOf({ app, name }: Body): string {
  return app ? `${app} ${name}` : `${name}`;
}
