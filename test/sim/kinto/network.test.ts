// The network before a Kinto: the link breaks after every byte of every answer of a small sync in
// both directions, requests get lost on their way up (a server does nothing with a part of one),
// and answers get lost after the server has done what was asked. One more pass, and device and
// server agree: nothing is lost, nothing is there twice. Once where records lie one by one, once in
// packs, once as they are.

import { describe, expect, test } from 'vitest';
import { NetworkError, type NetworkErrorCode } from '../../../platform/web/fetch-network.ts';
import type { Answer, Reply } from '../lab.ts';
import { every } from '../share.ts';
import {
  BEGIN,
  BEGIN_PACKED,
  BEGIN_PLAIN,
  type Checkpoint,
  faults,
  nameOf,
  play,
  RECOVERY,
  tell,
} from './play.ts';
import { shortStory } from './story.ts';

/** What goes wrong with one request: instead of its reply the device gets `instead`. */
interface Break {
  readonly at: number;
  /** The server never sees the request. */
  readonly isLost: boolean;
  readonly instead: (reply: Reply) => Reply;
  /** All later requests go the same way. */
  readonly forEver?: boolean;
}

/** Lengths of the answers that the device hears in a step. */
async function answersOf({ step, from }: Checkpoint): Promise<number[]> {
  const lengths: number[] = [];
  const answer =
    (truth: Answer): Answer =>
    async (request, index) => {
      const reply = await truth(request, index);
      lengths.push((reply.body as Uint8Array).length);
      return reply;
    };
  await play(step, from, { answer });
  return lengths;
}

/** A pass with that break in it, then an honest one. Its moment is looked at once: see `seen`. */
async function breakAndRecover(
  { step, from }: Checkpoint,
  { at, isLost, instead, forEver = false }: Break,
  where: string,
  seen: Set<string>,
): Promise<void> {
  const answer =
    (truth: Answer): Answer =>
    async (request, index) => {
      const isBroken = index === at || (forEver && index > at);
      if (isBroken && isLost) return instead({ status: 0, headers: [], body: [] });
      const reply = await truth(request, index);
      return isBroken ? instead(reply) : reply;
    };
  const broken = await play(step, from, { answer });
  const name = nameOf(broken);
  if (seen.has(name)) return;
  seen.add(name);
  expect(await faults(await play(RECOVERY, broken)), where).toEqual([]);
}

const WAYS: readonly {
  readonly what: string;
  readonly isLost: boolean;
  readonly code: NetworkErrorCode;
}[] = [
  { what: 'is lost', isLost: true, code: 'offline' },
  { what: 'is lost after a while', isLost: true, code: 'timeout' },
  { what: 'arrives, its answer is lost', isLost: false, code: 'truncated' },
  { what: 'arrives, its answer is late', isLost: false, code: 'timeout' },
];

describe.each([
  ['one by one', BEGIN, every(397, 7)],
  ['in packs', BEGIN_PACKED, every(797, 13)],
  ['as they are', BEGIN_PLAIN, every(797, 13)],
])('records lie %s', async (_, begin, stride) => {
  const { checkpoints, end } = await tell(shortStory(), begin);
  const syncs: (Checkpoint & { readonly answers: readonly number[] })[] = [];
  for (const checkpoint of checkpoints) {
    const answers = await answersOf(checkpoint);
    if (answers.length > 0) syncs.push({ ...checkpoint, answers });
  }
  const byteCount = syncs.flatMap(({ answers }) => answers).reduce((sum, count) => sum + count, 0);
  const seen = new Set<string>();

  test('the story is one in both directions, and ends well', async () => {
    expect(await faults(end)).toEqual([]);
    expect(syncs.map(({ answers }) => answers.length > 4)).toEqual([true, true]);
  });

  test(`a link that breaks every ${stride} of ${byteCount} bytes: both agree soon`, {
    timeout: 1_800_000,
  }, async () => {
    expect(byteCount).toBeGreaterThan(5_000);
    let count = 0;
    for (const sync of syncs) {
      for (const [at, bytes] of sync.answers.entries()) {
        for (let breakAfterBytes = 0; breakAfterBytes < bytes; breakAfterBytes += stride, count++) {
          const instead = (whole: Reply): Reply => ({ ...whole, breakAfterBytes });
          const where = `${sync.step.name}, request ${at}, byte ${breakAfterBytes}`;
          await breakAndRecover(sync, { at, isLost: false, instead }, where, seen);
        }
      }
    }
    console.log(`${count} broken links, ${seen.size} different moments`);
  });

  test.each(WAYS)('each request $what, once and with all that follow: the same', async (way) => {
    for (const sync of syncs) {
      for (let at = 0; at < sync.answers.length; at += every(2)) {
        for (const forEver of [false, true]) {
          const instead = (): never => {
            throw new NetworkError(way.code);
          };
          const where = `${sync.step.name}, request ${at}`;
          await breakAndRecover(sync, { at, isLost: way.isLost, instead, forEver }, where, seen);
        }
      }
    }
  });
});
