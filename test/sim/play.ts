// Plays steps of a story from a moment on, maybe until something breaks, and says what is wrong
// afterwards. A moment is all that outlives a device: its flash, the servers, and what was
// promised. Equal moments have the same future, so a simulation looks at each only once.

import { createHash } from 'node:crypto';
import { MemoryStorage, type StorageCut } from '../../platform/memory/storage.ts';
import type { Identity, NetworkRequest } from '../../platform/ports.ts';
import { NOW_MS, type TestServers } from '../support/device.ts';
import { COLLECTIONS, disagreements } from './agreement.ts';
import {
  type Answer,
  deviceOn,
  type Frozen,
  freeze,
  remembering,
  thaw,
  type WholeReply,
} from './lab.ts';
import { secondDevice } from './second-device.ts';
import type { Cast, Claim, Step } from './story.ts';

export interface Moment {
  readonly storage: MemoryStorage;
  readonly frozen: Frozen;
  readonly claims: readonly Claim[];
  /** What the device speaks; Syncto when left out. */
  readonly protocol?: Protocol;
}

export type Protocol = 'syncto' | 'sync15';

interface Run extends Moment {
  /** Commits that were asked for. */
  readonly commits: number;
}

/** What happens to a run. */
interface Trouble {
  /** Where the power goes; the run ends there. */
  readonly cut?: StorageCut;
  /** All clocks have gone on by that much. */
  readonly laterMs?: number;
  /** What the device hears instead of the servers. */
  readonly told?: Hearsay;
}

interface Hearsay {
  readonly answer: Answer;
  /** Servers that nobody asks. */
  readonly stage: TestServers;
  /** What the real ones hold in the end. */
  readonly servers: () => Frozen;
}

type Identified = Omit<Identity, 'deviceKey'>;

/** Boots at that moment and plays a step. Without trouble, what fails is thrown. */
export async function play(
  step: Step,
  from: Moment,
  user: Identified,
  trouble: Trouble = {},
): Promise<Run> {
  const { protocol = 'syncto' } = from;
  const storage = from.storage.fork(trouble.cut);
  const { told } = trouble;
  const servers = told?.stage ?? thaw(from.frozen);
  servers.nowMs = NOW_MS + (trouble.laterMs ?? 0);
  const { agent } = deviceOn(servers, storage, {
    protocol,
    identity: user,
    seed: 50,
    ...(told === undefined ? {} : { answer: told.answer }),
  });
  const claims = [...from.claims];
  const toTheEnd = async (): Promise<void> => {
    await agent.start();
    await step.run({
      agent,
      second: secondDevice(servers),
      claim: (what, holds) => void claims.push({ what, holds }),
    });
  };
  const isCut = trouble.cut !== undefined;
  await (isCut ? toTheEnd().catch(() => undefined) : toTheEnd());
  const frozen = told?.servers() ?? freeze(servers);
  return { storage: storage.fork(), frozen, claims, protocol, commits: storage.commits };
}

/** After a reboot: one more pass. */
export const RECOVERY: Step = {
  name: 'recovery',
  async run({ agent }) {
    const { state } = agent.status();
    const report = await (state === 'disabled' ? agent.enable() : agent.sync());
    if (!report.ok) throw new Error(JSON.stringify(report.error));
  },
};

/** A reboot and an honest pass, some time later. What fails is thrown. */
export function recover(from: Moment, user: Identified, laterMs = 0): Promise<Run> {
  const { answer, left } = remembering(from.frozen);
  const stage = thaw(from.frozen);
  return play(RECOVERY, from, user, { laterMs, told: { answer, stage, servers: left } });
}

/**
 * A record that the server left out is out of sight until it has news: all of them are written
 * again.
 */
export function withNews(moment: Moment): Moment {
  const servers = thaw(moment.frozen);
  const second = secondDevice(servers);
  for (const name of ['meta', 'crypto', ...COLLECTIONS]) second.touch(name);
  return { ...moment, frozen: freeze(servers) };
}

/** What is wrong at a moment that should be a happy end. */
export async function faults({ storage, frozen, claims }: Moment, user: Identified) {
  const servers = thaw(frozen);
  const second = secondDevice(servers);
  const { agent } = deviceOn(servers, storage, { identity: user });
  await agent.start();
  const lost = claims.filter(({ holds }) => !holds(second)).map(({ what }) => `lost: ${what}`);
  return [...lost, ...(await disagreements(agent, second))];
}

interface Checkpoint {
  readonly step: Step;
  readonly from: Moment;
  readonly commits: number;
}

/** The records of an account that a story is about. */
export function castOf(start: Frozen): Cast {
  const seen = secondDevice(thaw(start));
  return { pages: seen.ids('history'), logins: seen.ids('passwords') };
}

/** Steps of a story, one after the other, from an account that no device knows yet. */
export async function tell(
  start: Frozen,
  user: Identified,
  steps: readonly Step[],
  protocol: Protocol = 'syncto',
): Promise<{ checkpoints: Checkpoint[]; end: Moment }> {
  const checkpoints: Checkpoint[] = [];
  let from: Moment = { storage: new MemoryStorage(), frozen: start, claims: [], protocol };
  for (const step of steps) {
    const run = await play(step, from, user);
    checkpoints.push({ step, from, commits: run.commits });
    from = run;
  }
  return { checkpoints, end: from };
}

interface Told {
  readonly request: NetworkRequest<string>;
  readonly reply: WholeReply;
}

export interface Scripted extends Checkpoint {
  /** What device and servers told each other in this step. */
  readonly told: readonly Told[];
  readonly end: Moment;
}

/** The step once more, written down. */
export async function script(checkpoint: Checkpoint, user: Identified): Promise<Scripted> {
  const truth = remembering(checkpoint.from.frozen);
  const told: Told[] = [];
  const answer: Answer = async (request) => {
    const reply = await truth.answer(request);
    told.push({ request, reply });
    return reply;
  };
  const stage = thaw(checkpoint.from.frozen);
  const hearsay = { answer, stage, servers: truth.left };
  const end = await play(checkpoint.step, checkpoint.from, user, { told: hearsay });
  return { ...checkpoint, told, end };
}

/** Both halves of a moment, as one short text. */
export function nameOf({ storage, frozen }: Moment): string {
  const hash = createHash('sha256').update(frozen);
  for (const [key, value] of storage.snapshot()) hash.update(`${key} `).update(value);
  return hash.digest('base64');
}
