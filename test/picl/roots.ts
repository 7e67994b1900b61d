// The root of a user whose key is known, as docs/picl.md has it.

import { hkdfSync } from 'node:crypto';

export function rootOfKB(kB: string): Buffer {
  const sync = hkdf(Buffer.from(kB, 'hex'), 'identity.mozilla.com/picl/v1/oldsync', 64);
  return hkdf(sync, 'picl/queuesync/v1/root', 32);
}

function hkdf(key: Buffer, info: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', info, bytes));
}
