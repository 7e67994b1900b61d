// A name and a password as a header has them.
// Source: RFC 7617, in UTF-8.

import { encodeBase64 } from '../../crypto/bytes.ts';
import { encodeUtf8 } from '../../crypto/utf8.ts';
import type { Header } from '../../platform/ports.ts';

/** `credentials`: a name without a colon, a colon, a password. */
export function basicAuthorization(credentials: string): Header {
  return ['Authorization', `Basic ${encodeBase64(encodeUtf8(credentials))}`];
}
