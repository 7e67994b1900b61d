// Logs of a PiCL collection as a device writes them, by the second implementation.

import {
  type Change,
  changeidOf,
  GENESIS,
  keysOf,
  signatureOf,
} from '../../platform/node/picl/chain.ts';
import type { Head } from '../../platform/node/picl/reading.ts';
import { sealPayload } from '../../platform/node/picl/seal.ts';

/** A write: a text that is sealed, or null: the key is deleted. */
type Write = readonly [key: string, text: string | null];

/** 32 bytes that are no secret. */
export const PICL_ROOT = Buffer.from(Array.from({ length: 32 }, (_, at) => at));

/** `behind`: the head that the first one follows; by default the log is new. */
export function logOf(
  collection: string,
  writes: readonly Write[],
  behind: Head = { seqnum: 0, changeid: GENESIS },
  root: Buffer = PICL_ROOT,
): Change[] {
  const { sign, encrypt } = keysOf(root, collection);
  let head = behind;
  return writes.map(([key, text]) => {
    const seqnum = head.seqnum + 1;
    const iv = Buffer.alloc(12);
    iv.writeUIntBE(seqnum, 6, 6);
    const place = { collection, key, seqnum };
    const payload = text === null ? null : sealPayload(Buffer.from(text), place, encrypt, iv);
    const changeid = changeidOf({ key, payload, seqnum }, head.changeid);
    head = { seqnum, changeid };
    return { key, payload, seqnum, changeid, signature: signatureOf(changeid, sign) };
  });
}
