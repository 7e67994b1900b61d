// What a lying server can make of a true log without the user's key, and an independent model of
// what a client would come to hold of it: it compares with the log that was written, and knows
// neither hashes nor signatures.

import {
  type Change,
  changeidOf,
  GENESIS,
  keysOf,
  signatureOf,
} from '../../platform/node/picl/chain.ts';
import type { Head } from '../../platform/node/picl/reading.ts';
import { logOf, PICL_ROOT } from '../support/picl-log.ts';

export const KINDS = [
  ...(['drop', 'swap', 'replay', 'truncate', 're-sign', 'fork', 'renumber', 'move'] as const),
  'rewind',
] as const;
type Kind = (typeof KINDS)[number];

/** What the server answers to a client that asks behind what it holds. */
export interface Forgery {
  readonly kind: Kind;
  readonly changes: readonly Change[];
  readonly tag: Head;
}

/** The truth, and what a client holds of it. */
export interface Truth {
  readonly log: readonly Change[];
  /** Another log that one of the user's devices has signed, with as many first changes alike. */
  readonly branch: readonly Change[];
  readonly alike: number;
  /** The log of another collection. */
  readonly other: readonly Change[];
  /** How many changes the client has verified. */
  readonly held: number;
  readonly root: Buffer;
}

/** Who writes the truth: the key of the user's devices, and what records are called and say. */
export interface Writer {
  readonly root: Buffer;
  keyOf(n: number): string;
  textOf(n: number, value: number): string;
}

const PLAIN: Writer = {
  root: PICL_ROOT,
  keyOf: (n) => `key${n}`,
  textOf: (_, value) => `{"n":${value}}`,
};

/**
 * `same`: the client comes to hold the truth. `detectable`: it would hold what nobody has written,
 * or the answer does not hold together. `unseen`: all of it was written, and something is missing:
 * one device alone cannot tell.
 */
export type Judgement = 'same' | 'detectable' | 'unseen';

export const COLLECTION = 'things';
const OTHER = 'others';

/** Whole numbers from 0 to below `count`, the same for the same seed. */
export type Dice = (count: number) => number;

export function diceOf(seed: number): Dice {
  let state = seed >>> 0;
  return (count) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * count);
  };
}

export function truthOf(dice: Dice, writer: Writer = PLAIN): Truth {
  const { root } = writer;
  const length = 2 + dice(14);
  const writes = writesOf(dice, length, writer);
  const log = logOf(COLLECTION, writes, undefined, root);
  const alike = dice(length);
  // A set begins it: the same deletion would be the same change.
  const others = [
    [writer.keyOf(0), writer.textOf(0, dice(1e9))] as const,
    ...writesOf(dice, dice(4), writer),
  ];
  const behind = headOf(log.slice(0, alike));
  const branch = [...log.slice(0, alike), ...logOf(COLLECTION, others, behind, root)];
  const other = logOf(OTHER, writes, undefined, root);
  return { log, branch, alike, other, held: dice(length), root };
}

function writesOf(dice: Dice, length: number, writer: Writer): [string, string | null][] {
  return Array.from({ length }, () => {
    const n = dice(5);
    return [writer.keyOf(n), dice(4) === 0 ? null : writer.textOf(n, dice(1e9))];
  });
}

/** The head behind these changes. */
export function headOf(changes: readonly Change[]): Head {
  const { seqnum, changeid } = changes.at(-1) ?? { seqnum: 0, changeid: GENESIS };
  return { seqnum, changeid };
}

/** What an honest server answers: the last change that the client holds, and all behind it. */
function answerOf(log: readonly Change[], held: number): Change[] {
  return log.slice(Math.max(0, held - 1));
}

export function forge(kind: Kind, truth: Truth, dice: Dice): Forgery {
  const { changes, tag = headOf(truth.log) } = FORGE[kind](truth, dice);
  return { kind, changes, tag };
}

interface Forged {
  readonly changes: readonly Change[];
  /** Left out: the server says where the log truly is. */
  readonly tag?: Head;
}

const FORGE: Readonly<Record<Kind, (truth: Truth, dice: Dice) => Forged>> = {
  drop(truth, dice) {
    const all = answerOf(truth.log, truth.held);
    const at = dice(all.length);
    return mended(truth, dice, [...all.slice(0, at), ...all.slice(at + 1)], at);
  },
  swap(truth, dice) {
    const all = answerOf(truth.log, truth.held);
    const [one, two] = [dice(all.length), dice(all.length)];
    const swapped = [...all];
    [swapped[one], swapped[two]] = [all[two] as Change, all[one] as Change];
    return mended(truth, dice, swapped, Math.min(one, two));
  },
  replay(truth, dice) {
    const all = answerOf(truth.log, truth.held);
    const from = dice(all.length);
    const at = from + 1 + dice(all.length - from);
    const again = dice(2) === 0 ? [all[from] as Change] : all.slice(from, at);
    return mended(truth, dice, [...all.slice(0, at), ...again, ...all.slice(at)], at);
  },
  truncate({ log, held }, dice) {
    const all = answerOf(log, held);
    const changes = all.slice(0, dice(all.length));
    const isLie = dice(2) === 0;
    return { changes, ...(isLie && { tag: headOf(log.slice(0, Math.max(held, last(changes)))) }) };
  },
  're-sign'({ log, held, root }, dice) {
    const all = answerOf(log, held);
    const key = dice(2) === 0 ? keysOf(root, OTHER).sign : Buffer.alloc(32, dice(256));
    const at = dice(all.length);
    const isWhole = dice(2) === 0;
    const changes = all.map((change, index) => {
      if (index < at || (!isWhole && index > at)) return change;
      return { ...change, signature: signatureOf(change.changeid, key) };
    });
    return { changes };
  },
  fork({ branch, held, log }, dice) {
    if (dice(2) === 0) return { changes: answerOf(branch, held), tag: headOf(branch) };
    // By the server itself, with signatures that it has.
    const at = Math.min(held + dice(3), log.length - 1);
    const own = answerOf(log, held).map((change) =>
      change.seqnum > at ? { ...change, payload: `forged${dice(9)}` } : change,
    );
    const changes = reminted(own, log, held);
    return { changes, tag: headOf(changes) };
  },
  renumber(truth, dice) {
    const all = answerOf(truth.log, truth.held);
    const at = dice(all.length);
    const by = [1, -1, 2, 1_000][dice(4)] ?? 1;
    const changes = all.map((change, index) =>
      index < at ? change : { ...change, seqnum: Math.max(0, change.seqnum + by) },
    );
    if (dice(2) === 0) return { changes };
    const ids = reminted(changes, truth.log, truth.held);
    return { changes: ids, tag: headOf(ids) };
  },
  move(truth, dice) {
    const all = answerOf(truth.log, truth.held);
    const [one, two] = [dice(all.length), dice(all.length)];
    const changes = [...all];
    const [from, to] = [all[one] as Change, all[two] as Change];
    const elsewhere = truth.other[from.seqnum - 1] ?? from;
    const moved: readonly Change[] = [
      { ...to, payload: from.payload },
      { ...to, key: from.key },
      { ...to, key: `moved${dice(9)}` },
      { ...elsewhere, seqnum: to.seqnum },
      { ...to, payload: elsewhere.payload },
    ];
    changes[two] = moved[dice(moved.length)] as Change;
    if (dice(2) === 0) return { changes };
    const ids = reminted(changes, truth.log, truth.held);
    return { changes: ids, tag: headOf(ids) };
  },
  rewind({ log, held }, dice) {
    const kept = log.slice(0, dice(log.length));
    return { changes: answerOf(kept, held), tag: headOf(kept) };
  },
};

/** A list as it is, or renumbered from a place on, or that with ids that follow. */
function mended(truth: Truth, dice: Dice, list: readonly Change[], at: number): Forged {
  const how = dice(3);
  if (how === 0) return { changes: list };
  const first = list[0]?.seqnum ?? 1;
  const changes = list.map((change, index) =>
    index < at ? change : { ...change, seqnum: first + index },
  );
  if (how === 1) return { changes };
  const ids = reminted(changes, truth.log, truth.held);
  return { changes: ids, tag: ids.length === 0 ? headOf(truth.log) : headOf(ids) };
}

/** Ids as a server can make them, which knows the recipe: each from the one before it. */
function reminted(changes: readonly Change[], log: readonly Change[], held: number): Change[] {
  let previous = headOf(log.slice(0, held)).changeid;
  return changes.map((change) => {
    if (change.seqnum <= held) return change;
    previous = changeidOf(change, previous);
    return { ...change, changeid: previous };
  });
}

function last(changes: readonly Change[]): number {
  return changes.at(-1)?.seqnum ?? 0;
}

/** What the client that believes the answer would hold, compared with what was written. */
export function judge({ log, branch, alike, held }: Truth, { changes, tag }: Forgery): Judgement {
  const written = [log, ...(alike >= held ? [branch] : [])];
  const first = changes.findIndex(({ seqnum }) => seqnum > held);
  const known = first < 0 ? changes : changes.slice(0, first);
  // What the client holds is told again as it is, or the log is another one.
  if (known.some(({ seqnum, changeid }) => log[seqnum - 1]?.changeid !== changeid))
    return 'detectable';
  const fresh = first < 0 ? [] : changes.slice(first);
  const truth = written.find((one) => isNext(one, held, fresh));
  if (truth === undefined) return 'detectable';
  const end = held + fresh.length;
  if (tag.seqnum !== end || (end > 0 && truth[end - 1]?.changeid !== tag.changeid))
    return 'detectable';
  return truth === log && end === log.length ? 'same' : 'unseen';
}

function isNext(log: readonly Change[], held: number, fresh: readonly Change[]): boolean {
  return fresh.every((change, at) => JSON.stringify(change) === JSON.stringify(log[held + at]));
}
