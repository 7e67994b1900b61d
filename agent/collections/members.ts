// What every collection does with the members of its records: compare them, find them by address,
// name them. A member's name is outside data (`__proto__` is a legal one): members are read through
// a Map and copied with spread, which define own members and never assign by name.

import { urlDigits } from '../../crypto/bytes.ts';
import type { Body, MergeDecision, MergeInput, Prepared } from './collection.ts';
import { isRecordId } from './record-id.ts';

/**
 * A longer address has its start and its end in the index, which rarely leaves two with the same
 * entry: every character of a key is written to the flash several times.
 */
const ADDRESS_KEY_CHARS_MAX = 56;
const HEAD_CHARS = 40;
const TAIL_CHARS = ADDRESS_KEY_CHARS_MAX - HEAD_CHARS;

/** Everything but 0x22..0x7d, one UTF-16 unit at a time: a lone surrogate is no special case. */
const NOT_IN_KEYS = /[^"-}]/g;

/** The `u` index entry of an address. */
export function addressKey(address: string): string {
  if (address.length <= ADDRESS_KEY_CHARS_MAX) {
    const escaped = escapeUnits(address);
    if (escaped.length <= ADDRESS_KEY_CHARS_MAX) return `u${escaped}`;
  }
  return addressPrefix(address) + escapeUnits(address.slice(-TAIL_CHARS)).slice(-TAIL_CHARS);
}

/** What the `u` entries of all addresses start with that start with `prefix`. */
export function addressPrefix(prefix: string): string {
  return `u${escapeUnits(prefix.slice(0, HEAD_CHARS)).slice(0, HEAD_CHARS)}`;
}

/** Both are the same JSON; members of nested objects in the same order. */
export function isSameValue(a: unknown, b: unknown): boolean {
  // Only what has members of its own is worth writing out: a text may be long.
  const isPlain = typeof a !== 'object' || typeof b !== 'object';
  return a === b || (!isPlain && JSON.stringify(a) === JSON.stringify(b));
}

/** Both have the same members with the same values, in whatever order. */
export function hasSameMembers(a: Body, b: Body): boolean {
  const others = new Map(Object.entries(b));
  const members = Object.entries(a);
  return (
    members.length === others.size &&
    members.every(([name, value]) => isSameValue(value, others.get(name)))
  );
}

/**
 * The local change was made after the server's. Ages are compared, each by its own clock; a change
 * from the future of its clock is as young as can be, and at equal age the server's counts as the
 * younger.
 */
export function isLocalYounger(input: MergeInput): boolean {
  if (input.local === null) return false;
  const localAgeMs = Math.max(0, input.deviceNowMs - input.local.changedAtMs);
  return localAgeMs < Math.max(0, input.serverNowMs - input.incoming.modifiedMs);
}

/**
 * When a change was made, by the server's clock. One from the future of the device's clock was made
 * just now; so was one from before that clock was set: how long ago it was, nobody knows.
 */
export function writtenAtMs(
  changedAtMs: number,
  { serverNowMs, deviceNowMs }: Pick<MergeInput, 'serverNowMs' | 'deviceNowMs'>,
): number {
  const isUnset = changedAtMs < FIRST_MS && deviceNowMs >= FIRST_MS;
  return serverNowMs - (isUnset ? 0 : Math.max(0, deviceNowMs - changedAtMs));
}

/**
 * A time or count of a record as a number: some clients write it as text or with a fraction. Null
 * if it is none.
 */
export function countOf(value: unknown): number | null {
  const isWritten = typeof value === 'number' || (typeof value === 'string' && value !== '');
  const count = isWritten ? Math.floor(Number(value)) : -1;
  return Number.isSafeInteger(count) && count >= 0 ? count : null;
}

/**
 * 23 January 1993, the first browser: what is older is no time on the web, and a clock that says so
 * is not set.
 */
export const FIRST_MS = 727_747_200_000;

/**
 * A time that a record gives, unless it lies in the future of the clock that knew the record last.
 */
export function believed(timeMs: number, knownMs: number): number {
  return knownMs < FIRST_MS ? timeMs : Math.min(timeMs, knownMs);
}

/**
 * The record with its id as first member: the first bytes of a sealed record are what proves the
 * id.
 */
export function withIdFirst(id: string, body: Body): Body {
  const { id: _, ...members } = body;
  return { id, ...members };
}

/**
 * The id for a local edit: the record's own, else the one that the app asks for, else the new one.
 */
export function chooseId(input: Body, existing: Body | null, newId: string): string | null {
  const id = existing?.id ?? input.id ?? input.guid ?? newId;
  return isRecordId(id) ? id : null;
}

/** 12 base64url characters, as most of Firefox's ids are, from 12 random bytes. */
export function shortId(random: Uint8Array): string {
  return Array.from(random.subarray(0, 12), (byte) => urlDigits[byte & 63]).join('');
}

/** 16 bits of a text as four hex digits: enough to find it by, too few to tell what it says. */
export function hashKey(text: string): string {
  let hash = 0;
  for (let at = 0; at < text.length; at++) {
    hash = (hash * 31 + text.charCodeAt(at)) & 0xffff;
  }
  return (0x10000 + hash).toString(16).slice(1);
}

/**
 * `theirs` with what `mine` says otherwise than `base`, of which both were made; all of `mine`
 * without one. `isMineYounger`: also where `theirs` says something new of the same member.
 */
export function editedOver(
  mine: Body,
  base: Body | undefined,
  theirs: Body,
  isMineYounger = true,
): Body {
  const agreed = new Map(Object.entries(base ?? {}));
  const others = new Map(Object.entries(theirs));
  const edits = Object.entries(mine).filter(([name, value]) => {
    const old = agreed.get(name);
    const isEdited = !(agreed.has(name) && isSameValue(value, old));
    return isEdited && (isMineYounger || isSameValue(others.get(name), old));
  });
  return { ...theirs, ...Object.fromEntries(edits) };
}

/**
 * Of records without a time of their own the server's decides: what is there may be a version from
 * before the one that was agreed on with a server that has begun anew since. One in the future of
 * the server tells nothing.
 */
export function isOlderThanAgreed({ mirror, incoming, epoch, serverNowMs }: MergeInput): boolean {
  if (mirror === null || mirror.epoch === epoch || mirror.modifiedMs > serverNowMs) return false;
  return incoming.modifiedMs < mirror.modifiedMs;
}

/** The merge where an older version came: what was agreed on since is a change of it made here. */
export function overOlder(input: MergeInput): MergeInput {
  const { local, mirror, incoming, deviceNowMs } = input;
  if (mirror === null || incoming.body === null) return input;
  return {
    ...input,
    local: local ?? { body: mirror.body, changedAtMs: deviceNowMs },
    mirror: { body: incoming.body, modifiedMs: incoming.modifiedMs },
  };
}

/**
 * The merge where a change on either side outlives a deletion on the other; `mix` is asked where
 * both sides have a body. Equal ones include our own upload whose answer was lost.
 */
export function changeOutlivesDeletion(
  { local, mirror, incoming }: MergeInput,
  isSame: (a: Body, b: Body) => boolean,
  mix: (mine: Body, theirs: Body) => MergeDecision,
): MergeDecision {
  const theirs = incoming.body;
  if (!local || (local.body && theirs && isSame(local.body, theirs))) {
    return { mirror: theirs && 'asIs', local: 'none' };
  }
  if (theirs === null) return { mirror: null, local: local.body ? 'keep' : 'none' };
  if (local.body !== null) return mix(local.body, theirs);
  const isUnchanged = mirror !== null && isSame(mirror.body, theirs);
  return { mirror: 'asIs', local: isUnchanged ? 'keep' : 'none' };
}

/**
 * For records whose meaning is not known: each member as the side says that has changed it, and as
 * the younger change says where both have; without a common past both have. A deletion is such a
 * change of the whole record: the younger one counts. What is as was agreed has not changed,
 * however late it was written again.
 */
export function youngerWins(arrived: MergeInput): MergeDecision {
  const input = isOlderThanAgreed(arrived) ? overOlder(arrived) : arrived;
  const { local, mirror: agreed, incoming } = input;
  const theirs = incoming.body;
  const mirror = theirs && 'asIs';
  if (!local) return { mirror, local: 'none' };
  const isAsAgreed = agreed && theirs && hasSameMembers(agreed.body, theirs);
  const isYounger = isAsAgreed || isLocalYounger(input);
  if (local.body === null || theirs === null) {
    return { mirror, local: isYounger && local.body !== theirs ? 'keep' : 'none' };
  }
  const { id } = theirs;
  const edited = editedOver(local.body, agreed?.body, theirs, isYounger);
  const merged: Body = { ...edited, ...(id === undefined ? {} : { id }) };
  return { mirror, local: hasSameMembers(merged, theirs) ? 'none' : merged };
}

/**
 * What an app's edit says that the record does not say already, as it is stored or as apps see it:
 * who sends back what they were given has edited none of it.
 */
export function editOf(input: Body, existing: Body, view: Body): Body {
  const [stored, shown] = [new Map(Object.entries(existing)), new Map(Object.entries(view))];
  const says = (said: ReadonlyMap<string, unknown>, name: string, value: unknown): boolean =>
    said.has(name) && isSameValue(value, said.get(name));
  return Object.fromEntries(
    Object.entries(input).filter(
      ([name, value]) =>
        value !== undefined && !says(stored, name, value) && !says(shown, name, value),
    ),
  );
}

/** What is wrong with an edited record and was not wrong with it before. */
export function complaintOfEdit(
  check: (body: Body) => string | null,
  existing: Body | null,
  edited: Body,
): string | null {
  const complaint = check(edited);
  const isOld = complaint !== null && existing !== null && check(existing) === complaint;
  return isOld ? null : complaint;
}

/**
 * A local edit that is not done; the complaint starts with the name that apps have for the bad
 * member.
 */
export function refuse(complaint: string): Prepared {
  return { ok: false, complaint };
}

function escapeUnits(text: string): string {
  return text.replace(NOT_IN_KEYS, (unit) => `%${unit.charCodeAt(0).toString(16)}`);
}
