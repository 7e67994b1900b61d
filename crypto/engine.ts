// What tells a text that is wrong from an engine that has failed. A device with little memory
// refuses some, and its engine throws: that says nothing about a record, a key or a stored value,
// and is never taken for it.

/**
 * The value of a JSON text; undefined where it is none. Throws what the engine throws when it fails
 * itself.
 */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A JSON value that is an object: no list, and not null. */
export function isObject(value: unknown): value is { readonly [member: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The engine failed, and not the program: memory was refused, or its stack has ended. QuickJS and
 * SpiderMonkey throw an InternalError, others a RangeError; without memory for that, null (QuickJS)
 * or a text (SpiderMonkey).
 */
export function isEngineFailure(error: unknown): boolean {
  if (error === null || error === 'out of memory') return true;
  return error instanceof Error && /^(InternalError|RangeError)$/.test(error.name);
}
