// What a storage node takes: `info/configuration`, asked for once, with the values of the old
// servers where it does not say, and with the limits that one collection may have of its own. No
// answer makes a device believe that a small record is too large, or fill its memory with a large
// request.
// Source: SyncStorage API 1.5, `info/configuration`.

import { DOCUMENT_CHARS_MAX, type HeapLimits, PAYLOAD_SAFE_CHARS } from '../../limits.ts';
import { member, parseDocument, readDocument } from '../../wire/document.ts';
import { unexpected } from './statuses.ts';
import type { StorageNode } from './sync15-node.ts';

const DEFAULTS = {
  max_request_bytes: 266_240,
  max_post_bytes: 262_144,
  max_post_records: 100,
  max_record_payload_bytes: 262_144,
  max_total_bytes: 100_000_000,
  max_total_records: 10_000,
};

/**
 * By the names on the wire. Bytes of posts and totals are those of payloads, of a request those of
 * its body.
 */
export type Limits = Readonly<typeof DEFAULTS>;

/** Every server takes that much: limits below it are a mistake, and asking shows what is true. */
function leastOf(name: keyof Limits): number {
  if (name.endsWith('records')) return 1;
  return PAYLOAD_SAFE_CHARS + (name === 'max_request_bytes' ? 4_096 : 0);
}

const CACHE_NAME = 'configuration';
const NAMES = Object.keys(DEFAULTS) as (keyof Limits)[];

/**
 * The limits for uploads to a collection; `heap` are the device's own. Errors: those of the node.
 */
export async function limitsOf(
  node: StorageNode,
  cache: Map<string, unknown>,
  collection: string,
  heap: HeapLimits,
): Promise<Limits> {
  if (!cache.has(CACHE_NAME)) cache.set(CACHE_NAME, await configuration(node));
  const general = cache.get(CACHE_NAME);
  const own = member(member(general, 'collections'), collection);
  const limits = { ...DEFAULTS };
  for (const name of NAMES) {
    const told = countOf(member(own, name)) ?? countOf(member(general, name)) ?? DEFAULTS[name];
    limits[name] = Math.max(told, leastOf(name));
  }
  limits.max_post_records = Math.min(limits.max_post_records, heap.pushRecordsMax);
  return limits;
}

async function configuration(node: StorageNode): Promise<unknown> {
  const answer = await node.send({ method: 'GET', url: '/info/configuration' });
  if (answer.status === 404) {
    answer.cancel();
    return {};
  }
  if (answer.status !== 200) throw unexpected(answer, 'info/configuration');
  return parseDocument(await readDocument(() => answer.read(), DOCUMENT_CHARS_MAX));
}

function countOf(value: unknown): number | null {
  return Number.isSafeInteger(value) && Number(value) > 0 ? Number(value) : null;
}
