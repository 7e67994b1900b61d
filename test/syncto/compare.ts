// Two answers as a client sees them: JSON by its values, header names without their case, and none
// of what only says how long a text is.

import { isObject } from '../../emulator/servers/http.ts';
import type { Answered, Sent } from './case.ts';

/** An answer, and what was asked for it, in a form in which equal means the same. */
export interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly asked: readonly SeenAsked[];
}

interface SeenAsked {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export function seen({ status, headers, body }: Answered, asked: readonly Sent[]): Seen {
  return {
    status,
    headers: seenHeaders(headers),
    body: seenBody(jsonOf(body)),
    asked: asked.map((one) => ({
      ...one,
      headers: seenHeaders(one.headers),
      body: jsonOf(one.body),
    })),
  };
}

function jsonOf(text: string | undefined): unknown {
  try {
    return text === undefined ? null : JSON.parse(text);
  } catch {
    return text;
  }
}

/** The order of several faults means nothing; the answers in a batch have headers, too. */
function seenBody(body: unknown): unknown {
  if (isObject(body) && Array.isArray(body.details)) {
    const details = body.details.map((fault) => JSON.stringify(fault)).sort();
    return { ...body, details: details.map((fault): unknown => JSON.parse(fault)) };
  }
  if (!isObject(body) || !Array.isArray(body.responses)) return body;
  const responses = body.responses.map((one: unknown) =>
    isObject(one) ? { ...one, headers: seenHeaders(one.headers) } : one,
  );
  return { ...body, responses };
}

function seenHeaders(headers: unknown): Record<string, string> {
  const pairs = Object.entries(isObject(headers) ? headers : {})
    .map(([name, value]) => [name.toLowerCase(), String(value)] as const)
    .filter(([name]) => name !== 'content-length')
    .map(([name, value]) => [name, inOrder(name, value)]);
  return Object.fromEntries(pairs);
}

/** The order of these means nothing. */
function inOrder(name: string, value: string): string {
  const isSet = /^access-control-(expose-headers|allow-(headers|methods))$/.test(name);
  return isSet ? value.split(/, ?/).sort().join(', ') : value;
}
