// Plays steps of a story from a moment on, maybe until something breaks, and says what is wrong
// afterwards. A moment is all that outlives a device: its storage, the server, and what was
// promised. Equal moments have the same future, so a simulation looks at each only once.

import { createHash } from 'node:crypto';
import { MemoryStorage, type StorageCut } from '../../../platform/memory/storage.ts';
import type { Answer } from '../lab.ts';
import {
  type Device,
  deviceOn,
  disagreements,
  type Frozen,
  freeze,
  honest,
  type Other,
  otherOf,
  type Servers,
  thaw,
} from './lab.ts';

interface Claim {
  readonly what: string;
  holds(other: Other): boolean;
}

export interface Scene extends Pick<Device, 'agent'> {
  readonly servers: Servers;
  readonly other: Other;
  /** Time goes on, on both sides. */
  later(byMs: number): void;
  /** Makes a promise: an edit of this device is durable, or the other one has written. */
  claim(what: string, holds: (other: Other) => boolean): void;
}

export interface Step {
  readonly name: string;
  run(scene: Scene): Promise<void>;
}

export interface Moment {
  readonly storage: MemoryStorage;
  readonly frozen: Frozen;
  readonly claims: readonly Claim[];
}

interface Run extends Moment {
  /** Commits that were asked for. */
  readonly commits: number;
  readonly device: Device;
}

interface Trouble {
  /** Where the power goes; the run ends there. */
  readonly cut?: StorageCut;
  /** All clocks have gone on by that much. */
  readonly laterMs?: number;
  /** The device's clock by itself. */
  readonly deviceMs?: number;
  /** What the device hears instead of the server, whose own word `truth` asks for. */
  readonly answer?: (truth: Answer) => Answer;
}

export const BEGIN: Moment = { storage: new MemoryStorage(), frozen: freeze(thaw()), claims: [] };
/** Where small records are sealed together. */
export const BEGIN_PACKED: Moment = { ...BEGIN, frozen: freeze(thaw(undefined, 'packed')) };
/** Where nothing is sealed. */
export const BEGIN_PLAIN: Moment = { ...BEGIN, frozen: freeze(thaw(undefined, 'plain')) };

/** Boots at that moment and plays a step. Without a cut, what fails is thrown. */
export async function play(step: Step, from: Moment, trouble: Trouble = {}): Promise<Run> {
  const { cut, laterMs = 0, answer, deviceMs } = trouble;
  const storage = from.storage.fork(cut);
  const servers = thaw(from.frozen);
  servers.nowMs += laterMs;
  const truth = honest(servers);
  const device = deviceOn(servers, storage, {
    seed: 50,
    ...(answer && { answer: answer(truth) }),
    ...(deviceMs !== undefined && { nowMs: deviceMs }),
  });
  const claims = [...from.claims];
  const toTheEnd = async (): Promise<void> => {
    await device.agent.start();
    await step.run({
      ...{ agent: device.agent, servers, other: otherOf(servers) },
      later(byMs) {
        servers.nowMs += byMs;
        device.platform.time.set(device.platform.time.nowMs() + byMs);
      },
      claim: (what, holds) => void claims.push({ what, holds }),
    });
  };
  await (cut === undefined ? toTheEnd() : toTheEnd().catch(() => undefined));
  const left = { storage: storage.fork(), frozen: freeze(servers), claims };
  return { ...left, commits: storage.commits, device };
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

/** What is wrong at a moment that should be a happy end. */
export async function faults({ storage, frozen, claims }: Moment): Promise<string[]> {
  const servers = thaw(frozen);
  const other = otherOf(servers);
  const device = deviceOn(servers, storage.fork());
  await device.agent.start();
  const lost = claims.filter(({ holds }) => !holds(other)).map(({ what }) => `lost: ${what}`);
  return [...lost, ...(await disagreements(device, other))];
}

export interface Checkpoint {
  readonly step: Step;
  readonly from: Moment;
  readonly commits: number;
}

/** Steps of a story, one after the other, from an account that no device knows yet. */
export async function tell(
  steps: readonly Step[],
  begin = BEGIN,
): Promise<{
  readonly checkpoints: Checkpoint[];
  readonly end: Moment;
}> {
  const checkpoints: Checkpoint[] = [];
  let from = begin;
  for (const step of steps) {
    const { commits, ...moment } = await play(step, from);
    checkpoints.push({ step, from, commits });
    from = moment;
  }
  return { checkpoints, end: from };
}

/** Both halves of a moment, as one short text. */
export function nameOf({ storage, frozen }: Pick<Moment, 'storage' | 'frozen'>): string {
  const hash = createHash('sha256').update(frozen);
  for (const [key, value] of storage.snapshot()) hash.update(`${key} `).update(value);
  return hash.digest('base64');
}
