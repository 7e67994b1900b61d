// Power: it is cut at every storage commit of a story with local edits, conflicts, deletions on both sides and a
// sign-out, just before and just after the commit is durable, and cut once more at every commit of the recovery.
// After the reboot and one more pass device and server agree: nothing is lost, nothing is there twice.

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { MemoryStorage, type StorageCut } from '../../platform/memory/storage.ts';
import { disagreements } from './agreement.ts';
import { deviceOn, type Frozen, freeze, freezeAccount, sharedUser, thaw } from './lab.ts';
import { secondDevice } from './second-device.ts';
import { type Claim, type Step, story } from './story.ts';

const START = freezeAccount(
  syntheticAccount({ records: 60, seed: 8, bodyBytes: 260, passwords: 5 }),
);
const USER = sharedUser(START);
const seen = secondDevice(thaw(START));
const STORY = story({ pages: seen.ids('history'), logins: seen.ids('passwords') });

/** A moment of the story: what the device's flash and the servers hold, and what was promised so far. */
interface Moment {
  readonly storage: MemoryStorage;
  readonly frozen: Frozen;
  readonly claims: readonly Claim[];
}

interface Run extends Moment {
  /** Commits that were asked for. */
  readonly commits: number;
}

/** Boots at that moment and plays a step, maybe until the power goes. */
async function play(step: Step, from: Moment, cut?: StorageCut): Promise<Run> {
  const storage = from.storage.fork(cut);
  const servers = thaw(from.frozen);
  const { agent } = deviceOn(servers, storage, { identity: USER, seed: 50 });
  const claims = [...from.claims];
  const end = async (): Promise<void> => {
    await agent.start();
    await step.run({
      agent,
      second: secondDevice(servers),
      claim: (what, holds) => void claims.push({ what, holds }),
    });
  };
  await (cut === undefined ? end() : end().catch(() => undefined));
  return { storage: storage.fork(), frozen: freeze(servers), claims, commits: storage.commits };
}

/** Reboot and one more pass. */
const RECOVERY: Step = {
  name: 'recovery',
  async run({ agent }) {
    const { state } = agent.status();
    const report = await (state === 'disabled' ? agent.enable() : agent.sync());
    if (!report.ok) throw new Error(JSON.stringify(report.error));
  },
};

/** What is wrong at a moment that should be a happy end. */
async function faults({ storage, frozen, claims }: Moment): Promise<string[]> {
  const servers = thaw(frozen);
  const second = secondDevice(servers);
  const { agent } = deviceOn(servers, storage, { identity: USER });
  await agent.start();
  const lost = claims.filter(({ holds }) => !holds(second)).map(({ what }) => `lost: ${what}`);
  return [...lost, ...(await disagreements(agent, second))];
}

interface Checkpoint {
  readonly step: Step;
  readonly from: Moment;
  readonly commits: number;
}

async function tell(): Promise<{ checkpoints: Checkpoint[]; end: Moment }> {
  const checkpoints: Checkpoint[] = [];
  let from: Moment = { storage: new MemoryStorage(), frozen: START, claims: [] };
  for (const step of STORY.filter(({ signsOut }) => signsOut !== true)) {
    const run = await play(step, from);
    checkpoints.push({ step, from, commits: run.commits });
    from = run;
  }
  return { checkpoints, end: from };
}

function cutsOf(commits: number): StorageCut[] {
  return Array.from({ length: commits }, (_, index) => index + 1).flatMap((atCommit) => [
    { atCommit, when: 'before' as const },
    { atCommit, when: 'after' as const },
  ]);
}

/** Both halves of a moment, as one short text: equal moments have the same future. */
function nameOf({ storage, frozen }: Moment): string {
  const hash = createHash('sha256').update(frozen);
  for (const [key, value] of storage.snapshot()) hash.update(`${key} `).update(value);
  return hash.digest('hex');
}

const { checkpoints, end } = await tell();
const cuts = checkpoints.flatMap(({ step, from, commits }) =>
  cutsOf(commits).map((cut) => ({ step, from, cut })),
);

test('uncut, the story ends with device and server agreeing', async () => {
  expect(await faults(end)).toEqual([]);
  expect(end.claims.length).toBeGreaterThan(12);
});

/** What the reboots of the first test found, by name; the second test goes on from there. */
const found = new Map<string, Moment & { readonly where: string; readonly commits: number }>();

test(`the power goes at ${cuts.length} points: one more pass, and nothing is lost or doubled`, async () => {
  expect(cuts.length).toBeGreaterThan(80);
  for (const { step, from, cut } of cuts) {
    const dead = await play(step, from, cut);
    const where = `${step.name}, ${cut.when} commit ${cut.atCommit}`;
    const recovered = await play(RECOVERY, dead);
    expect(await faults(recovered), where).toEqual([]);
    found.set(nameOf(dead), { ...dead, where, commits: recovered.commits });
  }
});

test('it goes again at every commit of each recovery: the same', async () => {
  let count = 0;
  for (const first of found.values()) {
    for (const cut of cutsOf(first.commits)) {
      const dead = await play(RECOVERY, first, cut);
      count++;
      if (found.has(nameOf(dead))) continue;
      const where = `${first.where}, then ${cut.when} commit ${cut.atCommit}`;
      const recovered = await play(RECOVERY, dead);
      expect(await faults(recovered), where).toEqual([]);
      found.set(nameOf(dead), { ...dead, where, commits: 0 });
    }
  }
  console.log(`${count} pairs of power cuts`);
  expect(count).toBeGreaterThan(300);
});

test('cut anywhere in a sign-out, the device ends signed out with nothing of the account left', async () => {
  const signOut = STORY.at(-1) as Step;
  const whole = await play(signOut, end);
  for (const cut of cutsOf(whole.commits)) {
    const dead = await play(signOut, end, cut);
    const { agent } = deviceOn(thaw(dead.frozen), dead.storage, { identity: USER });
    await agent.start();
    // Before the first commit nobody has signed out.
    const isDone = cut.atCommit > 1 || cut.when === 'after';
    if (!isDone) await agent.disable();
    expect(agent.status()).toMatchObject({ state: 'disabled', account: null });
    expect(dead.storage.snapshot().map(([key]) => key)).toEqual(['s']);
    expect(dead.frozen).toBe(end.frozen);
  }
});
