// Two versions of an app's entry become one, on every device and on the server the same one: the
// later, of equally late ones the deletion, of two that differ all the same the one whose digest is
// larger. Live versions have the receipts of both. The order is total, so it does not matter who
// meets whom first; what nobody can read never replaces what somebody can. Receipts say nothing of
// when they came: which of those from before a deletion are left is up to who has seen it, and all
// have the server's in the end.

import { encodeHex } from '../../crypto/bytes.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { encodeUtf8 } from '../../crypto/utf8.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Body } from './collection.ts';
import type { AppEntry } from './installed-entry.ts';
import { hasSameReceipts, receiptsOf, shapeOf, withReceipts } from './installed-receipts.ts';

/** What both versions become. */
export function mergeEntries(a: AppEntry, b: AppEntry): AppEntry {
  const [winner, loser] = orderOf(a, b) < 0 ? [b, a] : [a, b];
  if (winner.kind !== 'live' || loser.kind !== 'live') return winner;
  const value = withReceipts(winner.value as Body, loser.value as Body);
  return value === winner.value ? winner : { ...winner, value };
}

/** Both say the same, whatever order their members and receipts have. */
export function isSameEntry(a: AppEntry, b: AppEntry): boolean {
  if (a.value === b.value) return true;
  if (a.kind !== b.kind || a.time !== b.time || canonicalOf(a) !== canonicalOf(b)) return false;
  return a.kind !== 'live' || hasSameReceipts(a.value as Body, b.value as Body);
}

/** Above 0: of `a` and `b` the first stays. */
function orderOf(a: AppEntry, b: AppEntry): number {
  const readable = Number(a.kind !== 'carried') - Number(b.kind !== 'carried');
  const deleted = Number(a.kind === 'deleted') - Number(b.kind === 'deleted');
  const before = readable || a.time - b.time || deleted;
  if (before !== 0 || a.value === b.value) return before;
  const [ours, theirs] = [canonicalOf(a), canonicalOf(b)];
  if (ours === theirs)
    return a.kind === 'live' ? shapeOf(a.value as Body) - shapeOf(b.value as Body) : 0;
  return digestOf(ours) > digestOf(theirs) ? 1 : -1;
}

/** What is compared: all but what is local, and the receipts. */
export function canonicalOf({ kind, value }: AppEntry): string {
  if (kind === 'carried') return canonicalJson(value);
  const { sync, ...entry } = value as Body;
  const receipts = receiptsOf(entry);
  if (receipts === null) return canonicalJson(entry);
  const { install_data, ...members } = entry;
  const { rest } = receipts;
  return canonicalJson(rest === undefined ? members : { ...members, install_data: rest });
}

/** SHA-256 in hexadecimal. */
export function digestOf(canonical: string): string {
  return encodeHex(sha256(encodeUtf8(canonical)));
}
