// Receipts in an app's `install_data`: a list of texts, or an object that has them as `receipts` or
// as `receipt`. All else is the store's own affair. They are never logged.

import { isObject } from '../http.ts';

interface Receipts {
  /** Null: they would be in a form that nobody knows. */
  readonly list: readonly string[] | null;
  /** The rest of the data; undefined: there is none. */
  readonly without: unknown;
  /** Of two that are equal otherwise, the higher one's form stays. */
  readonly rank: number;
}

/** `data`: undefined where an entry has none. */
export function receiptsOf(data: unknown): Receipts {
  if (data === undefined) return { list: [], without: undefined, rank: 0 };
  if (isTexts(data)) return { list: data, without: undefined, rank: 1 };
  if (!isObject(data)) return { list: null, without: data, rank: 0 };
  const { receipts, receipt } = data;
  if (isTexts(receipts)) return { list: receipts, without: rest(data, 'receipts'), rank: 2 };
  if (receipts !== undefined) return { list: null, without: data, rank: 0 };
  if (typeof receipt === 'string')
    return { list: [receipt], without: rest(data, 'receipt'), rank: 2 };
  return { list: [], without: rest(data, ''), rank: 2 };
}

/** The winner's data with what only the loser's has; null: that is nothing. */
export function united(winner: unknown, loser: unknown): unknown {
  const mine = receiptsOf(winner).list;
  const theirs = receiptsOf(loser).list ?? [];
  if (mine === null) return null;
  const more = [...new Set(theirs)].filter((receipt) => !mine.includes(receipt)).sort();
  if (more.length === 0) return null;
  const receipts = [...mine, ...more];
  if (isTexts(winner)) return receipts;
  const data = isObject(winner) ? winner : {};
  const others =
    isTexts(data.receipts) || typeof data.receipt !== 'string' ? data : rest(data, 'receipt');
  return { ...(others as object | undefined), receipts };
}

/** An object without a member; undefined: nothing is left. */
function rest(data: Readonly<Record<string, unknown>>, member: string): object | undefined {
  const { [member]: _, ...others } = data;
  return Object.keys(others).length === 0 ? undefined : others;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
