// What a gateway says of itself: one JSON object a line, each with a time and the name of an event.
// Nothing of it is secret: no credentials, no query, no id of a record or a user, no address of a
// client. What a request named is shown only where it is one of the gateway's own words.

/** Milliseconds end in `Ms`; a missing value is left out. */
type Values = Readonly<Record<string, string | number | boolean | null | undefined>>;

export type Log = (event: string, values?: Values) => void;

/** A log that writes lines. */
export function jsonLog(write: (line: string) => void, nowMs: () => number): Log {
  return (event, values = {}) => {
    write(`${JSON.stringify({ time: new Date(nowMs()).toISOString(), event, ...values })}\n`);
  };
}

/** What kind of thing a path of the gateway names. */
export function routeOf(path: string): string {
  const [, route = 'other'] = ROUTES.find(([pattern]) => pattern.test(path)) ?? [];
  return route;
}

const ROUTES: readonly (readonly [RegExp, string])[] = [
  [/\/v1\/?$/, 'hello'],
  [/\/__(lb)?heartbeat__$/, 'heartbeat'],
  [/\/v1\/batch$/, 'batch'],
  [/\/v1\/buckets\/[^/]+\/collections\/[^/]+\/records$/, 'records'],
  [/\/v1\/buckets\/[^/]+\/collections\/[^/]+\/records\/[^/]+$/, 'record'],
];

/** What went wrong, in a word that holds nothing of what was sent. */
export function causeOf(error: unknown): string {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  return typeof code === 'string' && /^[A-Z0-9_]{1,40}$/.test(code) ? code : String(name);
}
