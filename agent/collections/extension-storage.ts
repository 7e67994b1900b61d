// What WebExtensions keep in `storage.sync`, as Firefox syncs it: one record per extension, its
// items as one JSON text. Devices' changes are merged item by item; where both changed one, the
// server's counts. Quotas are those of Firefox, counted as its application-services count them.

import { isObject, jsonOf } from '../../crypto/engine.ts';
import type { Body, Collection, MergeDecision, MergeInput, Prepared } from './collection.ts';
import { itemBytes } from './item-bytes.ts';
import {
  addressKey,
  addressPrefix,
  chooseId,
  isOlderThanAgreed,
  isSameValue,
  overOlder,
  refuse,
  shortId,
  withIdFirst,
} from './members.ts';
import { NO_RECORD_ID } from './record-id.ts';

/** Of all items of an extension; of one item (its key, and its value as JSON); number of items. */
const EXTENSION_BYTES_MAX = 102_400;
const ITEM_BYTES_MAX = 8_192;
const ITEMS_MAX = 512;

/** The items of an extension: the values are any JSON. */
type Items = ReadonlyMap<string, unknown>;

const NO_ITEMS: Items = new Map();

export const extensionStorage: Collection = {
  name: 'extension-storage',
  letter: 'e',
  sealed: true,
  evictable: false,

  check,
  isEmpty: () => false,

  index: (body) => [identity(body)],
  things: { key: identity, same: (a, b) => a.extId === b.extId },
  addressPrefix,
  matches: (body, prefix) => extIdOf(body).startsWith(prefix),

  merge,
  outgoing: withIdFirst,
  prepare,
  newId: shortId,
  view: (id, body) => ({
    guid: id,
    extId: body.extId,
    items: Object.fromEntries(itemsOf(body)),
  }),
  changes: (was, is) => ({ extId: (is ?? was)?.extId, keys: changedKeys(was, is) }),
};

function check(body: Body): string | null {
  if (typeof body.extId !== 'string' || body.extId === '') return 'extId: not a text';
  return parsed(body.data) === null ? 'data: not the JSON of an object' : null;
}

function merge(input: MergeInput): MergeDecision {
  const { local, mirror, incoming } = isOlderThanAgreed(input) ? overOlder(input) : input;
  const theirs = incoming.body;
  const asIs = theirs && 'asIs';
  if (!local) return { mirror: asIs, local: 'none' };
  const base = mirror ? itemsOf(mirror.body) : NO_ITEMS;
  if (local.body === null) {
    const isUnchanged = mirror && theirs && changedKeys(mirror.body, theirs).length === 0;
    return { mirror: asIs, local: isUnchanged ? 'keep' : 'none' };
  }
  const mine = itemsOf(local.body);
  if (theirs === null) {
    const kept = [...mine].filter(([key, value]) => !isSameValue(value, base.get(key)));
    return { mirror: null, local: kept.length > 0 ? withItems(local.body, kept) : 'none' };
  }
  const others = itemsOf(theirs);
  const items = [...new Map([...others, ...mine]).keys()].flatMap((key) => {
    const other = others.get(key);
    const value = isSameValue(other, base.get(key)) ? mine.get(key) : other;
    return value === undefined ? [] : [[key, value] as const];
  });
  const isTheirs =
    items.length === others.size &&
    items.every(([key, value]) => isSameValue(value, others.get(key)));
  const merged: Body = { ...local.body, ...theirs };
  return { mirror: asIs, local: isTheirs ? 'none' : withItems(merged, items) };
}

/**
 * An edit: `{extId, set: {key: value}, remove: [key]}`; what is neither set nor removed stays. A
 * complaint names the key and the quota.
 */
function prepare(input: Body, existing: Body | null, newId: string): Prepared {
  const { extId = existing?.extId, set = {}, remove = [] } = input;
  const id = chooseId(input, existing, newId);
  if (id === null) return refuse(`id: ${NO_RECORD_ID}`);
  if (typeof extId !== 'string' || extId === '') return refuse('extId: not a text');
  if (existing && extId !== existing.extId) return refuse('extId: not that of this record');
  if (!isObject(set)) return refuse('set: not an object');
  if (!Array.isArray(remove)) return refuse('remove: not a list of keys');
  const before = existing === null ? NO_ITEMS : itemsOf(existing);
  const items = new Map(before);
  for (const key of remove) items.delete(key);
  const edited: string[] = [];
  for (const [key, value] of Object.entries(set)) {
    if (!isSameValue(value, before.get(key))) edited.push(key);
    items.set(key, value);
  }
  const complaint = checkQuotas(items, before, edited);
  if (complaint !== null) return refuse(complaint);
  const body = { ...existing, id, extId };
  if (existing !== null && edited.length === 0 && items.size === before.size) {
    return { ok: true, id, body };
  }
  return { ok: true, id, body: withItems(body, [...items]) };
}

/**
 * Only an edit that sets something new can be over a quota, and one in all only by taking more than
 * there was.
 */
function checkQuotas(items: Items, before: Items, edited: readonly string[]): string | null {
  for (const key of edited) {
    const bytes = itemBytes(key, items.get(key));
    if (bytes > ITEM_BYTES_MAX) {
      return `${JSON.stringify(key)}: ${bytes} bytes, an item may have ${ITEM_BYTES_MAX}`;
    }
  }
  const last = edited[edited.length - 1];
  if (last === undefined) return null;
  const bytes = bytesOf(items);
  if (bytes > Math.max(EXTENSION_BYTES_MAX, bytesOf(before))) {
    const most = EXTENSION_BYTES_MAX;
    return `${JSON.stringify(last)}: ${bytes} bytes in all, an extension may have ${most}`;
  }
  return items.size > Math.max(ITEMS_MAX, before.size)
    ? `${JSON.stringify(last)}: ${items.size} items, an extension may have ${ITEMS_MAX}`
    : null;
}

function bytesOf(items: Items): number {
  let bytes = 0;
  for (const [key, value] of items) bytes += itemBytes(key, value);
  return bytes;
}

function changedKeys(was: Body | null, is: Body | null): string[] {
  const [before, after] = [was, is].map((body) => (body === null ? NO_ITEMS : itemsOf(body)));
  const keys = [...new Map([...(before ?? []), ...(after ?? [])]).keys()];
  return keys.filter((key) => !isSameValue(before?.get(key), after?.get(key)));
}

function withItems(body: Body, items: readonly (readonly [string, unknown])[]): Body {
  return { ...body, data: JSON.stringify(Object.fromEntries(items)) };
}

function itemsOf(body: Body): Items {
  return new Map(Object.entries(parsed(body.data) ?? {}));
}

function parsed(data: unknown): object | null {
  const value = typeof data === 'string' ? jsonOf(data) : null;
  return isObject(value) ? value : null;
}

function identity(body: Body): string {
  return addressKey(extIdOf(body));
}

function extIdOf(body: Body): string {
  return body.extId as string;
}
