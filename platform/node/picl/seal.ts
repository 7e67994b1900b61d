// What is in a payload, as docs/picl.md has it: AES-256-GCM that is bound to collection, key and
// number. Never tells a damaged payload from another place's: both do not open.

import { createCipheriv, createDecipheriv } from 'node:crypto';

const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Of the bytes before and behind the ciphertext. */
const FRAME_BYTES = 1 + IV_BYTES + TAG_BYTES;

/** Where a payload belongs. */
interface Place {
  readonly collection: string;
  readonly key: string;
  readonly seqnum: number;
}

/** The cleartext; null: not sealed under this key for this place, or in another version. */
export function openPayload(payload: string, place: Place, key: Buffer): Buffer | null {
  const bytes = Buffer.from(payload, 'base64url');
  // A decoder that skips what it does not know would take several texts for one payload.
  if (bytes.toString('base64url') !== payload) return null;
  if (bytes.length < FRAME_BYTES || bytes[0] !== VERSION) return null;
  const end = bytes.length - TAG_BYTES;
  const iv = bytes.subarray(1, 1 + IV_BYTES);
  const cipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(placeText(place)).setAuthTag(bytes.subarray(end));
  const cleartext = cipher.update(bytes.subarray(1 + IV_BYTES, end));
  try {
    return Buffer.concat([cleartext, cipher.final()]);
  } catch {
    return null;
  }
}

/** `iv`: 12 bytes, new for each payload under this key. */
export function sealPayload(cleartext: Buffer, place: Place, key: Buffer, iv: Buffer): string {
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(placeText(place));
  const sealed = [Buffer.of(VERSION), iv, cipher.update(cleartext), cipher.final()];
  return Buffer.concat([...sealed, cipher.getAuthTag()]).toString('base64url');
}

function placeText({ collection, key, seqnum }: Place): Buffer {
  return Buffer.from(`picl-payload-v1\n${collection}\n${key}\n${seqnum}\n`);
}
