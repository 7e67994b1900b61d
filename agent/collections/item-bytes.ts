// What an item of an extension's storage counts against its quotas.

import { encodeUtf8 } from '../../crypto/utf8.ts';

/** The UTF-8 bytes of its key, and of its value as JSON. */
export function itemBytes(key: string, value: unknown): number {
  return encodeUtf8(key).length + encodeUtf8(JSON.stringify(value)).length;
}
