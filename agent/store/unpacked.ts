// Reading a stored value back: a long one takes turns, and is in memory once.

import { JsonTooLarge, longJsonUnits } from '../../crypto/json.ts';
import { parseLongJson } from '../../crypto/long-json.ts';
import type { Value } from '../../platform/ports.ts';
import type { Body } from '../collections/collection.ts';
import type { Packed } from './record.ts';
import { divided, type Vault } from './vault.ts';

/** The value at a place of a list, which is emptied; null if it does not open. */
export async function unpacked(
  vault: Vault,
  key: string,
  values: (Value | null)[],
  at: number,
  pause: () => Promise<void>,
): Promise<Packed | null> {
  const packed = await opened(vault, key, values, at);
  if (packed === null || packed.text.length <= longJsonUnits) return packed;
  // What is too much to be read in turns is left to the engine's own parser: it was stored here.
  const body = await parseLongJson(packed.text, pause, Number.MAX_VALUE).catch((error) => {
    if (error instanceof JsonTooLarge || error instanceof SyntaxError) return undefined;
    throw error;
  });
  return body === undefined ? packed : { head: packed.head, text: '', body: body as Body };
}

/** A function of its own, so that a long value is gone when what it says is read. */
async function opened(
  vault: Vault,
  key: string,
  values: (Value | null)[],
  at: number,
): Promise<Packed | null> {
  const value = values[at] ?? null;
  values[at] = null;
  return typeof value === 'string' ? divided(value) : value && vault.open(key, value);
}
