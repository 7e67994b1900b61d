// Lies by the thousand: answers of a Kinto in a sync in both directions, each wrong in one or two
// places, some followed by more lies. Whatever it says, the device does not crash, holds only what
// somebody with the key has sealed, and loses no local change; with the honest server back, both
// sides agree.

import { expect, test } from 'vitest';
import { createRandom } from '../../../emulator/device/random.ts';
import type { Answer, WholeReply } from '../lab.ts';
import { mutated } from '../mutate.ts';
import { every } from '../share.ts';
import { withNews } from './endure.ts';
import { held, type Truths, truthsOf, untruths } from './judge.ts';
import {
  BEGIN,
  BEGIN_PACKED,
  BEGIN_PLAIN,
  type Checkpoint,
  faults,
  type Moment,
  nameOf,
  play,
  RECOVERY,
  tell,
} from './play.ts';
import { shortStory } from './story.ts';

const DAY_MS = 86_400_000;
/**
 * Ids that were made up do not come again, so nothing clears their marks. And where both sides have
 * changed a record whose rule goes by time, a server that lies about its time decides. Whoever
 * keeps a deletion from a device, or says again what it said before, as a backup does, has its
 * record brought back; with a pack all that are in it are kept from it. See
 * docs/kinto-encryption.md.
 */
const FORGIVEN = /in quarantine$|^lost: (\{"note":"here"\} of 0|(the|their) deletion of \d)$/;
const FORGIVEN_IN_PACKS = /in quarantine$|^lost: (\{"note":"here"\}|(the|their) deletion) of \d$/;
/**
 * Where nothing is sealed a server may make up a record, and has it again from a device that has
 * changed it; one that was made up and is not there any more is missed at the next comparison of
 * all. No change is lost for it, no record, and none is left other than it is there.
 */
const MADE_UP = /is there twice$|, nothing on the server$/;
const FORGIVEN_AS_THEY_ARE = new RegExp(`${FORGIVEN.source}|${MADE_UP.source}`);

interface Form {
  readonly how: string;
  readonly begin: Moment;
  readonly lies: number;
  readonly forgiven: RegExp;
  /** What the server says is all that there is: a device may hold whatever it has said. */
  readonly isUnproven?: true;
}

const FORMS: readonly Form[] = [
  { how: 'one by one', begin: BEGIN, lies: liesOf(every(200, 4)), forgiven: FORGIVEN },
  {
    how: 'in packs',
    begin: BEGIN_PACKED,
    lies: liesOf(every(400, 8)),
    forgiven: FORGIVEN_IN_PACKS,
  },
  {
    how: 'as they are',
    begin: BEGIN_PLAIN,
    lies: liesOf(every(200, 8)),
    forgiven: FORGIVEN_AS_THEY_ARE,
    isUnproven: true,
  },
];

function liesOf(stride: number): number {
  return Math.ceil(10_000 / stride);
}

interface Play extends Checkpoint {
  /** What the server answers in this step. */
  readonly replies: readonly WholeReply[];
  readonly before: ReadonlyMap<string, string>;
  readonly truths: Truths;
}

/** Each step of a story in which a server answers. */
async function playsFrom(begin: Moment): Promise<Play[]> {
  const { checkpoints } = await tell(shortStory(), begin);
  const plays: Play[] = [];
  for (const checkpoint of checkpoints) {
    const replies: WholeReply[] = [];
    const answer =
      (truth: Answer): Answer =>
      async (request, index) => {
        const reply = (await truth(request, index)) as WholeReply;
        replies.push(reply);
        return reply;
      };
    const end = await play(checkpoint.step, checkpoint.from, { answer });
    if (replies.length === 0) continue;
    const { from } = checkpoint;
    plays.push({
      ...{ ...checkpoint, replies, before: await held(from) },
      truths: await truthsOf([from, end]),
    });
  }
  return plays;
}

interface Lied {
  readonly after: Moment;
  readonly what: string;
  readonly of: Play;
  /** What was said instead of what. */
  readonly lies: readonly (readonly [said: WholeReply, truth: WholeReply])[];
}

/** The pass hears the truth up to one answer; that one is a lie, and maybe all that follow. */
async function lieOnce(plays: readonly Play[], seed: number): Promise<Lied> {
  const random = createRandom(seed);
  const of = plays[random.uint32() % plays.length] as Play;
  const at = random.uint32() % of.replies.length;
  const goesOn = random.uint32() % 4 === 0;
  // What was said before may be said again; what the device has not yet sent, no server can say.
  const others = of.replies.slice(0, at);
  const lies: [WholeReply, WholeReply][] = [];
  const answer =
    (truth: Answer): Answer =>
    async (request, index) => {
      const reply = (await truth(request, index)) as WholeReply;
      const isLie = index === at || (goesOn && index > at);
      if (!isLie) return reply;
      const said = mutated(reply, others, random);
      lies.push([said, reply]);
      return said;
    };
  const after = await play(of.step, of.from, { answer });
  return { after, of, lies, what: `seed ${seed}: ${of.step.name}, answer ${at}` };
}

/**
 * What is lost where nothing proves itself: a record that an answer has shown with another content
 * under its own stamp or a younger one. Nobody can tell that from an edit; and when the server is
 * honest again, nobody can tell its true version from one of a restored backup.
 */
function unseenBy(lies: Lied['lies']): (complaint: string) => boolean {
  const victims = lies.flatMap(([said, truth]) => {
    const known = new Map(recordsIn(truth).map((record) => [record.id, record]));
    return recordsIn(said).flatMap(({ id, stampMs, members }) => {
      const own = known.get(id);
      return own && stampMs >= own.stampMs && members !== own.members ? [id] : [];
    });
  });
  const ends = victims.map((id) => ` of ${id.replace('contact-', '')}`);
  return (complaint) =>
    /^lost: .*\{/.test(complaint) && ends.some((end) => complaint.endsWith(end));
}

interface Shown {
  readonly id: string;
  readonly stampMs: number;
  readonly members: string;
}

/** The records in a listing; of what is none, none. */
function recordsIn({ body }: WholeReply): Shown[] {
  const text = Buffer.from(body).toString();
  return [...text.matchAll(/\{[^{}]*"last_modified":\d+[^{}]*\}/g)].flatMap(([json]) => {
    try {
      const { id, last_modified: stampMs, ...members } = JSON.parse(json);
      return [{ id: `${id}`, stampMs: Number(stampMs), members: JSON.stringify(members) }];
    } catch {
      return [];
    }
  });
}

test.each(FORMS)(
  'records lie $how: no crash, nothing but truths where they prove themselves, no change lost',
  {
    timeout: 600_000,
  },
  async ({ how, begin, lies, forgiven, isUnproven = false }) => {
    const plays = await playsFrom(begin);
    const seen = new Set<string>();
    const isKnown = (moment: Moment): boolean => seen.size === seen.add(nameOf(moment)).size;
    for (let seed = 0; seed < lies; seed++) {
      const { after, of, lies: told, what } = await lieOnce(plays, seed);
      const isUnseen = isUnproven ? unseenBy(told) : () => false;
      if (isKnown(after)) continue;
      if (!isUnproven) expect(untruths(await held(after), of.before, of.truths), what).toEqual([]);
      const first = await play(RECOVERY, after, { laterMs: DAY_MS });
      if (isKnown(first)) continue;
      const recovered = await play(RECOVERY, withNews(first), { laterMs: DAY_MS });
      const wrong = await faults(recovered);
      expect(
        wrong.filter((complaint) => !forgiven.test(complaint) && !isUnseen(complaint)),
        what,
      ).toEqual([]);
    }
    console.log(`${how}: ${lies} lies, ${seen.size} different moments`);
  },
);
