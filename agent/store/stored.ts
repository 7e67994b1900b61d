// Reading back what this device has written itself. Every value says in which form it was written,
// by a letter that it begins with (SPEC.md): `d` is what this version writes; `b` and `c`, and
// form 1, which had no letter, are still read. A value that is not what was written is an error and
// never an absence: going on as if it had never been there would lose what it stands for.

import { isObject, jsonOf } from '../../crypto/engine.ts';
import type { Value } from '../../platform/ports.ts';
import { type StoredKind, SyncError } from '../errors.ts';

/** The form that is written. */
export const FORM = 'd';

/**
 * The error for a value that is not what was written: `damaged`. `kind` and the rest say which it
 * is.
 */
export function damaged(stored: StoredKind, collection?: string, recordId?: string): SyncError {
  const where = collection ? `${collection}${recordId ? `, record ${recordId}` : ''}: ` : '';
  return new SyncError('damaged', `${where}the stored ${stored} is not what was written`, {
    stored,
    ...(collection && { collection }),
    ...(recordId && { recordId }),
  });
}

/**
 * What a protocol's driver keeps over reboots, by names of its own: nothing secret.
 */
export type RemoteMemory = Record<string, number>;

/**
 * The error for a value that stands alone (the device's state, a sign-in): `clientTooOld` if a
 * newer Kitsync has written it, else `damaged`.
 */
export function unreadable(stored: StoredKind, value: Value): SyncError {
  if (typeof value !== 'string' || !/^[e-z]/.test(value)) return damaged(stored);
  const newer = value.charCodeAt(0) - FORM.charCodeAt(0) + 4;
  return new SyncError('clientTooOld', `the store is of format ${newer}, at most 4 is known`, {
    stored,
  });
}

/** A value's text as it is stored. */
export function jsonStored(value: object): string {
  return FORM + JSON.stringify(value);
}

/** Whether a value is of a form that this version does not write any more. */
export function isOldForm(stored: Value | null | undefined): boolean {
  return typeof stored === 'string' && /^[bc{]/.test(stored);
}

/** The words of a head. In form 1 no letter is before them. */
export function headWords(head: string): string[] {
  return head.replace(/^[b-d]/, '').split(' ');
}

/** The number that a word is; null if it is none. */
export function numberOf(word = ''): number | null {
  const number = word === '' ? Number.NaN : Number(word);
  return Number.isFinite(number) ? number : null;
}

/**
 * A stored JSON object; null if it is not what was written. Every member of the model must be there
 * and of the same kind (null stands for anything); in form 1 the model's stand in for those that
 * are missing. `renewed` makes of forms 1 and 2 what the model is like.
 */
export function storedObject<T extends object>(
  model: T,
  stored: Value,
  renewed: (old: object) => object = (old) => old,
): T | null {
  const text = typeof stored === 'string' ? stored : '';
  const isFirst = text[0] === '{';
  const read = parsedObject(isFirst ? text : /^[b-d]/.test(text) ? text.slice(1) : '');
  const value = read !== null && /^[b{]/.test(text) ? renewed(read) : read;
  return value !== null && isLike(value, model, isFirst) ? { ...model, ...value } : null;
}

/** The object that a text is the JSON of; null for any other text. */
export function parsedObject(text: string): object | null {
  const value = jsonOf(text);
  return isObject(value) ? value : null;
}

/** `model` is this program's own: it ends. */
function isLike(value: unknown, model: unknown, isPartial: boolean): boolean {
  if (value === undefined) return isPartial;
  if (model === null) return true;
  if (typeof model !== 'object') return typeof value === typeof model;
  if (Array.isArray(model) ? !Array.isArray(value) : !isObject(value)) return false;
  // The names are the model's: no member of a prototype is called like one of them.
  return Object.entries(model as object).every(([name, part]) =>
    isLike((value as { readonly [name: string]: unknown })[name], part, isPartial),
  );
}
