// What it means that a server refuses one record and names no reason to try again.

import { PAYLOAD_SAFE_CHARS } from '../../limits.ts';
import type { Outgoing, PushResult } from '../remote.ts';

/**
 * The result for a refused record; `code` says why, if the server did. Every server takes a small
 * record: one that does not is out of order itself, and that is no reason to give a change up.
 */
export function refusedOf({ payload }: Outgoing, code?: string): PushResult {
  if ((payload?.length ?? 0) <= PAYLOAD_SAFE_CHARS) return { kind: 'failed' };
  return code === undefined ? { kind: 'refused' } : { kind: 'refused', code };
}
