// Holds a PiCL server to every rule of docs/picl.md that shows from outside.

import { ACCESS } from './access-rules.ts';
import { type Answer, Asking, Broken, login, type Server } from './asking.ts';
import { READING } from './reading-rules.ts';
import type { Rule } from './rule.ts';
import { WRITING } from './writing-rules.ts';

interface Result {
  readonly id: string;
  readonly says: string;
  /** Null: it holds. */
  readonly why: string | null;
}

/** In an order in which each finds what it needs. */
export const RULES: readonly Rule[] = [...ACCESS, ...WRITING, ...READING];

/**
 * Holds a server to every rule, one after the other, in one collection of one user: whatever it
 * has stays. Rejects if nobody can log in.
 */
export async function hold(
  server: Server,
  collection: string | null,
  each: (result: Result) => void = () => undefined,
): Promise<Result[]> {
  const asking = new Asking(server, loggedIn(await login(server)));
  const [first] = asking.collections.keys();
  asking.name = collection ?? first ?? '';
  if (!asking.collections.has(asking.name))
    throw new Broken(`the login names no collection ${asking.name}`);
  const results: Result[] = [];
  for (const { id, says, run } of RULES) {
    const why = await run(asking, server).then(() => null, reasonOf);
    results.push({ id, says, why });
    each({ id, says, why });
  }
  return results;
}

function loggedIn({ status, json }: Answer): unknown {
  if (status === 200) return json;
  throw new Broken(`the login answers ${status}`);
}

/** What cannot be asked breaks the rule, too. */
function reasonOf(error: unknown): string {
  if (error instanceof Broken) return error.message;
  return `it could not be asked: ${(error as Error).message}`;
}
