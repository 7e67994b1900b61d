// Holds one of ours to what the real Syncto 1.5.0 answered: each request is answered the same, asks
// the servers behind the same, or differs by a decision.

import { isDeepStrictEqual } from 'node:util';
import type { Case } from './case.ts';
import { type Seen, seen } from './compare.ts';
import { decided } from './decisions.ts';
import type { Recording } from './recording.ts';
import type { Running } from './subjects.ts';

interface Difference {
  readonly request: string;
  readonly expected: Seen;
  readonly ours: Seen;
}

interface Tally {
  equal: number;
  /** How many requests, by the decisions that their answers differ for. */
  readonly named: Map<string, number>;
  /** What none of its clients can send. */
  unsendable: number;
  readonly differences: Difference[];
}

/** `oneIn`: of so many cases one is sent. */
export async function compared(
  { subject, replay }: Running,
  cases: readonly Case[],
  recording: Recording,
  oneIn = 1,
): Promise<Tally> {
  const tally: Tally = { equal: 0, named: new Map(), unsendable: 0, differences: [] };
  for (const [index, one] of cases.entries()) {
    if (index % oneIn !== 0) continue;
    const replayed = await replay.run(subject, one, index, recording);
    if (replayed === null) tally.unsendable += one.steps.length;
    for (const [number, { answered, asked }] of (replayed ?? []).entries()) {
      const { [number]: recorded } = recording[one.name] ?? [];
      const { [number]: sent } = one.steps;
      if (recorded === undefined || sent === undefined) throw new Error(`${one.name} is not there`);
      const theirs = seen(
        recorded.answered,
        recorded.exchanges.map((exchange) => exchange.asked),
      );
      const ours = seen(answered, asked);
      const { expected, names } = decided({ sent, trouble: one.trouble, theirs, ours });
      if (!isDeepStrictEqual(expected, ours)) {
        tally.differences.push({ request: one.name, expected, ours });
      } else if (isDeepStrictEqual(theirs, ours)) {
        tally.equal++;
      } else {
        const name = names.join(' + ');
        tally.named.set(name, (tally.named.get(name) ?? 0) + 1);
      }
    }
  }
  return tally;
}

/** How many differ by decisions, and by which. */
export function namedIn({ named }: Tally): { readonly count: number; readonly lines: string } {
  const sorted = [...named].sort();
  return {
    count: sorted.reduce((sum, [, count]) => sum + count, 0),
    lines: sorted.map(([why, count]) => `  ${count} ${why}`).join('\n'),
  };
}
