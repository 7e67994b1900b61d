// What every collection does with the members of its records: compare them, find them by address, name them.
// A member's name is outside data (`__proto__` is a legal one): members are read through a Map and copied with
// spread, which define own members and never assign by name.

import { ID_CHARS_MAX } from '../limits.ts';
import type { Body, MergeInput } from './collection.ts';

/** Longest address part of an index entry; what two addresses share beyond it is told apart by their records. */
const ADDRESS_KEY_CHARS_MAX = 100;

/** Everything but 0x21..0x7d, one UTF-16 unit at a time: a lone surrogate is no special case. */
const NOT_IN_KEYS = /[^!-}]/g;

const ID = /^[!-+\--~]+$/;

/** The `u` index entry of an address. The entry of a prefix is a prefix of the entry. */
export function addressKey(address: string): string {
  const escaped = address
    .slice(0, ADDRESS_KEY_CHARS_MAX)
    .replace(NOT_IN_KEYS, (unit) => `%${unit.charCodeAt(0).toString(16)}`);
  return `u${escaped.slice(0, ADDRESS_KEY_CHARS_MAX)}`;
}

/** Both are the same JSON; members of nested objects in the same order. */
export function isSameValue(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** Both have the same members with the same values, in whatever order. */
export function hasSameMembers(a: Body, b: Body): boolean {
  const others = new Map(Object.entries(b));
  const members = Object.entries(a);
  return (
    members.length === others.size &&
    members.every(([name, value]) => others.has(name) && isSameValue(value, others.get(name)))
  );
}

/**
 * The local change was made after the server's. Ages are compared, each by its own clock; a change from the future
 * of its clock is as young as can be, and at equal age the server's counts as the younger.
 */
export function isLocalYounger(input: MergeInput): boolean {
  if (input.local === null) return false;
  const localAgeMs = Math.max(0, input.deviceNowMs - input.local.changedAtMs);
  return localAgeMs < Math.max(0, input.serverNowMs - input.incoming.modifiedMs);
}

/** The record with its id as first member: the first bytes of a sealed record are what proves the id. */
export function withIdFirst(id: string, body: Body): Body {
  const { id: _, ...members } = body;
  return { id, ...members };
}

/** The id for a local edit: the record's own, else the one that the app asks for, else the new one. */
export function chooseId(input: Body, existing: Body | null, newId: string): string | null {
  const id = existing?.id ?? input.id ?? input.guid ?? newId;
  return typeof id === 'string' && id.length <= ID_CHARS_MAX && ID.test(id) ? id : null;
}
