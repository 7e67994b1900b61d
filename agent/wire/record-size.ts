// How long a record is on the wire, and how much it is in memory, before this device makes it so:
// what another one with the same configuration would set aside is neither kept nor sent.

import { isDense, JsonTooLarge, longJsonUnits } from '../../crypto/json.ts';
import { parseLongJson } from '../../crypto/long-json.ts';
import { encodeUtf8 } from '../../crypto/utf8.ts';
import type { AgentConfig, SizeLimits } from '../config.ts';
import { SyncError, type SyncErrorDetail } from '../errors.ts';
import { ENVELOPE_CHARS, PAYLOAD_FRAME_CHARS } from '../limits.ts';

/** Whether a sealed payload makes a record that is too long for others. */
export function isTooLong(payload: string, { recordCharsMax }: AgentConfig): boolean {
  return payload.length + ENVELOPE_CHARS - PAYLOAD_FRAME_CHARS > recordCharsMax;
}

const BLOCK_BYTES = 16;
const PIECE_CHARS = 2_048;

/**
 * Errors: `tooLarge` names the limit. `body`: as it goes to the server; a long one takes turns
 * (`pause`).
 */
export async function checkSize(
  { recordCharsMax, bodyBytesMax: bytesMax = Number.MAX_VALUE }: SizeLimits,
  body: object,
  pause: () => Promise<void>,
  detail: SyncErrorDetail,
): Promise<void> {
  const text = JSON.stringify(body);
  // Most records are short: three bytes a character and a third more in base64 is the most that
  // there can be.
  if (4 * text.length + ENVELOPE_CHARS > recordCharsMax) {
    const bytes = await utf8Bytes(text, pause);
    const sealed = BLOCK_BYTES * (Math.floor(bytes / BLOCK_BYTES) + 1);
    const chars = 4 * Math.ceil(sealed / 3) + ENVELOPE_CHARS;
    if (chars > recordCharsMax) {
      throw new SyncError(
        'tooLarge',
        `record: ${chars} characters, at most ${recordCharsMax} on the wire`,
        detail,
      );
    }
  }
  if (text.length <= longJsonUnits && !isDense(text)) return;
  try {
    await parseLongJson(text, pause, bytesMax, false);
  } catch (error) {
    if (!(error instanceof JsonTooLarge)) throw error;
    throw new SyncError('tooLarge', `record: ${error.message}`, detail);
  }
}

async function utf8Bytes(text: string, pause: () => Promise<void>): Promise<number> {
  let bytes = 0;
  for (let at = 0; at < text.length; await pause()) {
    // Not through a pair.
    const end =
      at + PIECE_CHARS - Number(/[\ud800-\udbff]/.test(text.charAt(at + PIECE_CHARS - 1)));
    bytes += encodeUtf8(text.slice(at, end)).length;
    at = end;
  }
  return bytes;
}
