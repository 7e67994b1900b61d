// Asks before what cannot be taken back. A person at a terminal answers; a script has said `--yes`
// beforehand.

import { Failure, UsageError } from './complaint.ts';
import type { Terminal } from './terminal.ts';

/**
 * Returns when it may be done. Errors: `Failure` (somebody said no), `UsageError` (nobody can be
 * asked).
 */
export async function confirm(terminal: Terminal, what: string, isSaid: boolean): Promise<void> {
  if (isSaid) return;
  checkAnswerable(terminal, isSaid);
  terminal.complain(`${what}\nType "yes" to go on: `);
  const answer = await terminal.readLine();
  if (answer.trim().toLowerCase() !== 'yes') throw new Failure('nothing was changed');
}

/** Before a command begins that will have to ask. Errors: `UsageError`. */
export function checkAnswerable({ isInteractive }: Terminal, isSaid: boolean): void {
  if (isSaid || isInteractive === true) return;
  throw new UsageError('nobody is here to be asked: say --yes if this is what you want');
}
