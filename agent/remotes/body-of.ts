// What is in a record that has been opened: its members, or why it is nothing for this device.

import { isObject, jsonOf } from '../../crypto/engine.ts';
import { isDense, JsonTooLarge, longJsonUnits } from '../../crypto/json.ts';
import { parseLongJson } from '../../crypto/long-json.ts';
import type { Body } from '../collections/collection.ts';

/**
 * The object that a text is the JSON of; else a code: `badJson`, `notAnObject`, `tooLarge` for one
 * that takes more than `bytesMax` of memory. A long one takes turns (`pause`).
 */
export async function bodyOf(
  text: string,
  pause: () => Promise<void>,
  bytesMax: number,
): Promise<Body | string> {
  const isLong = text.length > longJsonUnits || isDense(text);
  const value = isLong ? await parseLongJson(text, pause, bytesMax).catch(whyNot) : jsonOf(text);
  if (typeof value === 'string' && isLong) return value;
  return isObject(value) ? value : value === undefined ? 'badJson' : 'notAnObject';
}

function whyNot(error: unknown): string {
  if (error instanceof JsonTooLarge) return 'tooLarge';
  if (error instanceof SyntaxError) return 'badJson';
  throw error;
}
