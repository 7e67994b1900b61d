// Holds a PiCL server to every rule of docs/picl.md that shows from outside.

import { GENESIS } from '../../../platform/node/picl/chain.ts';
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
 * has stays, and goes on with changes that the user's devices take for forged. So null is the first
 * collection that nobody has written. Rejects if nobody can log in, or there is none.
 */
export async function hold(
  server: Server,
  collection: string | null,
  each: (result: Result) => void = () => undefined,
): Promise<Result[]> {
  const asking = new Asking(server, loggedIn(await login(server)));
  if (collection === null) await toUnwritten(asking);
  else asking.name = collection;
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

async function toUnwritten(asking: Asking): Promise<void> {
  for (const name of asking.collections.keys()) {
    asking.name = name;
    if ((await asking.head()).changeid === GENESIS) return;
  }
  throw new Broken('every collection was written already, and would be of no use to its devices');
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
