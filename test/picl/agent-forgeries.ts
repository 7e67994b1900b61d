// A device before a forged log, through the agent's own door: it believes what was written, and of
// all else it takes nothing and loses nothing.

import { expect } from 'vitest';
import { otherClient } from '../../emulator/servers/picl/other-client.ts';
import type { Change } from '../../platform/node/picl/chain.ts';
import { piclBench } from '../support/picl/bench.ts';
import { KB, NAME } from '../support/picl-service.ts';
import type { Body } from '../support/service.ts';
import {
  diceOf,
  type Forgery,
  forge,
  headOf,
  type Judgement,
  judge,
  KINDS,
  type Truth,
  truthOf,
  type Writer,
} from './forgery.ts';
import { rootOfKB } from './roots.ts';

const client = otherClient(KB, NAME);
const idOf = (n: number): string => `record-${n}`;
const WRITER: Writer = {
  root: rootOfKB(KB),
  keyOf: (n) => client.wireId(idOf(n)),
  textOf: (n, value) => JSON.stringify({ id: idOf(n), text: `${value}` }),
};

/**
 * Of each kind the forgeries with these numbers, `to` not included, each before a device of its
 * own. Resolves to what it said.
 */
export async function forgeriesBeforeAgent(
  { from, to }: { readonly from: number; readonly to: number },
  seed: number,
): Promise<Set<string>> {
  const said = new Set<string>();
  for (const [at, kind] of KINDS.entries()) {
    for (let number = from; number < to; number++) {
      const dice = diceOf(seed + number * KINDS.length + at);
      const truth = truthOf(dice, WRITER);
      const forgery = forge(kind, truth, dice);
      const judged = judge(truth, forgery);
      said.add(`${judged}: ${await saidOf(truth, forgery, judged)}`);
    }
  }
  return said;
}

async function saidOf(truth: Truth, forgery: Forgery, judged: Judgement): Promise<string> {
  const { log, branch, held } = truth;
  const { bench, server } = piclBench();
  server.limits.page = 100;
  for (const change of log.slice(0, held)) server.append(NAME, change);
  const device = await bench.synced(0);
  expect(await bench.held(device)).toEqual(stateOf(log.slice(0, held)));
  for (const change of log.slice(held)) server.append(NAME, change);
  server.lie = (request, answer) => {
    const { pathname, searchParams } = new URL(request.url);
    const { tag } = forgery;
    const ETag = `${tag.seqnum}-${tag.changeid}`;
    const headers = { ...answer.headers, ETag };
    if (request.method !== 'GET') return answer;
    if (pathname.endsWith(`/${NAME}`)) {
      const isSame = request.headers.get('if-none-match') === ETag;
      const signature = [...log, ...branch].find(({ changeid }) => changeid === tag.changeid);
      const json = { name: NAME, ...tag, signature: signature?.signature ?? null };
      return isSame ? { status: 304, json: null, headers } : { status: 200, json, headers };
    }
    if (!pathname.endsWith('/changes')) return answer;
    const since = Number(searchParams.get('since') ?? 0);
    const from = forgery.changes.findIndex(({ seqnum }) => seqnum >= since);
    const changes = from < 0 ? [] : forgery.changes.slice(from);
    return { status: 200, json: { changes }, headers };
  };
  bench.advance(60_000, device);
  const report = await device.agent.sync();
  const label = `${forgery.kind}, ${judged}: ${JSON.stringify(report.error)}`;
  expect([label, report.ok]).toEqual([label, judged !== 'detectable']);
  const reason = report.ok ? 'believed' : bench.statusOf(device).log?.reason;
  const said = reason ?? report.error?.code ?? '';
  expect([label, await bench.held(device)]).toEqual([label, heldAfter(truth, forgery, said)]);
  return said;
}

/** What apps see then: nothing that was not written. */
function heldAfter({ log, branch, held }: Truth, { changes, tag }: Forgery, said: string) {
  // What is missing is missing behind what came, which is true.
  if (said === 'truncated') return stateOf(log.slice(0, Math.max(held, headOf(changes).seqnum)));
  if (said !== 'believed') return stateOf(log.slice(0, held));
  const isTrue = tag.seqnum === 0 || log[tag.seqnum - 1]?.changeid === tag.changeid;
  return stateOf((isTrue ? log : branch).slice(0, Math.max(held, tag.seqnum)));
}

/** What apps see of a log. */
function stateOf(changes: readonly Change[]): Map<string, Body> {
  const state = new Map<string, Body>();
  for (const change of changes) {
    const text = change.payload === null ? null : client.open(change);
    const { id = '', ...body } = JSON.parse(text ?? '{}');
    const known = [0, 1, 2, 3, 4].map(idOf).find((one) => client.wireId(one) === change.key) ?? id;
    if (text === null) state.delete(known);
    else state.set(known, body);
  }
  return state;
}
