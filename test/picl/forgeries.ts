// Forged logs before a reader: what the model says would come of each, and what the reader says.

import { expect } from 'vitest';
import { keysOf } from '../../platform/node/picl/chain.ts';
import type { Head } from '../../platform/node/picl/reading.ts';
import { Walk } from '../../platform/node/picl/walk.ts';
import { PICL_ROOT } from '../support/picl-log.ts';
import {
  COLLECTION,
  diceOf,
  type Forgery,
  forge,
  headOf,
  type Judgement,
  judge,
  KINDS,
  type Truth,
  truthOf,
} from './forgery.ts';

/** A reader that holds a part of the truth: why it refuses an answer; null: it believes it. */
export type Reader = (truth: Truth, forgery: Forgery) => Promise<string | null>;

/** How often a reader said what to forgeries of a kind that were judged so. */
type Tally = Map<string, number>;

const keys = keysOf(PICL_ROOT, COLLECTION);

/** As a client reads with the second implementation: what comes again is nothing new. */
export const secondReader: Reader = async (truth, { changes, tag }) => {
  const walk = held(truth);
  const { seqnum: start = 0 } = walk.head ?? {};
  for (const change of changes) {
    const reason = walk.take(change)?.reason ?? null;
    const isAgain = reason === 'replay-or-duplicate' && walk.head?.seqnum === start;
    if (reason !== null && !(isAgain && change.seqnum <= start)) return reason;
  }
  return walk.endsAt(tag)?.reason ?? null;
};

/** What a device that has seen the whole truth tells one that was shown the forgery. */
function gossip(truth: Truth, { changes }: Forgery): string | null {
  const walk = held(truth, headOf(truth.log));
  for (const change of changes) walk.take(change);
  const found = walk.knowsEarlier();
  return found === 'unknown' ? found : (found?.reason ?? null);
}

function held({ log, held: count }: Truth, earlier: Head | null = null): Walk {
  const walk = new Walk({ signKey: keys.sign, earlier });
  for (const change of log.slice(0, count)) walk.take(change);
  return walk;
}

/** Puts as many forgeries of each kind before the readers; what they say is compared. */
export async function forgeries(
  each: number,
  seed: number,
  readers: ReadonlyMap<string, Reader>,
): Promise<Tally> {
  const tally: Tally = new Map();
  for (let number = 0; number < each; number++) {
    const dice = diceOf(seed + number);
    const written = truthOf(dice);
    for (const kind of KINDS) {
      const truth = { ...written, held: dice(written.log.length) };
      const forgery = forge(kind, truth, dice);
      const judged = judge(truth, forgery);
      for (const [name, reader] of readers) {
        const reason = await reader(truth, forgery);
        const label = `${kind} | ${judged} | ${name}: ${reason ?? 'believed'}`;
        tally.set(label, (tally.get(label) ?? 0) + 1);
        if ((reason !== null) !== (judged === 'detectable'))
          expect.fail(`${label}, seed ${seed}, number ${number}: ${JSON.stringify(forgery)}`);
      }
      if (judged === 'unseen') countGossip(tally, kind, gossip(truth, forgery));
    }
  }
  return tally;
}

function countGossip(tally: Tally, kind: string, found: string | null): void {
  if (found === null) expect.fail(`${kind}: nobody who has seen the truth finds it`);
  const label = `${kind} | unseen | by gossip: ${found}`;
  tally.set(label, (tally.get(label) ?? 0) + 1);
}

/** Of how many forgeries of each kind what was judged. */
export function judgedIn(tally: Tally, reader: string): Map<string, Record<Judgement, number>> {
  const found = new Map<string, Record<Judgement, number>>();
  for (const [label, count] of tally) {
    const [kind = '', judged = '', said = ''] = label.split(' | ');
    if (!said.startsWith(`${reader}: `)) continue;
    const row = found.get(kind) ?? { same: 0, detectable: 0, unseen: 0 };
    row[judged as Judgement] += count;
    found.set(kind, row);
  }
  return found;
}
