// Logs that the agent writes before the second implementation, and the other way round: both take
// what either has written, and refuse the same change of what was altered.

import { expect } from 'vitest';
import { piclKeysOf } from '../../agent/remotes/picl/keys.ts';
import { type Change, chainV1, GENESIS } from '../../agent/remotes/picl/scheme.ts';
import { openPayloads, sealPayloads } from '../../agent/remotes/picl/seal.ts';
import { textCrypto } from '../../crypto/texts.ts';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import { keysOf } from '../../platform/node/picl/chain.ts';
import { entryOf } from '../../platform/node/picl/log.ts';
import { Walk } from '../../platform/node/picl/walk.ts';
import { logOf, PICL_ROOT } from '../support/picl-log.ts';
import { type Dice, diceOf } from './forgery.ts';

const NAME = 'things';
const agentKeys = piclKeysOf(PICL_ROOT);
const crypto = textCrypto(nodeDeviceCrypto(), async () => undefined);
const scheme = chainV1(crypto, agentKeys.signKey(NAME));
const keys = keysOf(PICL_ROOT, NAME);
const KEYS = ['a', '__proto__', 'constructor', '-_', '0', 'k'.repeat(64)];
const TEXTS = ['', 'ü', '€'.repeat(9), '\ud83d\ude00', '\u0000', 'x'.repeat(300)];

/** As many logs of each, altered once each. Resolves to how many changes they had. */
export async function readByBoth(logs: number, seed: number): Promise<number> {
  let count = 0;
  for (let number = 0; number < logs; number++) {
    const dice = diceOf(seed + number);
    const writes = writesOf(dice);
    const log = number % 2 === 0 ? await byAgent(writes, dice) : logOf(NAME, writes);
    await mustTake(log, writes);
    await mustRefuse(altered(log, dice));
    count += log.length;
  }
  return count;
}

type Write = readonly [key: string, text: string | null];

function writesOf(dice: Dice): Write[] {
  return Array.from({ length: 1 + dice(12) }, () => {
    const body = JSON.stringify({ id: `id${dice(9)}`, text: TEXTS[dice(TEXTS.length)] });
    return [KEYS[dice(KEYS.length)] ?? 'a', dice(4) === 0 ? null : body] as const;
  });
}

async function byAgent(writes: readonly Write[], dice: Dice): Promise<Change[]> {
  const random = (bytes: number) => Uint8Array.from({ length: bytes }, () => dice(256));
  const sealing = { crypto, entropy: { random }, key: agentKeys.sealKey(NAME), collection: NAME };
  const live = writes.flatMap(([key, text], at) =>
    text === null ? [] : [{ key, seqnum: at + 1, text }],
  );
  const payloads = await sealPayloads(sealing, live);
  const links = writes.map(([key, text], at) => {
    return { key, seqnum: at + 1, payload: text === null ? null : (payloads.shift() ?? null) };
  });
  const ids = await scheme.mint(GENESIS, links);
  const signatures = await scheme.sign(ids);
  return links.map((link, at) => {
    return { ...link, changeid: ids[at] ?? '', signature: signatures[at] ?? '' };
  });
}

async function mustTake(log: readonly Change[], writes: readonly Write[]): Promise<void> {
  expect(await refusedByAgent(log)).toBe(-1);
  expect(refusedBySecond(log)).toBe(-1);
  const texts = writes.map(([, text]) => text);
  const shown = log.map((change) => entryOf(change, NAME, keys));
  expect(shown.map(({ body }) => body)).toEqual(texts.map((text) => JSON.parse(text ?? 'null')));
  const random = () => new Uint8Array(12);
  const sealing = { crypto, entropy: { random }, key: agentKeys.sealKey(NAME), collection: NAME };
  const live = log.flatMap(({ key, seqnum, payload }) =>
    payload === null ? [] : [{ key, seqnum, payload }],
  );
  const opened = await openPayloads(sealing, live);
  expect(opened.map((one) => (one.ok ? one.text : one.code))).toEqual(
    texts.filter((text) => text !== null),
  );
}

async function mustRefuse(log: readonly Change[]): Promise<void> {
  const [agent, second] = [await refusedByAgent(log), refusedBySecond(log)];
  expect([agent >= 0, agent]).toEqual([true, second]);
}

/** The index of the first change that is not the next one of the log; -1: all are. */
async function refusedByAgent(log: readonly Change[]): Promise<number> {
  const found = [
    log.findIndex(({ seqnum }, at) => seqnum !== at + 1),
    await scheme.verify(GENESIS, log),
    await scheme.verifySignatures(log),
  ].filter((index) => index >= 0);
  return found.length === 0 ? -1 : Math.min(...found);
}

function refusedBySecond(log: readonly Change[]): number {
  const walk = new Walk({ signKey: keys.sign });
  return log.findIndex((change) => walk.take(change) !== null);
}

/** One member of one change is another one. */
function altered(log: readonly Change[], dice: Dice): Change[] {
  const at = dice(log.length);
  const change = log[at] as Change;
  const { key, payload, seqnum, changeid, signature } = change;
  const other: readonly Partial<Change>[] = [
    { key: `${key.slice(0, 63)}${key.endsWith('b') ? 'c' : 'b'}` },
    { key: key === 'a' ? '0' : 'a' },
    { payload: payload === null ? '' : null },
    { payload: `${payload ?? ''}A` },
    { seqnum: seqnum + 1 },
    { seqnum: seqnum + 2 ** 32 },
    { changeid: flipped(changeid, dice) },
    { signature: flipped(signature, dice) },
    { changeid: signature },
    { signature: '' },
  ];
  return log.map((one, index) => (index === at ? { ...one, ...other[dice(other.length)] } : one));
}

/** Another letter of base64url in one place. */
function flipped(text: string, dice: Dice): string {
  const at = dice(text.length);
  const letter = text[at] === 'A' ? 'B' : 'A';
  return text.slice(0, at) + letter + text.slice(at + 1);
}
