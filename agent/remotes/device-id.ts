// How a device calls itself at a login that wants a UUID. Each protocol is told another one, and
// another sign-in has others: nobody can tell by them which device it is.

import { encodeHex } from '../../crypto/bytes.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { encodeUtf8 } from '../../crypto/utf8.ts';
import type { RemoteOptions } from './remote.ts';

/** A UUID, the same for as long as the user is signed in here. Made once in a boot. */
export function deviceId(
  { cache, clientId }: Pick<RemoteOptions, 'cache' | 'clientId'>,
  protocol: string,
): string {
  const name = `device ${clientId}`;
  const known = cache.get(name);
  if (typeof known === 'string') return known;
  const bytes = sha256(encodeUtf8(`kitsync/v1/${protocol}/device/${clientId}`)).subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = encodeHex(bytes);
  const ends = [8, 12, 16, 20, 32];
  const made = ends.map((end, at) => hex.slice(ends[at - 1] ?? 0, end)).join('-');
  cache.set(name, made);
  return made;
}
