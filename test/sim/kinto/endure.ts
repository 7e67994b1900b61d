// A device before a liar: one pass, another one a day later, and then an honest server. What a test
// of lies is about is the lie alone; here is what holds after each of them.

import { expect } from 'vitest';
import type { NetworkRequest } from '../../../platform/ports.ts';
import type { Answer, Reply, WholeReply } from '../lab.ts';
import { held, type Truths, truthsOf, untruths } from './judge.ts';
import { type Form, freeze, NAMES, otherOf, thaw } from './lab.ts';
import { BEGIN, faults, type Moment, nameOf, play, RECOVERY, type Step } from './play.ts';

export const DAY_MS = 86_400_000;
const PASS_REQUESTS_MAX = 60;

function freshMoment(form: Form): Moment {
  const servers = thaw(undefined, form);
  const other = otherOf(servers);
  for (let n = 0; n < 6; n++) other.put('contacts', `contact-${n}`, { who: `Person ${n}` });
  other.put('contacts', 'gone', null);
  for (const n of [0, 1]) other.put('notes', `note-${n}`, { who: `Note ${n}` });
  // Some packs are full of these.
  for (let n = 0; form === 'packed' && n < 20; n++) {
    other.put('contacts', `more-${n}`, { who: `More ${n}` });
  }
  return { ...BEGIN, frozen: freeze(servers) };
}

const CHANGES: Step = {
  name: 'changes on both sides',
  async run({ agent, other, claim, later }) {
    await agent.enable();
    later(10 * 60_000);
    other.put('contacts', 'contact-1', { who: 'Person 1', mail: 'there' });
    other.put('contacts', 'contact-7', { who: 'Person 7' });
    other.put('contacts', 'contact-3', null);
    later(1_000);
    await agent.put('contacts', { id: 'contact-0', note: 'here' });
    await agent.put('contacts', { id: 'contact-8', who: 'Person 8' });
    await agent.delete('contacts', 'contact-2');
    claim('the edit', (now) => now.live('contacts').get('contact-0')?.note === 'here');
    claim('the new one', (now) => now.live('contacts').has('contact-8'));
    claim('the deletion', (now) => now.isDeleted('contacts', 'contact-2'));
    claim('their deletion', (now) => now.isDeleted('contacts', 'contact-3'));
  },
};

interface World {
  /** A server with records, and a device that has never asked it. */
  readonly fresh: Moment;
  /** A device that has synced, with changes of its own to send and some of others to fetch. */
  readonly changed: Moment;
  /** All of that is done, and there is something new. */
  readonly after: Moment;
  readonly truths: Truths;
  /** What the device holds at a moment before any lie. */
  readonly held: ReadonlyMap<Moment, ReadonlyMap<string, string>>;
}

async function worldOf(form: Form): Promise<World> {
  const fresh = freshMoment(form);
  const changed = await play(CHANGES, fresh);
  const after = withNews(await play(RECOVERY, changed), ['contact-9']);
  const truths = await truthsOf([fresh, changed, after]);
  const of = new Map([
    [changed, await held(changed)],
    [after, await held(after)],
  ]);
  return { fresh, changed, after, truths, held: of };
}

const ALONE = await worldOf('alone');
export const FRESH = ALONE.fresh;
export const CHANGED = ALONE.changed;
/** The same where small records are sealed together. */
export const PACKED = await worldOf('packed');
/** The same where nothing is sealed. */
export const PLAIN = await worldOf('plain');
const WORLDS = { alone: ALONE, packed: PACKED, plain: PLAIN };
const NOTHING = new Map<string, string>();

export const KINDS = [
  ...(['hello', 'poll', 'make', 'epoch', 'newEpoch', 'list', 'push', 'document'] as const),
];
type Kind = (typeof KINDS)[number] | 'packs';

/** What a request is about. */
export function kindOf({ method, url, body }: NetworkRequest<string>): Kind {
  if (url.endsWith('/v1/')) return 'hello';
  if (url.includes('/records?')) return 'list';
  if (method === 'GET') return 'document';
  if (method === 'PUT' || body?.includes('/records/h-')) return 'push';
  if (body?.includes('"HEAD"')) return 'poll';
  if (body?.includes('/records/p-')) return body.includes('"GET"') ? 'packs' : 'push';
  if (body?.includes('/records/epoch')) return body.includes('"PUT"') ? 'newEpoch' : 'epoch';
  return 'make';
}

/** Where an answer of that kind is heard. */
export function momentOf(kind: Kind): Moment {
  if (kind === 'make') return BEGIN;
  return kind === 'poll' || kind === 'list' || kind === 'push' || kind === 'document'
    ? CHANGED
    : FRESH;
}

/**
 * What the liar says; `ask` does what was asked for and has the honest answer. Null: that answer.
 */
export type Lie = (
  ask: () => Promise<WholeReply>,
  request: NetworkRequest<string>,
) => Promise<Reply | null> | Reply | null;

/** A lie about answers of one kind. */
export const told =
  (kind: Kind, lie: (reply: WholeReply, request: NetworkRequest<string>) => Reply): Lie =>
  async (ask, request) => {
    const isBatch = request.url.endsWith('/batch');
    // A record is asked for where a refusal does not tell it.
    if (kind === 'document' && kindOf(request) === 'push' && isBatch) return refused(request);
    return kindOf(request) === kind ? lie(await ask(), request) : null;
  };

/** Every part of a batch meets another version, which it does not tell. */
function refused({ body = '' }: NetworkRequest<string>): Reply {
  const responses = JSON.parse(body).requests.map(() => ({ status: 412, body: {} }));
  return { status: 200, headers: [], body: Buffer.from(JSON.stringify({ responses })) };
}

export interface Listed {
  readonly id: string;
  readonly last_modified: number;
  readonly payload: string;
}

export const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
export const readOf = ({ body }: WholeReply): unknown => JSON.parse(Buffer.from(body).toString());

/** A lie about the records of each page. */
export const listing = (change: (all: Listed[], url: string) => readonly unknown[]): Lie =>
  told('list', (reply, { url }) => ({
    ...reply,
    body: bytesOf({ data: change((readOf(reply) as { data: Listed[] }).data, url) }),
  }));

interface Outcome {
  readonly requests: readonly NetworkRequest<string>[];
  readonly charsRead: number;
  readonly error: string | null;
  readonly pending: number;
  readonly quarantined: number;
  /** Kinds of events that the first pass has told. */
  readonly told: readonly string[];
}

interface Aftermath {
  /** When the server is honest again. */
  readonly laterMs?: number;
  /** What cannot be well again. */
  readonly forgiven?: RegExp;
  /** Ids of contacts that have news then; all by default: what was hidden is out of sight. */
  readonly news?: readonly string[];
}

/** Two passes against the liar; then honest servers, and everything is as it should be. */
export async function endure(lie: Lie, from: Moment, aftermath: Aftermath = {}): Promise<Outcome> {
  const answer =
    (truth: Answer): Answer =>
    async (request, index) => {
      const ask = async (): Promise<WholeReply> => (await truth(request, index)) as WholeReply;
      return (await lie(ask, request)) ?? ask();
    };
  let error: string | null = null;
  const pass: Step = {
    name: 'a pass',
    async run({ agent }) {
      const isOff = agent.status().state === 'disabled';
      error = (await (isOff ? agent.enable() : agent.sync())).error?.code ?? null;
    },
  };
  const first = await play(pass, from, { answer });
  const { network, agent, platform } = first.device;
  const requests = network.requests.slice();
  const outcome: Outcome = {
    ...{ requests, charsRead: network.charsRead, error },
    ...totalOf(Object.values(agent.status().collections)),
    told: platform.events.map((text) => JSON.parse(text).kind),
  };
  expect(requests.length).toBeLessThan(PASS_REQUESTS_MAX);
  const { truths, held: known } = WORLDS[thaw(from.frozen).form];
  const before = known.get(from) ?? NOTHING;
  expect(untruths(await held(first), before, truths)).toEqual([]);
  const second = await play(pass, first, { answer, laterMs: DAY_MS });
  expect(second.device.network.requests.length).toBeLessThan(PASS_REQUESTS_MAX);
  expect(untruths(await held(second), before, truths)).toEqual([]);
  await getWell(second, aftermath);
  return outcome;
}

function totalOf(all: readonly { readonly pending: number; readonly quarantined: number }[]) {
  const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);
  return {
    pending: sum(all.map(({ pending }) => pending)),
    quarantined: sum(all.map(({ quarantined }) => quarantined)),
  };
}

const well = new Set<string>();

/** The server is honest again: what is pending goes up, and what has news arrives. */
async function getWell(
  moment: Moment,
  // What the liar made up does not come again, so nothing clears its marks.
  { laterMs = 2 * DAY_MS, forgiven = /in quarantine$/, news }: Aftermath,
): Promise<void> {
  const name = nameOf(moment);
  if (well.has(name)) return;
  well.add(name);
  const first = await play(RECOVERY, moment, { laterMs });
  const wrong = await faults(await play(RECOVERY, withNews(first, news), { laterMs }));
  expect(wrong.filter((complaint) => !forgiven.test(complaint))).toEqual([]);
}

/** The moment at which these contacts, or all records, have been written again. */
export function withNews(moment: Moment, ids?: readonly string[]): Moment {
  const servers = thaw(moment.frozen);
  const other = otherOf(servers);
  for (const id of ids ?? []) other.put('contacts', id, { who: `Person of ${id}` });
  if (ids === undefined) for (const name of NAMES) other.touch(name);
  return { ...moment, frozen: freeze(servers) };
}
