// Power: it is cut at every storage commit of a story of 200 contacts with conflicts and deletions
// on both sides, before a server that is emptied, restored, made anew and purged; just before and
// just after the commit is durable, and once more at commits of the recovery. After the reboot and
// one more pass device and server agree: nothing is lost, nothing is there twice. Once where
// records lie one by one, once in packs, once as they are.

import { describe, expect, test } from 'vitest';
import type { StorageCut } from '../../../platform/memory/storage.ts';
import { every } from '../share.ts';
import {
  BEGIN,
  BEGIN_PACKED,
  BEGIN_PLAIN,
  faults,
  type Moment,
  nameOf,
  play,
  RECOVERY,
  tell,
} from './play.ts';
import { story } from './story.ts';

function cutsOf(commits: number): StorageCut[] {
  return Array.from({ length: commits }, (_, index) => index + 1).flatMap((atCommit) => [
    { atCommit, when: 'before' as const },
    { atCommit, when: 'after' as const },
  ]);
}

describe.each([
  ['one by one', BEGIN, every(97), every(397, 53)],
  ['in packs', BEGIN_PACKED, every(97), every(401, 101)],
  ['as they are', BEGIN_PLAIN, every(97), every(401, 101)],
])('records lie %s', async (_, begin, stride, secondStride) => {
  const { checkpoints, end } = await tell(story(200), begin);
  const cuts = checkpoints.flatMap(({ step, from, commits }) =>
    cutsOf(commits).map((cut) => ({ step, from, cut })),
  );

  /** What reboots have found so far, by name; `commits` are those of the recovery from there. */
  const found = new Map<string, Moment & { readonly where: string; readonly commits: number }>();

  const recoverOnce = async (dead: Moment, where: string): Promise<void> => {
    const name = nameOf(dead);
    if (found.has(name)) return;
    const recovered = await play(RECOVERY, dead);
    expect(await faults(recovered), where).toEqual([]);
    found.set(name, { ...dead, where, commits: recovered.commits });
  };

  test('uncut, the story ends with device and server agreeing', async () => {
    expect(await faults(end)).toEqual([]);
    expect(end.claims.length).toBeGreaterThan(120);
  });

  test(`the power goes at ${cuts.length} points: nothing is lost or doubled`, async () => {
    expect(cuts.length).toBeGreaterThan(200);
    for (const [at, { step, from, cut }] of cuts.entries()) {
      if (at % stride !== 0) continue;
      const dead = await play(step, from, { cut });
      await recoverOnce(dead, `${step.name}, ${cut.when} commit ${cut.atCommit}`);
    }
    console.log(`${Math.ceil(cuts.length / stride)} of ${cuts.length} power cuts`);
  });

  test('it goes again at commits of each recovery: the same', async () => {
    let count = 0;
    for (const first of [...found.values()]) {
      for (const cut of cutsOf(first.commits)) {
        if (count++ % secondStride !== 0) continue;
        const dead = await play(RECOVERY, first, { cut });
        await recoverOnce(dead, `${first.where}, then ${cut.when} commit ${cut.atCommit}`);
      }
    }
    const looked = Math.ceil(count / secondStride);
    console.log(`${looked} of ${count} pairs of power cuts, ${found.size} different moments`);
  });
});
