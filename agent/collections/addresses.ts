// Postal addresses for forms, as Firefox syncs them: what is known of one person or place, inside
// `entry`. Field by field, the side that changed one wins; where both did, neither does: this
// device's version becomes an address of its own. A change on either side outlives a deletion on
// the other. No index entry holds anything of an address.

import { isObject } from '../../crypto/engine.ts';
import type { Body, Collection, MergeDecision, MergeInput, Prepared } from './collection.ts';
import {
  believed,
  changeOutlivesDeletion,
  chooseId,
  complaintOfEdit,
  countOf,
  editedOver,
  hashKey,
  hasSameMembers,
  isSameValue,
  overOlder,
  refuse,
  shortId,
  withIdFirst,
} from './members.ts';
import { NO_RECORD_ID } from './record-id.ts';

/** Of the `entry`; other clients refuse another one. */
const ENTRY_VERSION = 1;

/** They say what `name` says: Firefox makes them of it for older clients, and it of theirs. */
const NAME_PARTS = ['given-name', 'additional-name', 'family-name'];
const ALL_BUT_NAMES = [
  'organization',
  'street-address',
  'address-level3',
  'address-level2',
  'address-level1',
  'postal-code',
  'country',
  'tel',
  'email',
];
const FIELDS = ['name', ...NAME_PARTS, ...ALL_BUT_NAMES];

export const addresses: Collection = {
  name: 'addresses',
  letter: 'a',
  sealed: true,
  evictable: false,

  check,
  isEmpty: () => false,

  index: (body) => [identity(body)],
  things: {
    key: identity,
    same: isSameAddress,
    clock: (body, knownMs) => believed(changedMs(body), knownMs),
  },
  addressPrefix: () => 'u',
  matches: (body, prefix) => `${entryOf(body).name ?? ''}`.startsWith(prefix),

  merge,
  outgoing: withIdFirst,
  prepare,
  newId: shortId,
  view: (id, body) => ({ ...timesOf(entryOf(body)), guid: id }),
};

function check(body: Body): string | null {
  const entry = objectOf(body.entry);
  if (entry === null) return 'entry: not an object';
  if (entry.version !== ENTRY_VERSION) return `entry.version: not ${ENTRY_VERSION}`;
  for (const name of FIELDS) {
    if (typeof (entry[name] ?? '') !== 'string') return `entry.${name}: not a text`;
  }
  return null;
}

function merge(arrived: MergeInput): MergeDecision {
  const input = isBeforeAgreed(arrived) ? overOlder(arrived) : arrived;
  const base = input.mirror && entryOf(input.mirror.body);
  // Uses that equal sides count are not counted twice.
  return changeOutlivesDeletion(input, hasSameMembers, (mine, theirs) => {
    const entry = mergeEntries(entryOf(mine), base, entryOf(theirs));
    if (entry === null) return { mirror: 'asIs', local: 'none', fork: mine };
    const merged: Body = { ...mine, ...editedOver(mine, input.mirror?.body, theirs, false), entry };
    const isTheirs = hasSameMembers({ ...merged, entry: null }, { ...theirs, entry: null });
    const isSent = !isTheirs || !hasSameMembers(entry, entryOf(theirs));
    return { mirror: 'asIs', local: isSent ? merged : 'none' };
  });
}

/** A server that has begun anew has what is older than what was agreed on with another. */
function isBeforeAgreed({ mirror, incoming, epoch }: MergeInput): boolean {
  if (mirror === null || mirror.epoch === epoch || incoming.body === null) return false;
  return changedMs(mirror.body) > changedMs(incoming.body);
}

function changedMs(body: Body): number {
  return number(entryOf(body).timeLastModified);
}

/** Null when both sides changed the same field, or no common past tells who did. */
function mergeEntries(mine: Body, base: Body | null, theirs: Body): Body | null {
  const [ours, agreed, others] = [mine, base ?? {}, theirs].map(membersOf);
  const merged: [string, unknown][] = [];
  for (const name of new Map([...(others ?? []), ...(ours ?? [])]).keys()) {
    const [own, old, other] = [ours?.get(name), agreed?.get(name), others?.get(name)];
    const isSame = FIELDS.includes(name) ? isSameField : isSameValue;
    let value = isSame(other, old) ? own : other;
    if (isMeta(name)) value = mergeMeta(name, number(own), base && number(old), number(other));
    else if (!isSame(own, other) && !isSame(own, old) && !isSame(other, old)) {
      if (FIELDS.includes(name)) return null;
      value = other;
    }
    if (value !== undefined) merged.push([name, value]);
  }
  return Object.fromEntries(merged);
}

function timesOf(entry: Body): Body {
  return Object.fromEntries(
    Object.entries(entry).map(([name, value]) => [name, isMeta(name) ? countOf(value) : value]),
  );
}

function isMeta(name: string): boolean {
  return name === 'timesUsed' || /^time(Created|LastUsed|LastModified)$/.test(name);
}

function mergeMeta(name: string, own: number, old: number | null, other: number): number {
  if (name === 'timesUsed') return Math.max(own, other, own + other - (old ?? own + other));
  return name === 'timeCreated' && own && other ? Math.min(own, other) : Math.max(own, other);
}

function prepare(input: Body, existing: Body | null, newId: string, nowMs: number): Prepared {
  const id = chooseId(input, existing, newId);
  if (id === null) return refuse(`id: ${NO_RECORD_ID}`);
  const { id: _, guid, deleted, entry, ...members } = input;
  const before = existing === null ? {} : entryOf(existing);
  const { version = ENTRY_VERSION } = before;
  const edited: Body = { ...before, ...(objectOf(entry) ?? members), version };
  const given = withoutStale(edited, before);
  if (given === null) return refuse('name: it is not known in parts, change it as a whole');
  const isEdited = FIELDS.some((name) => !isSameField(given[name], before[name]));
  const timed = existing === null ? newTimes(given, nowMs) : editTimes(given, before);
  const modified = existing === null || isEdited ? { timeLastModified: nowMs } : {};
  const body: Body = { ...existing, id, entry: { ...given, ...timed, ...modified } };
  const complaint = complaintOfEdit(check, existing, body);
  if (complaint !== null) return refuse(complaint.replace(/^entry\./, ''));
  const isBlank = FIELDS.every((name) => isSameField(given[name], ''));
  const isEmptied = isBlank && (existing === null || isEdited);
  return isEmptied ? refuse('entry: all fields are empty') : { ok: true, id, body };
}

/**
 * Without fields that the edit empties, which no client writes, and without what an edited name or
 * part of it makes untrue. Null when a part was edited and the others are not known.
 */
function withoutStale(edited: Body, before: Body): Body | null {
  const isEdited = (name: string): boolean => !isSameField(edited[name], before[name]);
  const isName = isEdited('name');
  const isPart = NAME_PARTS.some(isEdited);
  if (isPart && !isName && before.name && !NAME_PARTS.some((name) => before[name])) return null;
  const stale = isName === isPart ? [] : isPart ? ['name'] : NAME_PARTS;
  const isLeftOut = (name: string, value: unknown): boolean =>
    stale.includes(name) ||
    (FIELDS.includes(name) && isSameField(value, '') && !isSameValue(value, before[name]));
  return Object.fromEntries(
    Object.entries(edited).filter(([name, value]) => !isLeftOut(name, value)),
  );
}

function newTimes(given: Body, nowMs: number): Body {
  return {
    timeCreated: number(given.timeCreated) || nowMs,
    timeLastUsed: number(given.timeLastUsed),
    timesUsed: number(given.timesUsed),
  };
}

/** What an edit gives as a time or count and is none leaves what there was. */
function editTimes(given: Body, before: Body): Body {
  const odd = Object.keys(before).filter((name) => isMeta(name) && number(given[name]) === 0);
  return Object.fromEntries(odd.map((name) => [name, before[name]]));
}

function identity(body: Body): string {
  const entry = entryOf(body);
  return `u${hashKey(ALL_BUT_NAMES.map((name) => entry[name] ?? '').join('\n'))}`;
}

function isSameAddress(a: Body, b: Body): boolean {
  const [one, other] = [entryOf(a), entryOf(b)];
  // Not every client writes the parts of a name.
  const names = one.name && other.name ? ['name'] : ['name', ...NAME_PARTS];
  return [...names, ...ALL_BUT_NAMES].every((name) => isSameField(one[name], other[name]));
}

/** Clients leave empty fields out. */
function isSameField(a: unknown, b: unknown): boolean {
  return isSameValue(a ?? '', b ?? '');
}

/** A time or count that can be used, else 0. */
function number(value: unknown): number {
  return countOf(value) ?? 0;
}

function membersOf(body: Body): Map<string, unknown> {
  return new Map(Object.entries(body));
}

function entryOf(body: Body): Body {
  return body.entry as Body;
}

function objectOf(value: unknown): Body | null {
  return isObject(value) ? value : null;
}
