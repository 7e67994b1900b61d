// Receipts are what an app was paid with: of two versions of its entry both have theirs kept. They
// are texts in `install_data`, in one of several shapes. They are compared as sets, and never
// logged.

import { isObject } from '../../crypto/engine.ts';
import type { Body } from './collection.ts';
import { isEntryTooLong } from './installed-entry.ts';

interface Receipts {
  readonly list: readonly string[];
  /** What else there is in `install_data`; undefined: nothing. */
  readonly rest: unknown;
}

/** Null: what is there is something else, and is left alone. */
export function receiptsOf({ install_data: data }: Body): Receipts | null {
  if (data === undefined) return { list: [], rest: undefined };
  if (isTexts(data)) return { list: data, rest: undefined };
  if (!isObject(data) || Array.isArray(data)) return null;
  const { receipts, ...rest } = data;
  if (receipts !== undefined)
    return isTexts(receipts) ? { list: receipts, rest: some(rest) } : null;
  if (typeof data.receipt !== 'string') return { list: [], rest: some(data) };
  const { receipt, ...others } = data;
  return { list: [data.receipt], rest: some(others) };
}

/**
 * The entry, with the receipts that only the other one has behind its own; without them where it
 * would be longer than anybody takes.
 */
export function withReceipts(entry: Body, other: Body): Body {
  const [own, more] = [receiptsOf(entry), receiptsOf(other)];
  if (own === null || more === null) return entry;
  const known = new Set(own.list);
  const added = [...new Set(more.list)].filter((receipt) => !known.has(receipt)).sort();
  if (added.length === 0) return entry;
  const list = [...own.list, ...added];
  const isList = Array.isArray(entry.install_data);
  const install_data = isList ? list : { ...(own.rest as object | undefined), receipts: list };
  const whole = { ...entry, install_data };
  return isEntryTooLong(JSON.stringify(whole)) ? entry : whole;
}

export function hasSameReceipts(a: Body, b: Body): boolean {
  const [ours, theirs] = [receiptsOf(a), receiptsOf(b)].map((one) => new Set(one?.list ?? []));
  return ours?.size === theirs?.size && [...(ours ?? [])].every((receipt) => theirs?.has(receipt));
}

/** By it two of the same contents are told apart: an object with receipts goes before a list. */
export function shapeOf({ install_data: data }: Body): number {
  if (data === undefined) return 0;
  return Array.isArray(data) ? 1 : 2;
}

function some(members: object): unknown {
  return Object.keys(members).length > 0 ? members : undefined;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
