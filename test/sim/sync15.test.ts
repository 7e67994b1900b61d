// Sync 1.5 in a story with edits, conflicts and deletions on both sides: the power goes at every
// commit, and every request gets lost or loses its answer. After the reboot and one more pass
// device and server agree.

import { expect, test } from 'vitest';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { NetworkError } from '../../platform/web/fetch-network.ts';
import { type Answer, freeze, freezeAccount, honest, sharedUser, thaw } from './lab.ts';
import { castOf, faults, type Moment, nameOf, play, RECOVERY, tell } from './play.ts';
import { story } from './story.ts';

const START = freezeAccount(
  syntheticAccount({ records: 30, seed: 8, bodyBytes: 200, passwords: 5 }),
);
const USER = sharedUser(START);
const steps = story(castOf(START)).filter(({ signsOut }) => signsOut !== true);
const { checkpoints, end } = await tell(START, USER, steps, 'sync15');
const seen = new Set<string>();

/** The recovery from a moment that was not seen before, and its happy end. */
async function recover(dead: Moment, where: string): Promise<void> {
  const name = nameOf(dead);
  if (seen.has(name)) return;
  seen.add(name);
  const recovered = await play(RECOVERY, dead, USER);
  expect(await faults(recovered, USER), where).toEqual([]);
}

test('undisturbed, the story ends with device and server agreeing', async () => {
  expect(await faults(end, USER)).toEqual([]);
  expect(end.claims.length).toBeGreaterThan(12);
});

test('the power goes at every commit: nothing is lost or doubled', async () => {
  seen.clear();
  for (const { step, from, commits } of checkpoints) {
    for (let atCommit = 1; atCommit <= commits; atCommit++) {
      for (const when of ['before', 'after'] as const) {
        const dead = await play(step, from, USER, { cut: { atCommit, when } });
        await recover(dead, `${step.name}, ${when} commit ${atCommit}`);
      }
    }
  }
  expect(seen.size).toBeGreaterThan(20);
});

test.each([
  ['is lost', false],
  ['loses its answer', true],
])('every request %s: the same', async (_what, isDone) => {
  seen.clear();
  for (const { step, from } of checkpoints) {
    for (let at = 0, requests = 1; at < requests; at++) {
      const servers = thaw(from.frozen);
      const ask = honest(servers);
      const answer: Answer = async (request, index) => {
        requests = Math.max(requests, index + 1);
        if (index !== at) return ask(request, index);
        if (isDone) await ask(request, index);
        throw new NetworkError('truncated');
      };
      const told = { answer, stage: servers, servers: () => freeze(servers) };
      const cut = await play(step, from, USER, { told });
      await recover(cut, `${step.name}, request ${at}`);
    }
  }
  expect(seen.size).toBeGreaterThan(10);
});
