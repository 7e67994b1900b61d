// A device that hangs at a step of a pass, and is given up there by whoever signs out.

import { GIVE_UP_MS } from '../../agent/limits.ts';
import type { Bench } from '../contract/bench.ts';

type Device = Awaited<ReturnType<Bench['boot']>>;

/** Steps that a device may take its time for. */
export const HANGING_STEPS = ['pause', 'read', 'write', 'request'] as const;

/**
 * Begins a pass that hangs at the n-th step of the kind (from 0), its work done and its answer not
 * given; signs out, and lets it go on as long as it will.
 *
 * @returns whether there was such a step
 */
export async function signedOutOf(
  { agent, storage, platform }: Device,
  kind: (typeof HANGING_STEPS)[number],
  at: number,
  begin: () => Promise<unknown>,
): Promise<boolean> {
  let steps = 0;
  let goOn = (): void => undefined;
  const hung = new Promise<true>((reached) => {
    const step = async <T>(result: Promise<T>): Promise<T> => {
      if (steps++ !== at) return result;
      const answer = await result;
      reached(true);
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      return answer;
    };
    const get = storage.get.bind(storage);
    const commit = storage.commit.bind(storage);
    const request = platform.network.request.bind(platform.network);
    if (kind === 'read') storage.get = (keys) => step(get(keys));
    else if (kind === 'write') storage.commit = (changes) => step(commit(changes));
    else if (kind === 'request') platform.network.request = (asked) => step(request(asked));
    else platform.clock.pause = () => step(Promise.resolve());
  });
  const hasHung = await Promise.race([hung, begin().then(() => false)]);
  steps = Number.MAX_SAFE_INTEGER;
  let isOut = false;
  const out = agent.disable().finally(() => {
    isOut = true;
  });
  // Who opens or wipes the collections is waited for.
  for (let n = 0; n < 30 && !isOut; n++) await platform.time.advance(GIVE_UP_MS);
  goOn();
  while (!isOut) await platform.time.advance(GIVE_UP_MS);
  await out;
  await new Promise((resolve) => setTimeout(resolve, 5));
  return hasHung;
}
