// Power: it is cut at every storage commit of a story with local edits, conflicts, deletions on
// both sides and a sign-out, just before and just after the commit is durable, and cut once more at
// every commit of the recovery. After the reboot and one more pass device and server agree: nothing
// is lost, nothing is there twice.

import { expect, test } from 'vitest';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import type { StorageCut } from '../../platform/memory/storage.ts';
import { deviceOn, freezeAccount, sharedUser, thaw } from './lab.ts';
import { castOf, faults, type Moment, nameOf, play, RECOVERY, recover, tell } from './play.ts';
import { every } from './share.ts';
import { type Step, story } from './story.ts';

const START = freezeAccount(
  syntheticAccount({ records: 60, seed: 8, bodyBytes: 260, passwords: 5 }),
);
const USER = sharedUser(START);

function cutsOf(commits: number): StorageCut[] {
  return Array.from({ length: commits }, (_, index) => index + 1).flatMap((atCommit) => [
    { atCommit, when: 'before' as const },
    { atCommit, when: 'after' as const },
  ]);
}

const steps = story(castOf(START));
const signOut = steps.pop() as Step;
const { checkpoints, end } = await tell(START, USER, steps);
const cuts = checkpoints.flatMap(({ step, from, commits }) =>
  cutsOf(commits).map((cut) => ({ step, from, cut })),
);

/** What reboots have found so far, by name; `commits` are those of the recovery from there. */
const found = new Map<string, Moment & { readonly where: string; readonly commits: number }>();

/** The recovery from a moment that was not seen before, and its happy end. */
async function recoverOnce(dead: Moment, where: string): Promise<void> {
  const name = nameOf(dead);
  if (found.has(name)) return;
  const recovered = await recover(dead, USER);
  expect(await faults(recovered, USER), where).toEqual([]);
  found.set(name, { ...dead, where, commits: recovered.commits });
}

test('uncut, the story ends with device and server agreeing', async () => {
  expect(await faults(end, USER)).toEqual([]);
  expect(end.claims.length).toBeGreaterThan(12);
});

test(`the power goes at ${cuts.length} points: one more pass, and nothing is lost or doubled`, {
  timeout: 180_000,
}, async () => {
  expect(cuts.length).toBeGreaterThan(80);
  for (const { step, from, cut } of cuts) {
    const dead = await play(step, from, USER, { cut });
    await recoverOnce(dead, `${step.name}, ${cut.when} commit ${cut.atCommit}`);
  }
});

test('it goes again at every commit of each recovery: the same', { timeout: 180_000 }, async () => {
  let count = 0;
  const stride = every(19);
  for (const first of [...found.values()]) {
    for (const cut of cutsOf(first.commits)) {
      if (count++ % stride !== 0) continue;
      const dead = await play(RECOVERY, first, USER, { cut });
      await recoverOnce(dead, `${first.where}, then ${cut.when} commit ${cut.atCommit}`);
    }
  }
  console.log(
    `${Math.ceil(count / stride)} of ${count} pairs of power cuts, ${found.size} different moments`,
  );
  expect(count).toBeGreaterThan(300);
});

test('cut anywhere in a sign-out, it ends signed out, nothing of the account left', async () => {
  const whole = await play(signOut, end, USER);
  for (const cut of cutsOf(whole.commits)) {
    const dead = await play(signOut, end, USER, { cut });
    const { agent } = deviceOn(thaw(dead.frozen), dead.storage, { identity: USER });
    await agent.start();
    // Before the first commit nobody has signed out.
    if (cut.atCommit === 1 && cut.when === 'before') await agent.disable();
    expect(agent.status()).toMatchObject({ state: 'disabled', account: null });
    expect(dead.storage.snapshot().map(([key]) => key)).toEqual(['s']);
    expect(dead.frozen).toBe(end.frozen);
  }
});
