// The network: the link breaks after every byte of every answer of a small sync in both directions,
// requests get lost on their way, and answers get lost after the server has done what was asked.
// One more pass, and device and server agree: nothing is lost, nothing is there twice.

import { expect, test } from 'vitest';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { NetworkError, type NetworkErrorCode } from '../../platform/web/fetch-network.ts';
import { type Answer, freezeAccount, type Reply, remembering, sharedUser, thaw } from './lab.ts';
import { castOf, faults, nameOf, play, recover, type Scripted, script, tell } from './play.ts';
import { every } from './share.ts';
import { shortStory } from './story.ts';

const START = freezeAccount(
  syntheticAccount({ records: 9, seed: 3, bodyBytes: 150, passwords: 3 }),
);
const USER = sharedUser(START);
const STAGE = thaw(START);
const { checkpoints } = await tell(START, USER, shortStory(castOf(START)));
const syncs: Scripted[] = [];
for (const checkpoint of checkpoints) {
  const scripted = await script(checkpoint, USER);
  if (scripted.told.length > 0) syncs.push(scripted);
}
const byteCount = syncs
  .flatMap(({ told }) => told.map(({ reply }) => reply.body.length))
  .reduce((sum, count) => sum + count, 0);

/** What goes wrong with one request: instead of its reply the device gets `instead`. */
interface Break {
  readonly at: number;
  /** The server never sees the request. */
  readonly isLost: boolean;
  readonly instead: (reply: Reply) => Reply;
  /** All later requests go the same way. */
  readonly forEver?: boolean;
}

const seen = new Set<string>();

/** A pass with that break in it, then an honest one. Its moment is looked at once. */
async function breakAndRecover(
  { step, from }: Scripted,
  { at, isLost, instead, forEver = false }: Break,
  where: string,
): Promise<void> {
  const truth = remembering(from.frozen);
  const answer: Answer = async (request, index) => {
    const isBroken = index === at || (forEver && index > at);
    if (isBroken && isLost) return instead({ status: 0, headers: [], body: [] });
    const reply = await truth.answer(request);
    return isBroken ? instead(reply) : reply;
  };
  const hearsay = { answer, stage: STAGE, servers: truth.left };
  const cut = await play(step, from, USER, { told: hearsay });
  const name = nameOf(cut);
  if (seen.has(name)) return;
  seen.add(name);
  const recovered = await recover(cut, USER);
  expect(await faults(recovered, USER), where).toEqual([]);
}

test('the told story is the one that the servers tell', () => {
  expect(syncs.map(({ told }) => told.length)).toEqual([4, expect.any(Number)]);
  expect(syncs[1]?.told.some(({ request }) => request.body?.includes('"PUT"'))).toBe(true);
});

const STRIDE = every(41);

test(`a link that breaks every ${STRIDE} of ${byteCount} bytes: one more pass, and both agree`, {
  timeout: 180_000,
}, async () => {
  expect(byteCount).toBeGreaterThan(10_000);
  for (const sync of syncs) {
    for (const [at, { reply }] of sync.told.entries()) {
      for (
        let breakAfterBytes = 0;
        breakAfterBytes < reply.body.length;
        breakAfterBytes += STRIDE
      ) {
        const instead = (whole: Reply): Reply => ({ ...whole, breakAfterBytes });
        const where = `${sync.step.name}, request ${at}, byte ${breakAfterBytes}`;
        await breakAndRecover(sync, { at, isLost: false, instead }, where);
      }
    }
  }
  console.log(`${Math.round(byteCount / STRIDE)} broken links, ${seen.size} different moments`);
});

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

test.each(WAYS)('each request $what, once and with all that follow: the same', async (way) => {
  for (const sync of syncs) {
    for (const at of sync.told.keys()) {
      for (const forEver of [false, true]) {
        const instead = (): never => {
          throw new NetworkError(way.code);
        };
        await breakAndRecover(sync, { at, isLost: way.isLost, instead, forEver }, `request ${at}`);
      }
    }
  }
});
